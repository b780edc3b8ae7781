"""A server with published weights, asked over HTTP as its users ask."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import httpx

PIPER_MODEL, KOKORO_MODEL = "piper/en_US-joe-medium", "kokoro"


@dataclass(frozen=True)
class Word:
    """A word with its times, in seconds from the start of the sound."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class Transcript:
    """What was heard."""

    text: str
    language: str
    words: tuple[Word, ...]


@dataclass(frozen=True)
class Served:
    """One server: its default models speak and hear unless others are named."""

    client: httpx.Client

    def hear(self, sound: bytes, **fields: str) -> Transcript:
        """Transcribe a sound file."""
        answer = self.client.post(
            "/v1/audio/transcriptions",
            files={"file": ("sound.wav", sound)},
            data={
                "response_format": "verbose_json",
                "timestamp_granularities[]": "word",
                **fields,
            },
        )
        said = _json(answer)
        return Transcript(said["text"], said["language"], _words(said["words"]))

    def speak(self, text: str, **fields: object) -> bytes:
        """A text as a wav file."""
        answer = self.client.post(
            "/v1/audio/speech", json={"input": text, "response_format": "wav", **fields}
        )
        assert answer.status_code == 200, answer.text
        return answer.content

    def speak_timed(self, text: str, **fields: object) -> tuple[bytes, tuple[Word, ...]]:
        """The same, with the time of each word."""
        body = {"input": text, "response_format": "wav", "timestamps": True, "stream": False}
        said = _json(self.client.post("/v1/audio/speech", json={**body, **fields}))
        times = said["timestamps"]
        words = tuple(Word(each["word"], each["start_time"], each["end_time"]) for each in times)
        return base64.b64decode(said["audio"]), words


def _json(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _words(found: list[dict[str, Any]]) -> tuple[Word, ...]:
    return tuple(Word(each["word"], each["start"], each["end"]) for each in found)
