"""Speech in the voice of a recording that comes along, as 0.6.1's ``/v1/audio/speech/clone``."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Request
from pydantic import Field
from starlette.responses import Response

from open_speech import OpenSpeech
from open_speech.codecs.encode import FORMATS
from open_speech.errors import InvalidRequest

from ...settings.presets import NO_PRESET
from ...state import speech_of, state_of
from ..delivery import deliver
from ..openai.references import MAX_REFERENCE_BYTES, uploaded
from ..openai.speech_body import SpeechBody
from ..streaming import while_connected
from ..uploads import UploadForm, form_schema, read_form, upload_field

router = APIRouter(tags=["speech"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]


class CloneForm(UploadForm):
    """What to speak, and the recording whose voice to speak with."""

    upload: ClassVar[str] = "reference_audio"
    max_upload_bytes: ClassVar[int | None] = MAX_REFERENCE_BYTES

    input: str = Field(description="The text to speak.")
    model: str | None = Field(
        None, description="A model that clones voices. Default: the default model."
    )
    reference_audio: Any = upload_field(
        "The recording, up to a minute; or send `voice_library_ref` instead.", required=False
    )
    voice_library_ref: str | None = Field(
        None, max_length=256, description="A cloned voice, by id or name, instead of a recording."
    )
    voice: str | None = Field(
        None,
        max_length=256,
        description="A voice of the model to start from, for models that need one.",
    )
    speed: float | None = Field(None, ge=0.25, le=4.0, description="2 is twice as fast.")
    response_format: str = Field(
        "mp3", description="Output audio format.", json_schema_extra={"enum": [*FORMATS]}
    )
    transcript: str | None = Field(
        None, max_length=2_000, description="Transcript of the recording."
    )
    language: str | None = Field(None, max_length=35, description="BCP-47, of the text.")

    def check(self) -> None:
        """Refuse none and two of what there is to imitate."""
        if (self.reference_audio is None) == (self.voice_library_ref is None):
            raise InvalidRequest(
                "Exactly one of 'reference_audio' and 'voice_library_ref' is needed.",
                param="reference_audio",
            )

    def body(self) -> SpeechBody:
        """The same request as JSON has it."""
        return SpeechBody(
            input=self.input,
            model=self.model,
            voice=self.voice_library_ref or self.voice,
            speed=self.speed,
            response_format=self.response_format,
            language=self.language,
        )


@router.post(
    "/v1/audio/speech/clone",
    summary="Speak a text in the voice of a recording",
    response_class=Response,
    responses={200: {"content": {"audio/*": {}}}},
    openapi_extra=form_schema(CloneForm),
)
async def speak_cloned(request: Request, speech: Speech) -> Response:
    """The sound of a text; the recording is forgotten afterwards."""
    state = state_of(request)
    async with read_form(request, CloneForm) as form:
        body = form.body()
        delivery = body.delivery(NO_PRESET, state.pronunciations)
        asked = body.speech_request(state.settings, NO_PRESET)
        if form.reference_audio is not None:
            decoding = uploaded(form.reference_audio, param="reference_audio")
            sound = await while_connected(request, decoding)
            asked = replace(asked, reference=sound, reference_text=form.transcript)
    return await deliver(request, speech, asked, delivery)
