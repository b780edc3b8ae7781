"""Recordings in which people agree to be cloned, as OpenAI's ``/v1/audio/voice_consents``."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Query, Request
from pydantic import ConfigDict, Field

from open_speech.errors import InvalidRequest
from open_speech.voices.library import VoiceLibrary

from ...state import library_of
from ..bodies import ClientBody
from ..uploads import UploadForm, form_schema, read_form, upload_field
from .recording_json import consent_json
from .references import MAX_REFERENCE_BYTES, uploaded

router = APIRouter(tags=["voices"])
Library = Annotated[VoiceLibrary, Depends(library_of)]


class ConsentForm(UploadForm):
    """A consent to keep, as OpenAI names its fields."""

    upload: ClassVar[str] = "recording"
    max_upload_bytes: ClassVar[int | None] = MAX_REFERENCE_BYTES

    name: str = Field(max_length=256, description="A label, up to 64 characters.")
    language: str = Field(max_length=35, description="BCP-47: what is spoken, such as `en-US`.")
    recording: Any = upload_field("The speaker's consent, half a second to a minute.")


class ConsentName(ClientBody):
    """What to change of a consent."""

    model_config = ConfigDict(extra="ignore")

    name: str = Field(max_length=256, description="The new label.")


@router.post(
    "/v1/audio/voice_consents",
    summary="Create a consent recording",
    openapi_extra=form_schema(ConsentForm),
)
async def create_consent(request: Request, library: Library) -> dict[str, Any]:
    """What is said in it nobody checks; voices name it by its id."""
    async with read_form(request, ConsentForm) as form:
        sound = await uploaded(form.recording, param="recording")
        consent = await asyncio.to_thread(
            library.add_consent, sound, name=form.name, language=form.language
        )
    return consent_json(consent)


@router.get("/v1/audio/voice_consents", summary="List consents")
async def list_consents(
    library: Library,
    after: Annotated[str | None, Query(max_length=64, description="The last id so far.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    """The oldest first, page by page."""
    consents = await asyncio.to_thread(library.consents)
    ids: list[str] = [consent.id for consent in consents]
    if after is not None and after not in ids:
        raise InvalidRequest("No consent has the id given in 'after'.", param="after")
    first = ids.index(after) + 1 if after is not None else 0
    page = [consent_json(consent) for consent in consents[first : first + limit]]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": first + limit < len(consents),
    }


@router.get("/v1/audio/voice_consents/{consent_id}", summary="One consent")
async def get_consent(consent_id: str, library: Library) -> dict[str, Any]:
    """404 if there is none of this id."""
    return consent_json(await asyncio.to_thread(library.consent, consent_id))


@router.post("/v1/audio/voice_consents/{consent_id}", summary="Rename a consent")
async def rename_consent(consent_id: str, body: ConsentName, library: Library) -> dict[str, Any]:
    """Give it another label."""
    return consent_json(await asyncio.to_thread(library.rename_consent, consent_id, body.name))


@router.delete("/v1/audio/voice_consents/{consent_id}", summary="Delete a consent")
async def delete_consent(consent_id: str, library: Library) -> dict[str, Any]:
    """409 while cloned voices rest on it: delete those first."""
    consent = await asyncio.to_thread(library.delete_consent, consent_id)
    return {"id": consent.id, "deleted": True, "object": "audio.voice_consent"}
