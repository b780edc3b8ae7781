"""The languages that Qwen3-TTS speaks, and the difference between its names and BCP-47."""

from __future__ import annotations

from collections.abc import Iterable

from open_speech import main_language

NAMES = {
    "zh": "chinese",
    "en": "english",
    "de": "german",
    "it": "italian",
    "pt": "portuguese",
    "es": "spanish",
    "ja": "japanese",
    "ko": "korean",
    "fr": "french",
    "ru": "russian",
}
"""From a BCP-47 primary tag to the name in a checkpoint's ``codec_language_id``."""

ALL: tuple[str, ...] = tuple(NAMES)
"""BCP-47, as published."""

_SAME = {"cmn": "zh"}
"""Tags that mean a language which the model knows by another tag."""


def name(tag: str) -> str | None:
    """The model's name for a BCP-47 tag such as ``pt-BR``; None where it knows no such language."""
    main = main_language(tag)
    return NAMES.get(_SAME.get(main, main))


def tags(names: Iterable[str]) -> tuple[str, ...]:
    """The BCP-47 tags of those names that are languages; dialects have none."""
    known = set(names)
    return tuple(tag for tag, language in NAMES.items() if language in known)
