"""Multipart forms of the transcription endpoints: lists as ``a`` and ``a[]``, extras ignored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile

from open_speech import Audio, Task, TranscriptionRequest
from open_speech.errors import InvalidRequest

MAX_FIELDS = 64
ResponseFormat = Literal["json", "text", "srt", "verbose_json", "vtt"]


class TranscriptionForm(BaseModel):
    """The fields of a transcription request, as OpenAI names them."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, arbitrary_types_allowed=True)

    file: Any = Field(
        description="The recording, in any common container.",
        json_schema_extra={"type": "string", "format": "binary"},
    )
    model: str | None = Field(None, description="A model's name; the default model if left out.")
    language: str | None = Field(None, max_length=35, description="BCP-47; detected if left out.")
    prompt: str | None = Field(None, description="Text that went before.")
    keywords: list[str] = Field([], max_length=100, description="Words to expect.")
    response_format: ResponseFormat = Field("json", description="What the answer looks like.")
    temperature: float | None = Field(None, ge=0.0, le=1.0)
    timestamp_granularities: list[Literal["word", "segment"]] = Field(
        [], description="Which times `verbose_json` has; segments if left out."
    )
    stream: bool = Field(False, description="Send server-sent events while decoding goes on.")
    grammar: str | None = Field(
        None, max_length=100_000, description="A grammar's name or text, for models that take one."
    )

    @property
    def words(self) -> bool:
        """Whether word times are asked for."""
        return "word" in self.timestamp_granularities

    def request(self, task: Task) -> Callable[[Audio], TranscriptionRequest]:
        """Everything but the audio, which is decoded later."""

        def with_audio(audio: Audio) -> TranscriptionRequest:
            return TranscriptionRequest(
                audio=audio,
                language=self.language or None,
                task=task,
                prompt=self.prompt or None,
                keywords=tuple(self.keywords),
                # 0 is what clients send who mean nothing by it.
                temperature=self.temperature or None,
                word_timestamps=self.words,
                grammar=self.grammar,
            )

        return with_audio


_LISTS = frozenset({"keywords", "timestamp_granularities", "include", "languages"})


@asynccontextmanager
async def read_form(request: Request) -> AsyncIterator[TranscriptionForm]:
    """Read the request's form; its file is closed (and deleted) at the end of the block.

    Raises RequestValidationError and InvalidRequest.
    """
    async with request.form(max_files=1, max_fields=MAX_FIELDS) as data:
        try:
            form = TranscriptionForm.model_validate(_fields(data))
        except ValidationError as error:
            wrong = error.errors(include_input=False)
            raise RequestValidationError(
                [{**each, "loc": ("body", *each["loc"])} for each in wrong]
            ) from None
        if not isinstance(form.file, UploadFile):
            raise InvalidRequest(
                "The field 'file' is no file.", param="file", hint="Send it as multipart/form-data."
            )
        yield form


def _fields(data: FormData) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in data.multi_items():
        plain = name.removesuffix("[]")
        if plain in _LISTS:
            fields.setdefault(plain, []).append(value)
        elif value != "":
            fields[plain] = value
    return fields


def form_schema() -> dict[str, Any]:
    """The form as OpenAPI describes it."""
    schema = TranscriptionForm.model_json_schema()
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }
