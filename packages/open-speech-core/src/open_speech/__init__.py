"""Open Speech: one interface to any speech engine."""

from importlib import import_module
from typing import TYPE_CHECKING

from ._lifecycle.policy import Policy
from ._operations.operation import Operation
from ._plugins.backends import (
    Backend,
    DiarizationBackend,
    DiarizationModel,
    LoadContext,
    Model,
    STTBackend,
    STTModel,
    TTSBackend,
    TTSModel,
    TurnBackend,
    TurnModel,
    VADBackend,
    VADModel,
)
from ._plugins.hookspecs import API_VERSION, hookimpl
from ._plugins.options import FLAG, Bounds, OptionValue, checked_options
from ._types.audio import Audio, Samples, Word
from ._types.ids import ModelId
from ._types.languages import main_language
from ._types.listening import (
    DetectionRequest,
    Flush,
    Flushed,
    ListeningEvent,
    SpeechActivity,
    TurnEnd,
    TurnRequest,
)
from ._types.models import (
    Capability,
    Kind,
    ModelInfo,
    ModelPattern,
    ModelSource,
    PackagedFile,
    PackagedWeights,
    Voice,
)
from ._types.speakers import (
    DiarizationRequest,
    EmbeddingRequest,
    SpeakerEmbedding,
    SpeakerTurn,
)
from ._types.speech import Phonemes, PhonemesRequest, SpeechRequest
from ._types.tokens import TokenKind
from ._types.transcription import (
    AlignmentRequest,
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
from .voices.mix import VoiceShare, read_mix

if TYPE_CHECKING:
    from ._version import __version__
    from .aio import Portal
    from .service import Config, Defaults, OpenSpeech

__all__ = [
    "API_VERSION",
    "FLAG",
    "AlignmentRequest",
    "Audio",
    "Backend",
    "Bounds",
    "Capability",
    "Config",
    "Defaults",
    "DetectedLanguage",
    "DetectionRequest",
    "DiarizationBackend",
    "DiarizationModel",
    "DiarizationRequest",
    "EmbeddingRequest",
    "Flush",
    "Flushed",
    "Kind",
    "ListeningEvent",
    "LoadContext",
    "Model",
    "ModelId",
    "ModelInfo",
    "ModelPattern",
    "ModelSource",
    "OpenSpeech",
    "Operation",
    "OptionValue",
    "PackagedFile",
    "PackagedWeights",
    "Partial",
    "Phonemes",
    "PhonemesRequest",
    "Policy",
    "Portal",
    "STTBackend",
    "STTModel",
    "Samples",
    "Segment",
    "SpeakerEmbedding",
    "SpeakerTurn",
    "SpeechActivity",
    "SpeechRequest",
    "TTSBackend",
    "TTSModel",
    "Task",
    "TokenKind",
    "TokenLogprob",
    "Transcription",
    "TranscriptionEvent",
    "TranscriptionRequest",
    "TurnBackend",
    "TurnEnd",
    "TurnModel",
    "TurnRequest",
    "VADBackend",
    "VADModel",
    "Voice",
    "VoiceActivity",
    "VoiceShare",
    "Word",
    "__version__",
    "checked_options",
    "hookimpl",
    "main_language",
    "read_mix",
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
