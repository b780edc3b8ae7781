"""From the name of a cloned voice in a request to the recording that an engine imitates."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from .audio import Audio
from .errors import InvalidRequest, UnknownVoice, UnsupportedCapability
from .models import Capability, ModelInfo
from .recordings import Recording
from .speech import SpeechRequest
from .voice_library import VoiceLibrary
from .voices import DEFAULT, default_voice, resolve_voice, unknown_voice


async def with_reference(
    request: SpeechRequest, model: ModelInfo, library: VoiceLibrary | None
) -> SpeechRequest:
    """The request with the recording of its voice in it, if that is a cloned one.

    A voice of the model goes before one of the library of the same name; an id is never in doubt.
    A recording that the request carries itself is brought to the model's rate. Raises
    UnsupportedCapability if the model clones no voices, UnknownVoice if nobody has the voice.
    """
    cloned = await _cloned(request, model, library)
    if cloned and library:
        if request.reference is not None:
            raise InvalidRequest(
                f"The voice {cloned.name!r} is a recording, and the request carries another.",
                param="voice",
                hint="Send one of the two.",
            )
        _require_cloning(model, cloned)
        return replace(
            request,
            voice=default_voice(model),
            reference=await asyncio.to_thread(library.sound, cloned, model.sample_rate),
            reference_text=cloned.transcript,
            language=request.language or _spoken(model, cloned.language),
        )
    if request.reference is None or Capability.VOICE_CLONE not in model.capabilities:
        return request
    reference = await asyncio.to_thread(_at_rate, request.reference, model.sample_rate)
    return replace(request, reference=reference)


async def _cloned(
    request: SpeechRequest, model: ModelInfo, library: VoiceLibrary | None
) -> Recording | None:
    if library is None or request.voice in ("", DEFAULT):
        return None
    try:
        resolve_voice(model, request.voice, None)
    except UnknownVoice:
        found = await asyncio.to_thread(library.find, request.voice)
        if found is None and Capability.VOICE_CLONE in model.capabilities:
            voices = await asyncio.to_thread(library.voices)
            names = [voice.name for voice in voices]
            raise unknown_voice(model, request.voice, names) from None
        return found
    return None


def _spoken(model: ModelInfo, language: str | None) -> str | None:
    """The language of a voice where the model speaks it, whatever the region."""
    known = {tag.partition("-")[0].casefold() for tag in model.languages}
    main = (language or "").partition("-")[0].casefold()
    return language if not known or main in known else None


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
    from .codecs.resample import resample

    return resample(audio, sample_rate)
