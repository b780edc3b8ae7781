"""Cloned voices and consents as clients see them, in OpenAI's shapes and in those of 0.6.1."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from open_speech.voices.recordings import Recording


def voice_json(voice: Recording) -> dict[str, Any]:
    """OpenAI's ``audio.voice``, and what else is known."""
    return {
        "id": voice.id,
        "object": "audio.voice",
        "created_at": voice.created_at,
        "name": voice.name,
        "type": "audio_sample",
        "language": voice.language,
        "transcript": voice.transcript,
        "consent": voice.consent,
        "seconds": voice.seconds,
    }


def listed_voice_json(voice: Recording, model: str | None) -> dict[str, Any]:
    """A cloned voice among those of models; ``model`` is one that can speak with it."""
    return {**voice_json(voice), "gender": None, "model": model, "cloned": True}


def consent_json(consent: Recording) -> dict[str, Any]:
    """OpenAI's ``audio.voice_consent``."""
    return {
        "id": consent.id,
        "object": "audio.voice_consent",
        "created_at": consent.created_at,
        "language": consent.language,
        "name": consent.name,
    }


def library_json(voice: Recording) -> dict[str, Any]:
    """An entry of 0.6.1's library, with the id that the other endpoints know it by."""
    return {
        "name": voice.name,
        "content_type": "audio/wav",
        "size_bytes": voice.size_bytes,
        "created_at": datetime.fromtimestamp(voice.created_at, UTC).isoformat(),
        "id": voice.id,
    }
