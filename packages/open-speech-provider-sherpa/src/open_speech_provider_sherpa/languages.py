"""Languages of requests against those of a model."""

from __future__ import annotations

import re

from open_speech import ModelInfo, main_language
from open_speech.errors import InvalidRequest

SENSE_VOICE = ("zh", "en", "yue", "ja", "ko")
CANARY = ("en", "es", "de", "fr")

_TOLD = re.compile(r"<\|([a-z]{2,3})\|>")
_SAME = {"cmn": "zh", "iw": "he", "nb": "no", "fil": "tl"}


def chosen(info: ModelInfo, tag: str | None, param: str = "language") -> str | None:
    """The model's own tag for a language of a request; None where none was asked for.

    Raises InvalidRequest for one that the model does not know; a model of which no languages are
    known takes any.
    """
    if tag is None:
        return None
    primary = _primary(tag)
    for known in info.languages:
        if _primary(known) == primary:
            return known
    if not info.languages:
        return primary
    raise InvalidRequest(
        f"The model {info.id} does not understand {tag[:32]!r}.",
        model=info.id,
        param=param,
        hint=f"It understands {', '.join(info.languages)}.",
    )


def told(text: str) -> str | None:
    """The language in one of the engine's marks, ``<|en|>``; None for ``<|nospeech|>``."""
    match = _TOLD.fullmatch(text)
    return match[1] if match else None


def _primary(tag: str) -> str:
    parts = tag.lower().replace("_", "-").split("-")
    if parts[0] == "zh" and "yue" in parts[1:]:
        return "yue"
    primary = main_language(tag)
    return _SAME.get(primary, primary)
