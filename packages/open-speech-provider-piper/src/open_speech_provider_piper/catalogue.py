"""What is offered: every voice of Piper's catalogue, and repositories that hold a single voice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from open_speech import (
    Capability,
    Kind,
    ModelInfo,
    ModelPattern,
    ModelSource,
    TokenKind,
    Voice,
    main_language,
)

from ._speakers import SPEAKERS
from ._voices import LANGUAGES, SIZES
from .packages import LICENSES, PACKAGED

REPOSITORY = "rhasspy/piper-voices"
MAX_TEXT_CHARS = 1_000
"""An engine's sentence is one inference, whose memory grows with the square of its length."""
CONCURRENCY = 2
"""A second request gets its words read out while the first one's sentence is computed. More gain
nothing: one inference already has all threads."""

_NAME = re.compile(r"(?P<code>[a-z]+_[A-Z]+)-(?P<name>[^-]+)-(?P<quality>[a-z_]+)")
_RATES = {"x_low": 16_000, "low": 16_000, "medium": 22_050, "high": 22_050}
_SHORT_FORM = ("medium", "high", "low", "x_low")
"""Which quality a name without one means: the first of these that there is."""
_PHONEMIZERS = {"he_IL": "hebrew", "ja_JA": "japanese", "th_TH": "thai"}
"""Of languages whose voices have one of their own. Chinese voices differ: loading tells."""
_BEYOND_ISO = {"ja_JA": "ja-JP"}
"""Codes in names that are no BCP-47 tags."""
_DEVICES = ("cpu", "cuda")
READS = {"en": frozenset({TokenKind.CODE})}
"""What espeak-ng's phonemes get right by themselves (``bench/front_ends.py``)."""


def abilities(*, phonemizer: str = "espeak", alignments: bool = True) -> frozenset[Capability]:
    """What a voice can do, by who makes its phonemes and by its graph.

    The pace is left to core: the engine rounds each phoneme up, and speech at 1.4 is a tenth too
    long.
    """
    able: set[Capability] = set()
    if phonemizer == "espeak":
        able.add(Capability.PHONEMES)
    if alignments and phonemizer in ("espeak", "text"):
        able.add(Capability.WORD_TIMESTAMPS)
    return frozenset(able)


def primary(tag: str | None) -> str:
    """The first part of a BCP-47 tag, with names of one language that differ made one."""
    first = main_language(tag)
    return {"nb": "no", "nn": "no", "cmn": "zh", "iw": "he", "in": "id"}.get(first, first)


def bcp47(code: str) -> str:
    """The tag for a code as it stands in names and configurations: ``en_US`` is ``en-US``."""
    return _BEYOND_ISO.get(code, code.replace("_", "-"))


def speakers(names: Sequence[str], language: str | None) -> tuple[Voice, ...]:
    """A voice for each speaker. ``default`` is not for a speaker to be called."""
    tags = (language,) if language else ()
    ids = (f"{name}-speaker" if name.casefold() == "default" else name for name in names)
    return tuple(Voice(id=name, languages=tags) for name in ids)


def _model(name: str) -> ModelInfo:
    match = _NAME.fullmatch(name)
    assert match is not None, name
    code, dataset, quality = match["code"], match["name"], match["quality"]
    language, (english, country) = bcp47(code), LANGUAGES[code]
    folder = f"{code.partition('_')[0]}/{code}/{dataset}/{quality}"
    names = SPEAKERS.get(name, _ascii(dataset)).split()
    people = f", {len(names)} speakers" if len(names) > 1 else ""
    return ModelInfo(
        id=f"piper/{_ascii(name)}",
        kind=Kind.TTS,
        description=f"Piper: {dataset}, {english} ({country}), quality {quality}{people}.",
        languages=(language,),
        capabilities=abilities(phonemizer=_PHONEMIZERS.get(code, "espeak")),
        reads=READS,
        sample_rate=_RATES[quality],
        voices=speakers(names, language),
        sources=(
            ModelSource(
                repo_id=REPOSITORY,
                files=(f"{folder}/{name}.onnx", f"{folder}/{name}.onnx.json"),
                optional=(f"{folder}/MODEL_CARD",),  # says whose voice it is, under which licence
                size_bytes=SIZES[name],
                packaged=PACKAGED.get(name),
            ),
        ),
        size_bytes=SIZES[name],
        license=LICENSES.get(name),
        aliases=(f"piper/{code}-{_ascii(dataset)}",)
        if _is_short_form(code, dataset, quality)
        else (),
        concurrency=CONCURRENCY,
        devices=_DEVICES,
        max_text_chars=MAX_TEXT_CHARS,
    )


def _ascii(name: str) -> str:
    """The name as ids are written: ``tugão`` is ``tugao``."""
    return unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode()


def _is_short_form(code: str, dataset: str, quality: str) -> bool:
    there = (each for each in _SHORT_FORM if f"{code}-{dataset}-{each}" in SIZES)
    return quality == next(there)


MODELS: tuple[ModelInfo, ...] = tuple(_model(name) for name in SIZES)
"""What is offered by name."""

TEMPLATE = ModelInfo(
    id="piper",
    kind=Kind.TTS,
    description="A voice in Piper's format.",
    capabilities=abilities(),
    reads=READS,
    sample_rate=22_050,
    sources=(ModelSource(repo_id="{name}", files=("*.onnx", "*.onnx.json")),),
    concurrency=CONCURRENCY,
    devices=_DEVICES,
    max_text_chars=MAX_TEXT_CHARS,
)
"""What to assume of a voice before it is loaded."""


def _newer(quality: str) -> ModelPattern:
    """Voices of the repository that came after the catalogue; it puts each where its name says."""
    folder = "{language}/{language}_{region}/{voice}/{quality}"
    graph = f"{folder}/{{language}}_{{region}}-{{voice}}-{{quality}}.onnx"
    files, card = (graph, f"{graph}.json"), (f"{folder}/MODEL_CARD",)
    template = replace(
        TEMPLATE,
        description=f"A voice of Piper's that is newer than this catalogue, quality {quality}.",
        languages=("{language}-{region}",),
        sample_rate=_RATES[quality],
        sources=(ModelSource(repo_id=REPOSITORY, files=files, optional=card),),
    )
    fields = "piper/{language}_{region}-{voice}-{quality}"
    return ModelPattern(glob=f"piper/*_*-*-{quality}", fields=fields, template=template)


PATTERNS: tuple[ModelPattern, ...] = (
    *(_newer(quality) for quality in _RATES),
    ModelPattern(glob="*/*piper-??_??-*", template=TEMPLATE),
    ModelPattern(glob="*/*piper-???_??-*", template=TEMPLATE),
)
"""Names of repositories that hold one voice, such as ``somebody/vits-piper-en_US-bob-medium``, and
names that a voice of the catalogue's repository has, ``piper/en_US-bob-medium``."""
