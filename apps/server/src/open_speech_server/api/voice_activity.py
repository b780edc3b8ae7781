"""Where somebody speaks: ``POST /v1/audio/speech/timestamps``, as Speaches 0.9 has it."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from open_speech import Kind, OpenSpeech
from open_speech.service import SpanOptions, require_kind

from ..state import ServerState, speech_of, state_of
from .recordings import PIECE_S, recording_of
from .streaming import while_connected
from .uploads import UploadForm, form_schema, read_form, upload_field

router = APIRouter(tags=["voice activity"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
State = Annotated[ServerState, Depends(state_of)]


class ActivityForm(UploadForm):
    """What counts as speech, with Silero's names. Times in milliseconds, but for one."""

    inline: ClassVar[str | None] = "input_audio"

    file: Any = upload_field("The recording, in any common container.")
    model: str | None = Field(
        None, max_length=256, description="Model name. Default: the default model."
    )
    threshold: float = Field(
        0.5, ge=0.0, le=1.0, description="Probability from which sound is speech."
    )
    neg_threshold: float | None = Field(
        None, ge=0.0, description="Probability below which speech ends."
    )
    min_speech_duration_ms: int = Field(0, ge=0, description="Leave out shorter speech.")
    max_speech_duration_s: float | None = Field(
        None, ge=0.0, description="Cut longer speech, in seconds."
    )
    min_silence_duration_ms: int = Field(1000, ge=0, description="Silence that ends speech.")
    speech_pad_ms: int = Field(0, ge=0, description="Added on both sides.")

    def options(self) -> SpanOptions:
        """The same, for core."""
        longest = self.max_speech_duration_s
        return SpanOptions(
            threshold=self.threshold,
            release=self.neg_threshold,
            min_speech_s=self.min_speech_duration_ms / 1000,
            max_speech_s=math.inf if longest is None else longest,
            min_silence_s=self.min_silence_duration_ms / 1000,
            padding_s=self.speech_pad_ms / 1000,
        )


@router.post(
    "/v1/audio/speech/timestamps",
    summary="Find speech in a recording",
    openapi_extra=form_schema(ActivityForm),
)
async def find_speech(request: Request, speech: Speech, state: State) -> list[dict[str, int]]:
    """Where somebody speaks, in milliseconds."""
    return await spans(request, speech, state, ActivityForm)


async def spans(
    request: Request,
    speech: OpenSpeech,
    state: ServerState,
    kind: type[ActivityForm],
) -> list[dict[str, int]]:
    """Answer a form of this kind with the speech of its recording."""
    async with read_form(request, kind) as form:
        model = form.model or speech.default_model(Kind.VAD)
        require_kind(speech.resolve(model), Kind.VAD)
        rate = speech.manager.instance(model).model.sample_rate
        sound = recording_of(form.file, state.settings.os_max_audio_s, piece_s=PIECE_S)(rate)
        work = speech.find_speech(sound, form.options(), model=model)
        found = await while_connected(request, work)
    return [{"start": round(1000 * each.start), "end": round(1000 * each.end)} for each in found]
