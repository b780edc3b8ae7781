"""A voice's files, looked into without the engine: where they lie and what they say."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from open_speech import ModelInfo
from open_speech.errors import ModelLoadFailed

from .catalogue import abilities, bcp47, speakers

MAX_CONFIG_BYTES = 4 << 20
MAX_SPEAKERS = 10_000
PHONEMIZERS = ("espeak", "text", "pinyin", "hebrew", "japanese", "thai")
"""Who makes phonemes, as a configuration says it and piper-tts 1.8 knows it."""

_MAX_SYMBOLS = 100_000
_MAX_FILES = 1_000
_ESPEAK_VOICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,63}")
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_MARKS = ("_", "^", "$")
"""Padding, beginning and end of a sentence: every voice has them."""

Config = Mapping[str, Any]


def find(model: ModelInfo, path: Path | None) -> Path:
    """The ``.onnx`` of a model below its folder, or the file itself; raises ModelLoadFailed."""
    if path is not None and path.is_dir():
        for source in model.sources:
            named = [path / file for file in source.files if file.endswith(".onnx")]
            for graph in named:
                if "*" not in graph.name and graph.is_file():
                    return graph
    only = only_voice(path) if path is not None else None
    if only is None:
        raise ModelLoadFailed(
            f"There is no voice for the model {model.id}: its files are an .onnx and, beside it, "
            "its .onnx.json.",
            model=model.id,
            hint="Download the model, or give the folder of one voice.",
        )
    return only


def only_voice(path: Path) -> Path | None:
    """The ``.onnx`` that a path means, if it is one with its configuration, or holds just one."""
    if path.is_dir():
        files = islice(path.rglob("*.onnx"), _MAX_FILES)
        voices = [file for file in files if _configuration(file).is_file()]
        return voices[0] if len(voices) == 1 else None
    whole = path.suffix == ".onnx" and path.is_file() and _configuration(path).is_file()
    return path if whole else None


def read_config(graph: Path, model: str) -> Config:
    """The configuration of a voice, checked; raises ModelLoadFailed for one that cannot be."""
    file = _configuration(graph)
    try:
        if file.stat().st_size > MAX_CONFIG_BYTES:
            raise _Broken("is too large")
        config = json.loads(file.read_bytes())
        _check(config)
    except _Broken as broken:
        raise _failed(model, f"{file.name} {broken}") from broken
    except (OSError, ValueError, RecursionError) as error:
        raise _failed(model, f"{file.name} cannot be read") from error
    return config  # type: ignore[no-any-return]


def described(info: ModelInfo, graph: Path, config: Config) -> ModelInfo:
    """What a configuration tells better than the catalogue or a template."""
    language = _language(config) or (info.languages[0] if info.languages else None)
    names = speaker_names(config) or [_dataset(info, graph, config)]
    voices = speakers(names, language)
    numbers = {str(number): voice.id for number, voice in enumerate(voices)} if voices[1:] else {}
    taken = {voice.id for voice in voices}
    return replace(
        info,
        languages=(language,) if language else (),
        capabilities=abilities(phonemizer=config.get("phoneme_type", "espeak")),
        sample_rate=config["audio"]["sample_rate"],
        voices=voices,
        default_voice=voices[_default_speaker(config, len(voices))].id,
        voice_aliases={number: id_ for number, id_ in numbers.items() if number not in taken},
    )


def speaker_names(config: Config) -> list[str]:
    """The names of all speakers in the order of their numbers; none where there is only one."""
    count = config["num_speakers"]
    if count <= 1:
        return []
    names = {number: name for name, number in config.get("speaker_id_map", {}).items()}
    taken = set(names.values())
    return [
        names.get(number, f"speaker-{number}" if str(number) in taken else str(number))
        for number in range(count)
    ]


def _default_speaker(config: Config, count: int) -> int:
    number = config.get("default_speaker_id", 0)
    return number if type(number) is int and 0 <= number < count else 0


def _language(config: Config) -> str | None:
    """The tag of a voice's language, from the configuration or from espeak's name for it."""
    language = config.get("language")
    code = language.get("code") if isinstance(language, dict) else None
    for each in (code, config.get("espeak", {}).get("voice")):
        if isinstance(each, str) and _TAG.fullmatch(tag := bcp47(each)):
            return tag
    return None


def _dataset(info: ModelInfo, graph: Path, config: Config) -> str:
    """What the one speaker is called."""
    if info.voices:
        return info.voices[0].id
    named = config.get("dataset")
    parts = graph.stem.split("-")
    return named if isinstance(named, str) and named.strip() else parts[min(1, len(parts) - 1)]


def _configuration(graph: Path) -> Path:
    return graph.with_name(f"{graph.name}.json")


class _Broken(Exception):
    """Says what is wrong with the configuration, as the end of a sentence."""


def _check(config: Any) -> None:
    if not isinstance(config, dict):
        raise _Broken("is no configuration")
    sound, espeak = _table(config, "audio"), _table(config, "espeak")
    _whole(sound, "sample_rate", 8_000, 96_000)
    _whole(config, "num_symbols", 1, _MAX_SYMBOLS)
    _whole(config, "num_speakers", 0, MAX_SPEAKERS)
    if "hop_length" in config:
        _whole(config, "hop_length", 1, 8_192)
    kind = config.get("phoneme_type", "espeak")
    if kind not in PHONEMIZERS:
        raise _Broken(f"needs phonemes of an unknown kind, {str(kind)[:32]!r}")
    voice = espeak.get("voice")
    # The engine would take it for a path.
    if not isinstance(voice, str) or (voice and not _ESPEAK_VOICE.fullmatch(voice)):
        raise _Broken(f"names {str(voice)[:32]!r} for a voice of espeak-ng")
    for name, value in _table(config, "inference", {}).items():
        if name in ("noise_scale", "length_scale", "noise_w") and not _is_scale(value):
            raise _Broken(f"sets {name} to {str(value)[:32]!r}")
    _check_phonemes(config)
    _check_speakers(config)


def _check_phonemes(config: dict[str, Any]) -> None:
    symbols = _table(config, "phoneme_id_map")
    if missing := [mark for mark in _MARKS if mark not in symbols]:
        raise _Broken(f"has no phoneme {missing[0]!r}")
    for phoneme, numbers in symbols.items():
        fits = isinstance(numbers, list) and all(
            type(number) is int and 0 <= number < _MAX_SYMBOLS for number in numbers
        )
        if not fits:
            raise _Broken(f"gives the phoneme {phoneme[:16]!r} no numbers")
    clusters = config.get("vowel_clusters") or []
    if not isinstance(clusters, list) or not all(
        isinstance(cluster, list) and all(isinstance(part, str) for part in cluster)
        for cluster in clusters
    ):
        raise _Broken("has odd vowel_clusters")


def _check_speakers(config: dict[str, Any]) -> None:
    count = config["num_speakers"]
    numbers = list(_table(config, "speaker_id_map", {}).values())
    if count > 1 and not all(type(each) is int and 0 <= each < count for each in numbers):
        raise _Broken("names speakers that it does not have")
    if len(set(map(str, numbers))) < len(numbers):
        raise _Broken("names a speaker twice")


def _table(config: dict[str, Any], name: str, default: Any = None) -> dict[str, Any]:
    value = config.get(name, default)
    if not isinstance(value, dict):
        raise _Broken(f"has no {name}")
    return value


def _whole(config: dict[str, Any], name: str, low: int, high: int) -> None:
    value = config.get(name)
    if type(value) is not int or not low <= value <= high:
        raise _Broken(f"sets {name} to {str(value)[:32]!r}")


def _is_scale(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= 10


def _failed(model: str, reason: str) -> ModelLoadFailed:
    return ModelLoadFailed(
        f"The model {model} cannot be loaded: {reason}.",
        model=model,
        hint="It takes a voice of Piper, or a newer piper-tts: 'pip install --upgrade piper-tts'.",
    )
