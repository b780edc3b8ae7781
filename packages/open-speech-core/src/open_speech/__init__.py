"""Open Speech: one interface to any speech engine."""

from importlib import import_module
from typing import TYPE_CHECKING

from .audio import Audio, Samples, Word
from .backends import (
    Backend,
    LoadContext,
    Model,
    STTBackend,
    STTModel,
    TTSBackend,
    TTSModel,
)
from .hookspecs import API_VERSION, hookimpl
from .ids import ModelId
from .models import Capability, Kind, ModelInfo, ModelPattern, ModelSource, Voice
from .policy import Policy
from .speech import SpeechRequest
from .transcription import (
    DetectedLanguage,
    Partial,
    Segment,
    Task,
    TokenLogprob,
    Transcription,
    TranscriptionEvent,
    TranscriptionRequest,
    VoiceActivity,
)

if TYPE_CHECKING:
    from ._version import __version__
    from .aio import Portal
    from .service import Config, Defaults, OpenSpeech

__all__ = [
    "API_VERSION",
    "Audio",
    "Backend",
    "Capability",
    "Config",
    "Defaults",
    "DetectedLanguage",
    "Kind",
    "LoadContext",
    "Model",
    "ModelId",
    "ModelInfo",
    "ModelPattern",
    "ModelSource",
    "OpenSpeech",
    "Partial",
    "Policy",
    "Portal",
    "STTBackend",
    "STTModel",
    "Samples",
    "Segment",
    "SpeechRequest",
    "TTSBackend",
    "TTSModel",
    "Task",
    "TokenLogprob",
    "Transcription",
    "TranscriptionEvent",
    "TranscriptionRequest",
    "Voice",
    "VoiceActivity",
    "Word",
    "__version__",
    "hookimpl",
]

# A worker imports this package too, and has no use for the event loop and what rests on it.
_LATER = {
    "Config": "service",
    "Defaults": "service",
    "OpenSpeech": "service",
    "Portal": "aio",
    "__version__": "_version",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LATER[name]}", __name__), name)
