"""Multipart forms that carry a file: lists as ``a`` and ``a[]``, objects as ``a[b]``, limits."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser

from open_speech.errors import InvalidRequest

MAX_FIELDS = 256
"""A hundred keywords and a hundred languages are allowed, each a field, and room for the rest."""
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
    async with request.form(max_files=1, max_fields=MAX_FIELDS) as data:
        try:
            form = kind.model_validate(_fields(data, kind))
        except ValidationError as error:
            wrong = error.errors(include_input=False)
            raise RequestValidationError(
                [{**each, "loc": ("body", *each["loc"])} for each in wrong]
            ) from None
        _check_file(form, getattr(form, kind.upload))
        form.check()
        yield form


def _check_file(form: UploadForm, file: object) -> None:
    if file is None:  # where it may be left out
        return
    if not isinstance(file, UploadFile):
        raise InvalidRequest(
            f"The field {form.upload!r} is no file.",
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
            fields.setdefault(plain, []).append(value)
        elif value != "":
            fields[plain] = value
    return fields


def _is_list(annotation: object) -> bool:
    return getattr(annotation, "__origin__", None) is list


def form_schema(kind: type[UploadForm]) -> dict[str, Any]:
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
