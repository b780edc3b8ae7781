"""In which language a stretch of text is spoken."""

from __future__ import annotations

import re

from ..models import ModelInfo

_NAME = re.compile(r"[^+(]*")


def language_of(model: ModelInfo, voice: str | None, language: str | None) -> str | None:
    """Return the language asked for, else the voice's, else the model's only one, else None.

    Of a blend of voices (``a(2)+b``) the first one counts.
    """
    if language:
        return language
    match = _NAME.match(voice or "")
    names = {voice, match[0].strip() if match else voice}
    names |= {model.voice_aliases.get(name) for name in names if name}
    for each in model.voices:
        if each.id in names and each.languages:
            return each.languages[0]
    return model.languages[0] if len(model.languages) == 1 else None
