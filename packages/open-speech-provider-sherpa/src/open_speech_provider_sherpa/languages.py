"""Languages of requests against those of a model."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from open_speech import ModelInfo, main_language
from open_speech.errors import InvalidRequest

from .families import Family

SENSE_VOICE = ("zh", "en", "yue", "ja", "ko")
CANARY = ("en", "es", "de", "fr")

_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_TOLD = re.compile(r"<\|([a-z]{2,3})\|>")
_SAME = {"cmn": "zh", "iw": "he", "nb": "no", "fil": "tl"}


def of_files(family: Family, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The languages that a model's files speak of; empty where they do not."""
    if family is Family.SENSE_VOICE:
        return SENSE_VOICE
    if family is Family.CANARY:
        return CANARY
    try:
        prompts = json.loads(metadata.get("prompt_dictionary", "{}"))
    except ValueError:
        return ()
    tags = prompts if isinstance(prompts, dict) else ()
    return tuple(tag for tag in tags if _TAG.fullmatch(tag) and tag != "auto")


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
