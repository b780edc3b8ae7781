"""Voices that people record for cloning: OpenAI's endpoints, and the library of 0.6.1."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, ClassVar, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import AliasChoices, Field
from starlette.responses import JSONResponse, Response

from open_speech.errors import InvalidRequest, UnsupportedCapability
from open_speech.voices.library import VoiceLibrary

from ...state import library_of
from ..uploads import UploadForm, form_schema, read_form, upload_field
from .recording_json import library_json, voice_json
from .references import MAX_REFERENCE_BYTES, uploaded

router = APIRouter(tags=["voices"])
Library = Annotated[VoiceLibrary, Depends(library_of)]


class VoiceForm(UploadForm):
    """A voice to keep, as OpenAI names its fields; two are ours."""

    upload: ClassVar[str] = "audio_sample"
    max_upload_bytes: ClassVar[int | None] = MAX_REFERENCE_BYTES

    name: str = Field(max_length=256, description="Unique name of the voice, up to 64 characters.")
    type: Literal["audio_sample", "prompt"] = Field(
        "audio_sample", description="`prompt`, a voice from a description, is not kept here."
    )
    audio_sample: Any = upload_field(
        "A recording of the voice, half a second to a minute, at most 10 MiB.", required=False
    )
    consent: str | None = Field(
        None,
        max_length=2_000,
        description="Required: the id of a consent recording, or the words in which the speaker "
        "agreed.",
    )
    language: str | None = Field(
        None,
        max_length=35,
        description="Language of the voice (BCP 47), unless a request names another.",
    )
    transcript: str | None = Field(
        None,
        max_length=2_000,
        description="Transcript of the recording; many models clone better with "
        "it. Also as `text`.",
        validation_alias=AliasChoices("transcript", "text"),
    )

    def check(self) -> None:
        """Refuse a voice from a description, and one without its recording or its consent."""
        if self.type == "prompt":
            raise UnsupportedCapability(
                "A voice cannot be created from a description.",
                param="type",
                hint="Send the description as 'instructions' of POST /v1/audio/speech, to a model "
                "that takes it.",
            )
        for field in ("audio_sample", "consent"):
            if not getattr(self, field):
                raise InvalidRequest(f"{field!r} is required.", param=field)


class LibraryForm(UploadForm):
    """A voice to keep, as 0.6.1 named its fields."""

    upload: ClassVar[str] = "audio"
    max_upload_bytes: ClassVar[int | None] = MAX_REFERENCE_BYTES

    name: str = Field(max_length=256, description="Name of the voice.")
    audio: Any = upload_field("A recording of the voice, half a second to a minute.")


@router.post(
    "/v1/audio/voices",
    summary="Create a cloned voice",
    openapi_extra=form_schema(VoiceForm),
)
async def create_voice(request: Request, library: Library) -> dict[str, Any]:
    """A voice that every model which clones can speak with, by its id or its name."""
    async with read_form(request, VoiceForm) as form:
        sound = await uploaded(form.audio_sample, param="audio_sample")
        voice = await asyncio.to_thread(
            library.add_voice,
            sound,
            name=form.name,
            language=form.language,
            transcript=form.transcript,
            consent=form.consent,
        )
    return voice_json(voice)


@router.get("/v1/audio/voices/{voice_id}", summary="One cloned voice")
async def get_voice(voice_id: str, library: Library) -> dict[str, Any]:
    """By its id or its name; 404 if it is not in the library."""
    return voice_json(await asyncio.to_thread(library.voice, voice_id))


@router.delete("/v1/audio/voices/{voice_id}", summary="Delete a cloned voice")
async def delete_voice(voice_id: str, library: Library) -> dict[str, Any]:
    """Its recording is gone from the disk; its consent stays. By its id or its name."""
    voice = await asyncio.to_thread(library.delete_voice, voice_id)
    return {"id": voice.id, "deleted": True, "object": "audio.voice.deleted"}


@router.post(
    "/api/voices/library",
    summary="Create a cloned voice (0.6.1)",
    status_code=201,
    openapi_extra=form_schema(LibraryForm),
)
async def add_to_library(request: Request, library: Library) -> JSONResponse:
    """A voice of the same name is replaced, as 0.6.1 did."""
    async with read_form(request, LibraryForm) as form:
        sound = await uploaded(form.audio, param="audio")
        voice = await asyncio.to_thread(library.add_voice, sound, name=form.name, replacing=True)
    return JSONResponse(library_json(voice), 201)


@router.get("/api/voices/library", summary="List cloned voices (0.6.1)")
async def list_library(library: Library) -> list[dict[str, Any]]:
    """A bare list, ordered by name."""
    voices = await asyncio.to_thread(library.voices)
    return [library_json(voice) for voice in sorted(voices, key=lambda each: each.name)]


@router.get("/api/voices/library/{name}", summary="Get a cloned voice (0.6.1)")
async def get_from_library(name: str, library: Library) -> dict[str, Any]:
    """By its name or its id."""
    return library_json(await asyncio.to_thread(library.voice, name))


@router.delete(
    "/api/voices/library/{name}",
    summary="Delete a cloned voice (0.6.1)",
    status_code=204,
)
async def delete_from_library(name: str, library: Library) -> Response:
    """By its name or its id."""
    await asyncio.to_thread(library.delete_voice, name)
    return Response(status_code=204)
