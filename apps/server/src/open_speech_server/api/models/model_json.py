"""Models as JSON: as OpenAI shows them, as earlier versions did, and with everything known."""

from __future__ import annotations

from typing import Any

from open_speech import Capability, Kind, ModelInfo
from open_speech.service import ModelState, ModelStatus

_CREATED = 1_700_000_000
"""The list wants a time of making; no engine tells one."""
TASKS = {
    Kind.STT: "automatic-speech-recognition",
    Kind.TTS: "text-to-speech",
    Kind.VAD: "voice-activity-detection",
    Kind.TURN: "end-of-turn-detection",
    Kind.DIARIZATION: "speaker-diarization",
}
_STAGES = {
    ModelState.AVAILABLE: "idle",
    ModelState.DOWNLOADED: "downloaded",
    ModelState.LOADED: "ready",
    ModelState.DRAINING: "ready",
}
"""What earlier versions called a state, where they called it differently."""


def openai_json(name: str, backend: str, model: ModelInfo) -> dict[str, Any]:
    """An entry of ``GET /v1/models``."""
    return {
        "id": name,
        "object": "model",
        "created": _CREATED,
        "owned_by": f"open-speech/{backend}",
        "task": TASKS[model.kind],
        "language": list(model.languages),
        "languages": list(model.languages),
        "license": model.license,
    }


def model_json(status: ModelStatus) -> dict[str, Any]:
    """A model with everything that is known of it."""
    model, memory = status.model, status.memory
    size = status.disk_bytes or model.size_bytes
    served = status.state is not ModelState.PROVIDER_MISSING
    return {
        "id": status.id,
        "type": status.kind.value,
        "provider": status.provider or None,
        "backend": status.backend or None,
        "device": status.device,
        "compute_type": status.compute_type,
        "state": status.state.value,
        "busy": status.busy,
        "progress": fraction(status),
        "download": download_json(status),
        "size_mb": round(size / 1e6, 1) if size else None,
        "revision": status.revision,
        "loaded_at": status.loaded_at,
        "last_used_at": status.used_at,
        "ttl_remaining": status.expires_in_s,
        "is_default": status.default,
        "pinned": status.pinned,
        "users": status.users,
        "waiting": status.waiting,
        "memory_bytes": memory.resident_bytes if memory else None,
        "device_memory_bytes": memory.device_bytes if memory else None,
        "error": status.error,
        "provider_available": served,
        "description": model.description,
        "license": model.license,
        "license_url": model.license_url,
        "license_pending": status.license_pending,
        "languages": list(model.languages),
        "aliases": list(model.aliases),
        "voices": len(model.voices),
        "devices": list(model.devices) if served else [],
        "compute_types": list(model.compute_types),
        "capabilities": sorted(capability.value for capability in model.capabilities),
        "source": [source.repo_id for source in model.sources],
        "packages": list(status.packages),
    }


def download_json(status: ModelStatus) -> dict[str, Any] | None:
    """How far the download under way is, in bytes; None if there is none."""
    if (news := status.progress) is None:
        return None
    return {
        "bytes_done": news.bytes_done,
        "bytes_total": news.bytes_total,
        "bytes_per_second": round(news.bytes_per_second),
    }


def fraction(status: ModelStatus) -> float:
    """How much of a model's files is here, from 0 to 1."""
    if news := status.progress:
        return round(news.bytes_done / news.bytes_total, 4) if news.bytes_total else 0.0
    here = {ModelState.DOWNLOADED, ModelState.LOADING, ModelState.LOADED, ModelState.DRAINING}
    return 1.0 if status.state in here else 0.0


def progress_json(status: ModelStatus) -> dict[str, Any]:
    """Get the progress of a model; the words are those of earlier versions."""
    stage = _STAGES.get(status.state, status.state.value)
    if status.busy and status.state in (ModelState.AVAILABLE, ModelState.DOWNLOADED):
        stage = "queued"
    bytes_ = download_json(status) or {
        "bytes_done": None, "bytes_total": None, "bytes_per_second": None,
    }  # fmt: skip
    return {"status": stage, "progress": fraction(status), **bytes_, "error": status.error}


def loaded_json(status: ModelStatus) -> dict[str, Any]:
    """A loaded model in a list of those that run."""
    memory = status.memory
    return {
        "id": status.id,
        "model": status.id,
        "object": "model",
        "type": status.kind.value,
        "task": TASKS[status.kind],
        "backend": status.backend,
        "device": status.device,
        "compute_type": status.compute_type,
        "status": status.state.value,
        "loaded_at": status.loaded_at,
        "last_used_at": status.used_at,
        "is_default": status.default,
        "ttl_remaining": status.expires_in_s,
        "memory_bytes": memory.resident_bytes if memory else None,
        "device_memory_bytes": memory.device_bytes if memory else None,
    }


def capabilities_json(model: ModelInfo) -> dict[str, Any]:
    """Capabilities of a text-to-speech model, under the names of earlier versions."""
    can = model.capabilities
    return {
        "voice_blend": Capability.VOICE_BLEND in can,
        "voice_design": False,
        "voice_clone": Capability.VOICE_CLONE in can,
        "streaming": True,
        "instructions": Capability.INSTRUCTIONS in can,
        "speakers": [voice.id for voice in model.voices],
        "languages": list(model.languages),
        "speed_control": model.speeds != (1.0, 1.0),
        "ssml": False,
        "batch": False,
    }
