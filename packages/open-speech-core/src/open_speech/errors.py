"""All errors, as one tree. Front ends show ``str(error)`` and no traceback.

OpenSpeechError
├── InvalidRequest            the caller's doing; trying again as it is will not help
│   ├── InvalidModelId
│   ├── ModelNotFound
│   │   └── ProviderMissing   it is known who serves the name, but not installed
│   ├── ModelConflict         two providers claim the name
│   ├── UnknownVoice
│   ├── UnsupportedCapability
│   ├── InvalidAudio
│   ├── AudioTooLong
│   ├── TextTooLong
│   ├── ModelNotAllowed       not in the catalogue, and the operator opens no more than that
│   ├── RecordingNotFound     no cloned voice, or consent, of this id or name
│   ├── RecordingConflict     its name is taken, or others rest on it
│   ├── AccessDenied          the hub does not hand the weights to this token
│   ├── LicenseNotAccepted    the weights' licence has to be accepted before they are fetched
│   └── DeleteRefused         the weights are not the store's to delete
├── Unavailable               not now; trying again later may help
│   ├── Busy                  the queue is full
│   ├── ModelNotReady         downloading, loading or draining
│   ├── ShuttingDown
│   ├── WorkerDied
│   ├── NotDownloaded         the weights are not in the store
│   ├── Offline               the weights would have to be fetched, which is switched off
│   ├── DownloadFailed
│   ├── DownloadCancelled
│   ├── DiskFull
│   └── ModelInUse            somebody on this volume holds or fetches the weights
└── ProviderError             the engine's or its provider's doing
    ├── ProviderBroken        the provider could not be imported
    ├── ModelLoadFailed
    ├── InvalidResult         the engine broke the contract
    ├── OutOfMemory
    └── DeadlineExceeded
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AccessDenied",
    "AudioTooLong",
    "Busy",
    "DeadlineExceeded",
    "DeleteRefused",
    "DiskFull",
    "DownloadCancelled",
    "DownloadFailed",
    "InvalidAudio",
    "InvalidModelId",
    "InvalidRequest",
    "InvalidResult",
    "LicenseNotAccepted",
    "ModelConflict",
    "ModelInUse",
    "ModelLoadFailed",
    "ModelNotAllowed",
    "ModelNotFound",
    "ModelNotReady",
    "NotDownloaded",
    "Offline",
    "OpenSpeechError",
    "OutOfMemory",
    "ProviderBroken",
    "ProviderError",
    "ProviderMissing",
    "RecordingConflict",
    "RecordingNotFound",
    "ShuttingDown",
    "TextTooLong",
    "Unavailable",
    "UnknownVoice",
    "UnsupportedCapability",
    "WorkerDied",
]


class OpenSpeechError(Exception):
    """Base of all errors: what happened, to which provider or model, and the next step."""

    code: ClassVar[str] = "internal_error"
    """A stable, machine-readable name."""

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        param: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.model = model
        self.param = param
        """The request field at fault."""
        self.hint = hint
        """The next step, one sentence."""
        self.retry_after = retry_after
        """Seconds after which trying again makes sense."""
        self.detail = detail
        """For logs only, such as the traceback on the worker's side."""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class InvalidRequest(OpenSpeechError):
    """The request cannot be served as it is."""

    code = "invalid_request"


class InvalidModelId(InvalidRequest):
    """The model's name is not of the form ``[provider:]name[@revision]``."""

    code = "invalid_model_id"


class ModelNotFound(InvalidRequest):
    """No installed provider serves a model of this name."""

    code = "model_not_found"


class ProviderMissing(ModelNotFound):
    """The provider of the model is not installed, or no longer."""

    code = "provider_missing"


class ModelConflict(InvalidRequest):
    """Two providers claim the name; ``provider:name`` settles it."""

    code = "model_conflict"


class UnknownVoice(InvalidRequest):
    """The model has no voice of this name."""

    code = "voice_not_found"


class UnsupportedCapability(InvalidRequest):
    """The model does not declare what the request needs."""

    code = "unsupported_capability"


class InvalidAudio(InvalidRequest):
    """The audio cannot be decoded."""

    code = "invalid_audio"


class AudioTooLong(InvalidRequest):
    """The audio is longer than the limit."""

    code = "audio_too_long"


class TextTooLong(InvalidRequest):
    """The text is longer than the limit."""

    code = "text_too_long"


class ModelNotAllowed(InvalidRequest):
    """The operator lets this caller have the models of the catalogue only."""

    code = "model_not_allowed"


class RecordingNotFound(InvalidRequest):
    """There is no cloned voice, or no consent, of this id or name."""

    code = "recording_not_found"


class RecordingConflict(InvalidRequest):
    """The name of a recording is taken, or another recording rests on it."""

    code = "recording_conflict"


class AccessDenied(InvalidRequest):
    """The hub does not hand the weights out: gated, private, or a token that it does not know."""

    code = "access_denied"


class LicenseNotAccepted(InvalidRequest):
    """The licence of the weights has to be accepted once before they are fetched."""

    code = "license_not_accepted"


class DeleteRefused(InvalidRequest):
    """The weights lie outside the store, where they belong to somebody else."""

    code = "delete_refused"


class Unavailable(OpenSpeechError):
    """Not at the moment."""

    code = "unavailable"


class Busy(Unavailable):
    """Too many requests wait already."""

    code = "busy"


class ModelNotReady(Unavailable):
    """The model is being downloaded, loaded or unloaded."""

    code = "model_not_ready"


class ShuttingDown(Unavailable):
    """No new work is taken."""

    code = "shutting_down"


class WorkerDied(Unavailable):
    """The process that held the model ended; another is started."""

    code = "worker_died"


class NotDownloaded(Unavailable):
    """The weights are not in the store, and this call fetches nothing."""

    code = "not_downloaded"


class Offline(Unavailable):
    """The weights are not here, and fetching them is switched off."""

    code = "offline"


class DownloadFailed(Unavailable):
    """The weights could not be fetched, or were not what the hub promised."""

    code = "download_failed"


class DownloadCancelled(Unavailable):
    """Somebody stopped the download; what was fetched is kept for the next."""

    code = "download_cancelled"


class DiskFull(Unavailable):
    """The weights do not fit on the disk."""

    code = "disk_full"


class ModelInUse(Unavailable):
    """Another process, or another thread, holds the weights or is fetching them."""

    code = "model_in_use"


class ProviderError(OpenSpeechError):
    """The engine or its provider failed."""

    code = "provider_error"


class ProviderBroken(ProviderError):
    """The provider is installed but cannot be used."""

    code = "provider_broken"


class ModelLoadFailed(ProviderError):
    """The model could not be loaded."""

    code = "model_load_failed"


class InvalidResult(ProviderError):
    """The engine returned something that breaks the contract."""

    code = "invalid_result"


class OutOfMemory(ProviderError):
    """The engine ran out of memory; the model was dropped."""

    code = "out_of_memory"


class DeadlineExceeded(ProviderError):
    """The engine gave no result in time; its worker was stopped."""

    code = "deadline_exceeded"
