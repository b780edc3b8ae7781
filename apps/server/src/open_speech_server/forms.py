"""Multipart forms of the transcription endpoints: lists as ``a`` and ``a[]``, extras ignored."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartParser

from open_speech import (
    Audio,
    Capability,
    ModelInfo,
    Task,
    TranscriptionRequest,
    VoiceActivity,
)
from open_speech.errors import InvalidRequest, UnsupportedCapability

from .keep_alive import KEEP_ALIVE

MAX_FIELDS = 256
"""A hundred keywords and a hundred languages are allowed, each a field, and room for the rest."""
SPOOL_BYTES = 4 * 1024 * 1024
"""Uploads up to here stay in memory; beyond, each piece is written to disk in a thread."""
MultiPartParser.spool_max_size = SPOOL_BYTES
_IN_BRACKETS = re.compile(r"(\w+)\[(\w+)\]")


class ServerVad(BaseModel):
    """How to tell speech from the rest, in OpenAI's words."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    type: Literal["server_vad"] = "server_vad"
    threshold: float = Field(0.5, ge=0.0, le=1.0)
    silence_duration_ms: int = Field(2000, ge=0, le=60_000)
    prefix_padding_ms: int = Field(400, ge=0, le=10_000)

    def voice_activity(self) -> VoiceActivity:
        """The same in core's words."""
        return VoiceActivity(
            threshold=self.threshold,
            min_silence_s=self.silence_duration_ms / 1000,
            padding_s=self.prefix_padding_ms / 1000,
        )


def _from_json(value: object) -> object:
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    return value


Chunking = Annotated[Literal["auto"] | ServerVad | None, BeforeValidator(_from_json)]


class TranslationForm(BaseModel):
    """The fields that both endpoints know, as OpenAI names them."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, arbitrary_types_allowed=True)

    file: Any = Field(
        description="The recording, in any common container.",
        json_schema_extra={"type": "string", "format": "binary"},
    )
    model: str | None = Field(None, description="A model's name; the default model if left out.")
    prompt: str | None = Field(None, max_length=10_000, description="Text that went before.")
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"] = Field(
        "json", description="What the answer looks like."
    )
    temperature: float | None = Field(
        None, ge=0.0, le=1.0, description="0, or left out, lets the engine choose."
    )
    keep_alive: str | None = Field(None, max_length=32, description=KEEP_ALIVE)
    chunking_strategy: Chunking = Field(
        None, description="`auto`, or how to tell speech from silence; `auto` if left out."
    )

    def check(self) -> None:
        """Raise for what no provider can do yet."""
        if self.response_format == "diarized_json":
            raise _no_speakers("response_format")

    def request(self, task: Task, model: ModelInfo) -> Callable[[Audio], TranscriptionRequest]:
        """Everything but the audio, which is decoded later."""
        fields = self._fields(task, model)
        return lambda audio: TranscriptionRequest(audio=audio, **fields)

    def _fields(self, task: Task, model: ModelInfo) -> dict[str, Any]:
        return {
            "task": task,
            "prompt": self.prompt or None,
            # 0 is what clients send who mean nothing by it.
            "temperature": self.temperature or None,
            "voice_activity": self._voice_activity(model),
        }

    def _voice_activity(self, model: ModelInfo) -> VoiceActivity | None:
        """On by default where the model has it, so that silence gives no invented words."""
        if isinstance(self.chunking_strategy, ServerVad):
            return self.chunking_strategy.voice_activity()
        return VoiceActivity() if Capability.VOICE_ACTIVITY in model.capabilities else None


class TranscriptionForm(TranslationForm):
    """The fields of a transcription request, as OpenAI names them."""

    language: str | None = Field(None, max_length=35, description="BCP-47; detected if left out.")
    languages: list[str] = Field(
        [],
        max_length=100,
        description="Languages of which one is detected; one alone counts as `language`.",
    )
    keywords: list[str] = Field([], max_length=100, description="Words to expect.")
    timestamp_granularities: list[Literal["word", "segment"]] = Field(
        [], description="Which times `verbose_json` has; segments if left out."
    )
    include: list[Literal["logprobs"]] = Field([], description="`logprobs` adds them to `json`.")
    known_speaker_names: list[str] = Field([], max_length=4, description="No provider has it yet.")
    known_speaker_references: list[str] = Field(
        [], max_length=4, description="No provider has it yet."
    )
    stream: bool = Field(default=False, description="Send events while decoding goes on.")
    grammar: str | None = Field(
        None, max_length=100_000, description="A grammar's name or text, for models that take one."
    )

    def check(self) -> None:
        """Raise for what no provider can do yet."""
        super().check()
        if self.known_speaker_names or self.known_speaker_references:
            raise _no_speakers("known_speaker_names")

    def _fields(self, task: Task, model: ModelInfo) -> dict[str, Any]:
        only = self.languages[0] if len(self.languages) == 1 else None
        return {
            **super()._fields(task, model),
            "language": self.language or only,
            "languages": () if self.language or only else tuple(self.languages),
            "keywords": tuple(self.keywords),
            "word_timestamps": "word" in self.timestamp_granularities,
            "logprobs": "logprobs" in self.include,
            "grammar": self.grammar,
        }


def _no_speakers(param: str) -> UnsupportedCapability:
    return UnsupportedCapability(
        "No installed provider does 'speakers', which telling speakers apart needs.",
        param=param,
        hint="Leave it out, or choose another response_format.",
    )


Form = TypeVar("Form", bound=TranslationForm)


@asynccontextmanager
async def read_form(request: Request, kind: type[Form]) -> AsyncIterator[Form]:
    """Read the request's form; its file is closed (and deleted) at the end of the block.

    Raises RequestValidationError and InvalidRequest.
    """
    async with request.form(max_files=1, max_fields=MAX_FIELDS) as data:
        try:
            form = kind.model_validate(_fields(data, kind))
        except ValidationError as error:
            wrong = error.errors(include_input=False)
            raise RequestValidationError(
                [{**each, "loc": ("body", *each["loc"])} for each in wrong]
            ) from None
        if not isinstance(form.file, UploadFile):
            raise InvalidRequest(
                "The field 'file' is no file.", param="file", hint="Send it as multipart/form-data."
            )
        form.check()
        yield form


def _fields(data: FormData, kind: type[BaseModel]) -> dict[str, Any]:
    """Gather ``a[]`` into lists and ``a[b]`` into objects, as the SDKs write them."""
    lists = {name for name, field in kind.model_fields.items() if _is_list(field.annotation)}
    fields: dict[str, Any] = {}
    for name, value in data.multi_items():
        plain = name.removesuffix("[]")
        if nested := _IN_BRACKETS.fullmatch(name):
            inner = fields.setdefault(nested[1], {})
            if isinstance(inner, dict):
                inner[nested[2]] = value
        elif plain in lists:
            fields.setdefault(plain, []).append(value)
        elif value != "":
            fields[plain] = value
    return fields


def _is_list(annotation: object) -> bool:
    return getattr(annotation, "__origin__", None) is list


def form_schema(kind: type[TranslationForm]) -> dict[str, Any]:
    """The form as OpenAPI describes it."""
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    for field in schema["properties"].values():
        _inline(field, definitions)
    return {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
    }


def _inline(field: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Put definitions in place: these schemas stand outside of FastAPI's components."""
    for choice in field.get("anyOf", []):
        if name := choice.pop("$ref", "").rpartition("/")[2]:
            choice.update(definitions[name])
