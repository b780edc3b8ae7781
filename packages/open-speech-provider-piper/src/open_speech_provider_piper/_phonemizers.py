"""What each way of making phonemes needs beyond piper-tts itself, said when a voice is loaded.

Nothing is fetched here. The engine fetches one thing, a model and a tokenizer for Chinese: that is
kept from happening, and a folder with them is asked for instead.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from open_speech.errors import ModelLoadFailed

from ._settings import CHINESE, Value


class Need(NamedTuple):
    """What a kind of phonemes needs."""

    language: str
    extra: str
    """Of this distribution."""
    modules: tuple[str, ...]


NEEDS: Mapping[str, Need] = {
    "pinyin": Need("Chinese", "zh", ("g2pw", "transformers", "sentence_stream", "unicode_rbnf")),
    "japanese": Need("Japanese", "ja", ("pyopenjtalk",)),
    "thai": Need("Thai", "th", ("tltk", "unicode_rbnf")),
}
SAMPLES: Mapping[str, str] = {
    "pinyin": "你好。",
    "hebrew": "שלום.",
    "japanese": "こんにちは。",
    "thai": "สวัสดี",
}
"""A word in the script of each, to try it out; others take any."""

_ARCHIVE = ("g2pw.onnx", "POLYPHONIC_CHARS.txt", "MONOPHONIC_CHARS.txt")
_TOKENIZER = "vocab.txt"


def check_installed(kind: str, model: str) -> None:
    """Raise ModelLoadFailed where a language's phonemes need what is not installed."""
    need = NEEDS.get(kind)
    missing = [name for name in need.modules if not _is_there(name)] if need else []
    if need and missing:
        raise ModelLoadFailed(
            f"The model {model} cannot be loaded: {need.language} text is made into phonemes by "
            f"{' and '.join(missing)}, which this installation lacks.",
            model=model,
            hint=remedy(kind),
        )


def remedy(kind: str) -> str:
    """The command that brings what a kind of phonemes needs."""
    need = NEEDS.get(kind)
    if need is None:
        return "Run 'pip install --upgrade piper-tts'."
    return f"Run 'pip install \"open-speech-provider-piper[{need.extra}]\"'."


def chinese(options: Mapping[str, Value], model: str) -> Any:
    """The engine's phonemizer for Chinese, over a folder that the settings name.

    It is put together by its parts: left alone it would download what is missing and run the
    ``config.py`` that came along.
    """
    given = options.get(CHINESE)
    folder = Path(given) if isinstance(given, str) and given else None
    wanted = (*_ARCHIVE, _TOKENIZER)
    missing = [name for name in wanted if folder is None or not (folder / name).is_file()]
    if folder is None or missing:
        where = f" The folder {folder} has no {' and no '.join(missing)}." if folder else ""
        raise ModelLoadFailed(
            f"The model {model} cannot be loaded: Chinese text is made into phonemes by the g2pW "
            f"model, which is not part of the voice and is never fetched by itself.{where}",
            model=model,
            hint=f"Unpack zh/zh_CN/_resources/g2pw.tar.gz of the data set "
            f"rhasspy/piper-checkpoints, put vocab.txt of bert-base-chinese beside it, and name "
            f"that folder in the provider's setting {CHINESE!r}.",
        )
    from piper.g2pw_onnx import _CONFIG_DEFAULTS, G2PWOnnxConverter
    from piper.phonemize_chinese import ChinesePhonemizer
    from unicode_rbnf import RbnfEngine

    class Converter(G2PWOnnxConverter):  # type: ignore[misc]
        @staticmethod
        def _load_config(_config_path: Path) -> dict[str, Any]:
            return dict(_CONFIG_DEFAULTS)  # the file of that name is code, and holds just these

    phonemizer = ChinesePhonemizer.__new__(ChinesePhonemizer)
    phonemizer.g2p = Converter(
        model_dir=folder,
        style="pinyin",
        model_source=str(folder),  # a folder is read; a name would be looked up at the hub
        enable_non_tradional_chinese=True,
    )
    phonemizer.number_engine = RbnfEngine.for_language("zh")
    return phonemizer


def _is_there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
