"""The forms of the transcription endpoints."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from open_speech import (
    Capability,
    ModelInfo,
    Task,
    TranscriptionRequest,
    VoiceActivity,
)
from open_speech.errors import InvalidRequest

from ..languages import language_tag
from ..models.keep_alive import KEEP_ALIVE
from ..speakers.form import SpeakersForm
from ..uploads import upload_field
from .transcription_responses import SUBTITLES


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


Language = Annotated[str | None, BeforeValidator(language_tag)]
Chunking = Annotated[Literal["auto"] | ServerVad | None, BeforeValidator(_from_json)]


class TranslationForm(SpeakersForm):
    """The fields that both endpoints know, as OpenAI names them."""

    inline: ClassVar[str | None] = "input_audio"
    in_query: ClassVar[tuple[str, ...]] = ("diarize",)

    file: Any = upload_field("The recording, in any common container.")
    model: str | None = Field(None, description="Model name. Default: the default model.")
    prompt: str | None = Field(
        None, max_length=10_000, description="Preceding text or expected words."
    )
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"] = Field(
        "json", description="Format of the response."
    )
    temperature: float | None = Field(
        None, ge=0.0, le=1.0, description="0, or left out, lets the engine choose."
    )
    keep_alive: str | None = Field(None, max_length=32, description=KEEP_ALIVE)
    chunking_strategy: Chunking = Field(
        None, description="`auto`, or how to tell speech from silence; `auto` if left out."
    )

    subtitles: list[Literal["srt", "vtt"]] = Field(
        [], description="Subtitle formats to include in `verbose_json`."
    )
    diarize: bool = Field(
        default=False,
        description="Name speakers in any format; `diarized_json` does so without it. "
        "May be sent in the query, too.",
    )
    diarization_model: str | None = Field(
        None, description="Model that tells speakers apart. Default: the default model."
    )

    def check(self) -> None:
        """Raise for known speakers where speakers are not told apart, too."""
        super().check()
        if self.known_speaker_names and not self.with_speakers:
            raise InvalidRequest(
                f"Speakers are not named in {self.response_format!r}.",
                param="known_speaker_names",
                hint="Choose response_format=diarized_json, or send diarize=true.",
            )

    @property
    def with_speakers(self) -> bool:
        """Whether speakers are told apart."""
        return self.diarize or self.response_format == "diarized_json"

    @property
    def with_segments(self) -> bool:
        """Whether `verbose_json` has segments."""
        return True

    @property
    def with_subtitles(self) -> tuple[str, ...]:
        """The formats of subtitles that go with the answer."""
        return tuple(self.subtitles) if self.response_format == "verbose_json" else ()

    def request(self, task: Task, model: ModelInfo) -> TranscriptionRequest:
        """Everything but the audio, which is decoded later."""
        return TranscriptionRequest(**self._fields(task, model))

    def _fields(self, task: Task, model: ModelInfo) -> dict[str, Any]:
        return {
            "task": task,
            "prompt": self.prompt or None,
            # 0 is what clients send who mean nothing by it.
            "temperature": self.temperature or None,
            "voice_activity": self._voice_activity(model),
            "word_timestamps": self._needs_words(model),
        }

    def _needs_words(self, model: ModelInfo) -> bool:
        """Subtitles are cut by the times of words, where the model tells them."""
        able = Capability.WORD_TIMESTAMPS in model.capabilities
        return able and (self.response_format in SUBTITLES or bool(self.with_subtitles))

    def _voice_activity(self, model: ModelInfo) -> VoiceActivity | None:
        """On by default where the model has it, so that silence gives no invented words."""
        if isinstance(self.chunking_strategy, ServerVad):
            return self.chunking_strategy.voice_activity()
        return VoiceActivity() if Capability.VOICE_ACTIVITY in model.capabilities else None


class TranscriptionForm(TranslationForm):
    """The fields of a transcription request, as OpenAI names them."""

    language: Language = Field(
        None, max_length=35, description="Spoken language (BCP 47). Default: detected."
    )
    languages: list[Language] = Field(
        [],
        max_length=100,
        description="Candidate languages; a single one counts as `language`.",
    )
    keywords: list[str] = Field([], max_length=100, description="Words to expect.")
    timestamp_granularities: list[Literal["word", "segment"]] = Field(
        [], description="Timestamps to include in `verbose_json`. Default: segments."
    )
    include: list[Literal["logprobs"]] = Field([], description="`logprobs` adds them to `json`.")
    stream: bool = Field(
        default=False, description="Stream events while the recording is transcribed."
    )
    grammar: str | None = Field(
        None, max_length=100_000, description="A grammar's name or text, for models that take one."
    )

    @property
    def with_segments(self) -> bool:
        """As OpenAI does: not where words alone are asked for."""
        return set(self.timestamp_granularities) != {"word"}

    def _needs_words(self, model: ModelInfo) -> bool:
        return super()._needs_words(model) and (not self.stream or bool(self.with_subtitles))

    def _fields(self, task: Task, model: ModelInfo) -> dict[str, Any]:
        known = tuple(filter(None, self.languages))
        only = known[0] if len(known) == 1 else None
        return {
            **super()._fields(task, model),
            "language": self.language or only,
            "languages": () if self.language or only else known,
            "keywords": tuple(self.keywords),
            "word_timestamps": "word" in self.timestamp_granularities or self._needs_words(model),
            "logprobs": "logprobs" in self.include,
            "grammar": self.grammar,
        }
