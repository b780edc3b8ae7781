"""Open Speech: one interface to any speech engine."""

from ._version import __version__
from .aio import Portal
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
from .service import Config, Defaults, OpenSpeech
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
