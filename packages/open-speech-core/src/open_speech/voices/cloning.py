"""From the name of a cloned voice in a request to the recording that an engine imitates."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from .._types.audio import Audio
from .._types.languages import main_language
from .._types.models import Capability, ModelInfo
from .._types.speech import SpeechRequest
from ..errors import InvalidAudio, InvalidRequest, RecordingNotFound, UnsupportedCapability
from .library import VoiceLibrary
from .recordings import Recording
from .resolve import (
    DEFAULT,
    default_voice,
    own_voice,
    resolve_voice,
    tell_fallback,
    unknown_voice,
    was_told,
)


async def with_voice(
    request: SpeechRequest,
    model: ModelInfo,
    library: VoiceLibrary | None,
    configured: str | None = None,
    generic: Sequence[str] = (),
) -> SpeechRequest:
    """The request with a voice of the model, and with the recording of a cloned one in it.

    A voice of the model goes before one of the library of the same name; an id is never in doubt.
    ``configured`` stands in for a voice that is left open, unless the request carries a recording;
    where that cannot be, the model's own default does, and one log line says so. A recording that
    the request carries is brought to the model's rate. Raises UnsupportedCapability if the model
    clones no voices, UnknownVoice if nobody has the voice; both only for a voice that is named.
    ``generic`` is that of ``resolve_voice``.
    """
    is_open = request.voice in ("", DEFAULT)
    if library and is_open and configured and request.reference is None:
        if imitating := await _configured(request, model, library, configured, generic):
            return imitating
    elif library and not is_open and (cloned := await _cloned(request, model, library, generic)):
        _require_cloning(model, cloned)
        return await _imitating(request, model, library, cloned)
    if request.reference is not None and configured and not own_voice(model, configured, generic):
        configured = None  # and nothing to tell: the recording is the voice
    request = replace(request, voice=resolve_voice(model, request.voice, configured, generic))
    if request.reference is None or Capability.VOICE_CLONE not in model.capabilities:
        return request
    reference = await asyncio.to_thread(_at_rate, request.reference, model.sample_rate)
    return replace(request, reference=reference)


async def _configured(
    request: SpeechRequest,
    model: ModelInfo,
    library: VoiceLibrary,
    configured: str,
    generic: Sequence[str],
) -> SpeechRequest | None:
    """The request with the configured voice, if that is a cloned one and the model clones."""
    clones = Capability.VOICE_CLONE in model.capabilities
    if configured == DEFAULT or own_voice(model, configured, generic):
        return None
    if not clones and was_told(model, configured):
        return None  # there is nothing to be looked for
    cloned = await asyncio.to_thread(library.find, configured)
    if cloned is None:
        return None
    if not clones:
        tell_fallback(model, configured, f"{model.id} clones no voices such as {configured!r}")
        return None
    try:
        return await _imitating(request, model, library, cloned)
    except (InvalidAudio, RecordingNotFound) as error:
        tell_fallback(model, configured, f"{configured!r} cannot be heard: {error.message}")
        return None


async def _cloned(
    request: SpeechRequest, model: ModelInfo, library: VoiceLibrary, generic: Sequence[str]
) -> Recording | None:
    """The cloned voice that a request names, if it does not name one of the model."""
    if own_voice(model, request.voice, generic):
        return None
    found = await asyncio.to_thread(library.find, request.voice)
    if found is None and Capability.VOICE_CLONE in model.capabilities:
        voices = await asyncio.to_thread(library.voices)
        raise unknown_voice(model, request.voice, [voice.name for voice in voices])
    if found and request.reference is not None:
        raise InvalidRequest(
            f"The voice {found.name!r} is a recording, and the request carries another.",
            param="voice",
            hint="Send one of the two.",
        )
    return found


async def _imitating(
    request: SpeechRequest, model: ModelInfo, library: VoiceLibrary, cloned: Recording
) -> SpeechRequest:
    return replace(
        request,
        voice=default_voice(model),
        reference=await asyncio.to_thread(library.sound, cloned, model.sample_rate),
        reference_text=cloned.transcript,
        language=request.language or _spoken(model, cloned.language),
    )


def _spoken(model: ModelInfo, language: str | None) -> str | None:
    """The language of a voice where the model speaks it, whatever the region."""
    known = {main_language(tag) for tag in model.languages}
    return language if not known or main_language(language) in known else None


def _require_cloning(model: ModelInfo, voice: Recording) -> None:
    if Capability.VOICE_CLONE not in model.capabilities:
        raise UnsupportedCapability(
            f"The model {model.id!r} does not do {Capability.VOICE_CLONE.value!r}, which the "
            f"cloned voice {voice.name!r} needs.",
            model=model.id,
            param="voice",
            hint="Choose a model that clones voices, or one of this model's own voices.",
        )


def _at_rate(audio: Audio, sample_rate: int) -> Audio:
    if audio.sample_rate == sample_rate:
        return audio
    from ..codecs.resample import resample

    return resample(audio, sample_rate)
