"""Whether a model can do what a request needs, settled before the model sees it.

That is what lets a request type grow: an old provider never gets a field that it does not know.
"""

from __future__ import annotations

from typing import NoReturn

from .errors import InvalidRequest, ModelNotFound, UnsupportedCapability
from .languages import main_language
from .models import Capability, Kind, ModelInfo
from .routing import Offer
from .speech import SpeechRequest
from .transcription import Task, TranscriptionRequest

_DOING = {Kind.STT: "speech to text", Kind.TTS: "text to speech"}


def require_kind(offer: Offer, kind: Kind) -> None:
    """Raise InvalidRequest unless the model is of this kind."""
    if offer.model.kind is not kind:
        raise InvalidRequest(
            f"The model {offer.id!r} does {_DOING[offer.model.kind]}, not {_DOING[kind]}.",
            provider=offer.provider.name,
            model=offer.id,
            param="model",
            hint="GET /v1/models lists what each model does.",
        )


def nothing_of(kind: Kind) -> NoReturn:
    """Raise ModelNotFound for want of any provider of this kind."""
    raise ModelNotFound(
        f"No installed provider does {_DOING[kind]}.",
        param="model",
        hint="Install one with 'open-speech providers install NAME'.",
    )


def check_load(offer: Offer, device: str | None, compute_type: str | None) -> None:
    """Raise InvalidRequest for a device or number format that the model does not have."""
    model = offer.model
    choices = (
        ("device", device and device.partition(":")[0], model.devices),
        ("compute_type", compute_type, model.compute_types),
    )
    for param, wanted, possible in choices:
        if wanted and wanted not in possible:
            raise InvalidRequest(
                f"The model {offer.id!r} cannot be loaded with {param} {wanted[:32]!r}.",
                provider=offer.provider.name,
                model=offer.id,
                param=param,
                hint=f"Choose one of {', '.join(possible)}." if possible else "Leave it out.",
            )


def check_speech(request: SpeechRequest, model: ModelInfo) -> None:
    """Raise UnsupportedCapability for what the model does not declare."""
    _check(
        model,
        {
            Capability.SPEED: ("speed", request.speed != 1.0),
            Capability.PITCH: ("pitch", request.pitch != 1.0),
            Capability.INSTRUCTIONS: ("instructions", request.instructions is not None),
            Capability.VOICE_CLONE: ("reference_audio", request.reference is not None),
            Capability.SEED: ("seed", request.seed is not None),
            Capability.WORD_TIMESTAMPS: ("word_timestamps", request.word_timestamps),
        },
    )


def check_transcription(request: TranscriptionRequest, model: ModelInfo) -> None:
    """Raise UnsupportedCapability for what the model does not declare."""
    _check(
        model,
        {
            Capability.TRANSLATION: ("task", request.task is Task.TRANSLATE),
            Capability.LANGUAGE_DETECTION: ("languages", _has_to_choose(request, model)),
            Capability.PROMPT: ("prompt", request.prompt is not None),
            Capability.KEYWORDS: ("keywords", bool(request.keywords)),
            Capability.TEMPERATURE: ("temperature", request.temperature is not None),
            Capability.WORD_TIMESTAMPS: ("timestamp_granularities", request.word_timestamps),
            Capability.LOGPROBS: ("include", request.logprobs),
            Capability.PARTIALS: ("partials", request.partials),
            Capability.VOICE_ACTIVITY: ("chunking_strategy", request.voice_activity is not None),
            Capability.ALIGNMENT: ("known_text", request.known_text is not None),
            Capability.GRAMMAR: ("grammar", request.grammar is not None),
        },
    )


def _has_to_choose(request: TranscriptionRequest, model: ModelInfo) -> bool:
    """Whether a language has to be found among those expected; one is all that some models know."""
    expected = {main_language(tag) for tag in request.languages}
    only = {main_language(tag) for tag in model.languages}
    return bool(expected) and request.language is None and not (len(only) == 1 and only <= expected)


def _check(model: ModelInfo, wanted: dict[Capability, tuple[str, bool]]) -> None:
    for capability, (param, needed) in wanted.items():
        if needed and capability not in model.capabilities:
            has = ", ".join(sorted(model.capabilities)) or "nothing beyond the plain job"
            raise UnsupportedCapability(
                f"The model {model.id!r} does not do {capability.value!r}, which {param!r} needs.",
                model=model.id,
                param=param,
                hint=f"It declares: {has}.",
            )
