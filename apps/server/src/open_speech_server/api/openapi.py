"""What the OpenAPI document says beyond what FastAPI finds out by itself."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

_ERROR: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong, as OpenAI says it.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "description": "What happened, and what helps."},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"], "description": "The field it is about."},
                "code": {"type": ["string", "null"], "description": "For programs."},
            },
        }
    },
}
_FAILURES = {
    "4XX": "The request is not right, or not now; the message says what helps.",
    "5XX": "The server or an engine failed; where `Retry-After` is set, trying again may help.",
}
_NUMBER: dict[str, Any] = {"type": "number"}
_TIMED: dict[str, Any] = {"start": _NUMBER, "end": _NUMBER}
_SEGMENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob",
                 "compression_ratio", "no_speech_prob"],
    "properties": {
        "id": {"type": "integer"},
        "seek": {"type": "integer", "description": "Where its window begins, in frames of 10 ms."},
        **_TIMED,
        "text": {"type": "string"},
        "tokens": {"type": "array", "items": {"type": "integer"}},
        "temperature": _NUMBER,
        "avg_logprob": _NUMBER,
        "compression_ratio": _NUMBER,
        "no_speech_prob": _NUMBER,
    },
}  # fmt: skip
_WORD: dict[str, Any] = {
    "type": "object",
    "required": ["word", "start", "end"],
    "properties": {"word": {"type": "string"}, **_TIMED},
}
_LOGPROB: dict[str, Any] = {
    "type": "object",
    "required": ["token", "bytes", "logprob"],
    "properties": {
        "token": {"type": "string"},
        "bytes": {"type": "array", "items": {"type": "integer"}},
        "logprob": _NUMBER,
    },
}
_TRANSCRIPTION: dict[str, Any] = {
    "type": "object",
    "description": "`json` has the text, the languages and what was used; `verbose_json` the rest.",
    "required": ["text", "usage"],
    "properties": {
        "text": {"type": "string"},
        "languages": {
            "type": "array",
            "description": "Empty where no language was found out.",
            "items": {
                "type": "object",
                "required": ["code"],
                "properties": {"code": {"type": "string"}},
            },
        },
        "logprobs": {"type": "array", "items": _LOGPROB},
        "usage": {
            "type": "object",
            "required": ["type", "seconds"],
            "properties": {"type": {"const": "duration"}, "seconds": _NUMBER},
        },
        "task": {"enum": ["transcribe", "translate"]},
        "language": {"type": "string", "description": "Its English name."},
        "duration": {"type": "number", "description": "Seconds."},
        "segments": {"type": "array", "items": _SEGMENT},
        "words": {"type": "array", "items": _WORD},
    },
}
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_TEXTS = {
    "application/json": {"schema": _TRANSCRIPTION},
    "text/plain": _TEXT,
    "text/vtt": _TEXT,
}
_FORM = "The text, in the form asked for."
TRANSCRIPTION_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": _FORM, "content": _TEXTS}
}
"""What a transcription answers in one piece."""
STREAMED_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": _FORM, "content": {**_TEXTS, "text/event-stream": _TEXT}}
}
"""The same, where it can be events too."""


def describe_errors(app: FastAPI) -> None:
    """Have the app's OpenAPI document tell how every operation fails.

    FastAPI's own 422 is taken out: the server answers 400 instead.
    """
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _add_failures(generate())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _add_failures(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Error"] = _ERROR
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for operations in document["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            answers.pop("422", None)
            for status, description in _FAILURES.items():
                answers.setdefault(status, {"description": description, "content": content})
