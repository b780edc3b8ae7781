"""Which voice a request means."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from .._plugins.resolution import similar_names
from .._types.models import Capability, ModelInfo
from ..errors import UnknownVoice
from .mix import VoiceShare, read_mix, write_mix

__all__ = [
    "default_voice",
    "resolve_voice",
]


_log = logging.getLogger(__name__)
DEFAULT = "default"
"""Reserved: works with every model. It means the configured voice, else the model's own default."""
_NAME = re.compile(r"[^+(]*")
"""The first voice of a mix."""
_fallbacks_told: set[tuple[str, str]] = set()


def default_voice(model: ModelInfo) -> str:
    """The model's own default: as declared, else its first voice, else ``default``."""
    if model.default_voice:
        return model.default_voice
    return model.voices[0].id if model.voices else DEFAULT


def resolve_voice(
    model: ModelInfo, wanted: str, configured: str | None, generic: Sequence[str] = ()
) -> str:
    """From the name in a request to a voice of the model.

    ``configured`` stands in for an empty name or ``default`` where the model has it; where it
    has not, the model's own default does, and one log line says so. A name of ``generic`` that the
    model does not know means one of its voices, always the same. Raises UnknownVoice, with similar
    names, only for a voice that the request names.
    """
    if wanted not in ("", DEFAULT):
        found = _find(model, wanted, generic)
        if found is None:
            raise unknown_voice(model, wanted)
        return found
    if configured and configured != DEFAULT:
        if found := own_voice(model, configured, generic):
            return found
        tell_fallback(model, configured, f"{model.id} has no voice {configured!r}")
    return default_voice(model)


def own_voice(model: ModelInfo, name: str, generic: Sequence[str] = ()) -> str | None:
    """The model's own voice that a name means; None if it means none, or a blend with others."""
    try:
        return _find(model, name, generic)
    except UnknownVoice:
        return None


def tell_fallback(model: ModelInfo, configured: str, why: str) -> None:
    """Log, once for each model and voice, that the configured voice is not the one that speaks."""
    if not was_told(model, configured):
        _fallbacks_told.add((model.id, configured))
        _log.info("%s; its own default %r is used", why, default_voice(model))


def was_told(model: ModelInfo, configured: str) -> bool:
    """Whether ``tell_fallback`` has had its say on this."""
    return (model.id, configured) in _fallbacks_told


def _find(model: ModelInfo, name: str, generic: Sequence[str]) -> str | None:
    ids = {voice.id.casefold(): voice.id for voice in model.voices}
    folded = name.casefold()
    if folded in ids:
        return ids[folded]
    aliases = {alias.casefold(): voice for alias, voice in model.voice_aliases.items()}
    if folded in aliases:
        return aliases[folded]
    if folded in generic:
        return _stand_in(model, generic.index(folded))
    if Capability.VOICE_BLEND in model.capabilities and set("+-(") & set(name):
        return _blend(model, name, generic)
    return None


def _blend(model: ModelInfo, expression: str, generic: Sequence[str]) -> str:
    """Name each voice of a blend as the model does, and write it in its plain form."""
    shares: list[VoiceShare] = []
    for share in read_mix(expression):
        voice = _find(model, share.voice, generic)
        if voice is None:
            raise unknown_voice(model, share.voice)
        shares.append(replace(share, voice=voice))
    return write_mix(shares)


def _stand_in(model: ModelInfo, index: int) -> str:
    """The voice for a generic name that the model does not map itself: always the same one."""
    if not model.voices:
        return default_voice(model)
    language = next(
        (voice.languages for voice in model.voices if voice.id == default_voice(model)), ()
    )
    same = [voice.id for voice in model.voices if voice.languages[:1] == language[:1]]
    choices = same or [voice.id for voice in model.voices]
    return choices[index % len(choices)]


def unknown_voice(model: ModelInfo, wanted: str, further: Iterable[str] = ()) -> UnknownVoice:
    """The error for a voice that the model lacks; ``further`` names what else it might mean."""
    similar = similar_names(wanted, [*(voice.id for voice in model.voices), *further])
    return UnknownVoice(
        f"The model {model.id!r} has no voice {wanted[:64]!r}.",
        model=model.id,
        param="voice",
        hint=(
            f"Did you mean {' or '.join(repr(name) for name in similar)}?"
            if similar
            else f"'default' means {default_voice(model)!r}."
        ),
    )


def voice_language(model: ModelInfo, voice: str | None, language: str | None) -> str | None:
    """The language asked for, else the voice's, else the model's only one, else None.

    Of a mix of voices (``a(2)+b``) the first one counts.
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
