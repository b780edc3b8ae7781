"""Forms that carry a file: lists as ``a`` and ``a[]``, objects as ``a[b]``, limits.

Some clients send JSON instead, with the file in base64 (``input_audio`` of OpenRouter and Open
WebUI); it becomes the same form.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from typing import Any, ClassVar, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser

from open_speech.errors import InvalidRequest

from .errors import has_body
from .openai.references import sound_in_text

MAX_SOUND_IN_JSON = 25 * 1024 * 1024
"""Of a recording in JSON, as OpenAI has it for files; unlike a form's, it is held in memory."""
MAX_FIELDS = 256
"""A hundred keywords and a hundred languages are allowed, each a field, and room for the rest."""
MAX_FIELD_BYTES = 5 * 1024 * 1024
"""Limit of a text field. A ten-second reference recording fits, in base64."""
SPOOL_BYTES = 4 * 1024 * 1024
"""Uploads up to here stay in memory; beyond, each piece is written to disk in a thread."""
MultiPartParser.spool_max_size = SPOOL_BYTES
_IN_BRACKETS = re.compile(r"(\w+)\[(\w+)\]")


class UploadForm(BaseModel):
    """A form with one file. Unknown fields are ignored, as every client sends some."""

    model_config = ConfigDict(
        extra="ignore",
        allow_inf_nan=False,
        arbitrary_types_allowed=True,
        populate_by_name=True,
    )

    upload: ClassVar[str] = "file"
    """The field that is the file."""
    max_upload_bytes: ClassVar[int | None] = None
    """The largest file; None leaves it to the server's limit for every request."""

    in_query: ClassVar[tuple[str, ...]] = ()
    """Fields that may be sent in the query instead."""

    inline: ClassVar[str | None] = None
    """The field of JSON that has the file as ``{"data": BASE64, "format": "wav"}``, if any."""

    def check(self) -> None:
        """Raise for what only the fields together show to be wrong."""


def upload_field(description: str, *, required: bool = True) -> Any:
    """The field of the file."""
    schema: dict[str, Any] = {"type": "string", "format": "binary"}
    default = ... if required else None
    return Field(default, description=description, json_schema_extra=schema)


Form = TypeVar("Form", bound=UploadForm)


@asynccontextmanager
async def read_form(request: Request, kind: type[Form]) -> AsyncIterator[Form]:
    """Read the request's form; its file is closed (and deleted) at the end of the block.

    Raises RequestValidationError, InvalidRequest, and HTTPException (413) for a file too large.
    """
    sent = request.form(max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    async with sent as data:
        is_json = "json" in request.headers.get("content-type", "") and has_body(request.scope)
        fields = await _fields_of_json(request, kind) if is_json else _fields(data, kind)
        for name in kind.in_query:
            if name in request.query_params:
                fields.setdefault(name, request.query_params[name])
        try:
            form = kind.model_validate(fields)
        except ValidationError as error:
            wrong = error.errors(include_input=False)
            raise RequestValidationError(
                [{**each, "loc": ("body", *each["loc"])} for each in wrong]
            ) from None
        _check_file(form, getattr(form, kind.upload))
        form.check()
        yield form


async def _fields_of_json(request: Request, kind: type[UploadForm]) -> dict[str, Any]:
    """The fields of a JSON body, its recording decoded in a thread."""
    sent = request.scope.get("state", {}).get("content_type", "application/json")
    said = f"as {sent[:64]!a}" if sent else "without a Content-Type"
    is_form = InvalidRequest(
        f"{kind.upload!r} is required, as a file in a form; the body was sent {said}.",
        param=kind.upload,
        hint="Send it as multipart/form-data.",
    )
    if kind.inline is None:
        raise is_form
    try:
        body = await asyncio.to_thread(json.loads, await request.body())
    except (ValueError, RecursionError):
        raise is_form from None
    if not isinstance(body, dict):
        raise InvalidRequest("The body must be a JSON object.")
    fields = {name: value for name, value in body.items() if value not in (None, "")}
    sound = fields.pop(kind.inline, None)
    fields.pop(kind.upload, None)
    if sound is not None:
        fields[kind.upload] = await asyncio.to_thread(_file_in_json, sound, kind.inline)
        return fields
    raise InvalidRequest(
        f"{kind.inline!r} is required in a JSON body.",
        param=kind.inline,
        hint=f'Send {{"{kind.inline}": {{"data": "BASE64", "format": "wav"}}}}, or the file as '
        "multipart/form-data.",
    )


def _file_in_json(sound: object, param: str) -> UploadFile:
    """A recording in base64 or as a data URL, as if it had been uploaded."""
    described = sound if isinstance(sound, dict) else {"data": sound}
    text, container = described.get("data"), described.get("format")
    if not isinstance(text, str):
        raise InvalidRequest(f"{param!r} needs the recording as 'data', in base64.", param=param)
    media_type, data = sound_in_text(text, param, MAX_SOUND_IN_JSON)
    name = container if isinstance(container, str) and container.isalnum() else "wav"
    headers = Headers({"content-type": media_type or f"audio/{name[:16]}"})
    return UploadFile(BytesIO(data), size=len(data), filename=f"audio.{name[:16]}", headers=headers)


def _check_file(form: UploadForm, file: object) -> None:
    if file is None:  # where it may be left out
        return
    if not isinstance(file, UploadFile):
        raise InvalidRequest(
            f"The field {form.upload!r} is not a file.",
            param=form.upload,
            hint="Send it as multipart/form-data.",
        )
    if form.max_upload_bytes is not None and (file.size or 0) > form.max_upload_bytes:
        raise HTTPException(413)


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
            fields.setdefault(plain, []).extend(_items(value))
        elif value not in ("", "null"):
            fields[plain] = value
    return fields


def _items(value: UploadFile | str) -> list[object]:
    """A field of a list as its items: some clients write the whole list as JSON into one field."""
    if isinstance(value, str) and value.startswith("["):
        with suppress(ValueError, RecursionError):
            items = json.loads(value)
            return [item for item in items if item not in (None, "")]
    return [] if value in ("", "null") else [value]


def _is_list(annotation: object) -> bool:
    return getattr(annotation, "__origin__", None) is list


def form_schema(kind: type[UploadForm]) -> dict[str, Any]:
    """The form as OpenAPI describes it."""
    schema = kind.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    for field in schema["properties"].values():
        _inline(field, definitions)
    content: dict[str, Any] = {"multipart/form-data": {"schema": schema}}
    if kind.inline:
        content["application/json"] = {"schema": _as_json(schema, kind)}
    return {"requestBody": {"required": True, "content": content}}


def _as_json(schema: dict[str, Any], kind: type[UploadForm]) -> dict[str, Any]:
    fields = {name: each for name, each in schema["properties"].items() if name != kind.upload}
    data = {"type": "string", "description": "The file in base64, or as a data URL."}
    sound = {
        "type": "object",
        "required": ["data"],
        "properties": {"data": data, "format": {"type": "string"}},
    }
    return {
        "type": "object",
        "required": [kind.inline],
        "properties": {kind.inline: sound, **fields},
    }


def _inline(field: dict[str, Any], definitions: dict[str, Any]) -> None:
    """Put definitions in place: these schemas stand outside of FastAPI's components."""
    for choice in field.get("anyOf", []):
        if name := choice.pop("$ref", "").rpartition("/")[2]:
            choice.update(definitions[name])
