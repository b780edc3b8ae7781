"""What a client may ask of speech: OpenAI's fields, Kokoro-FastAPI's, and those of 0.6.1."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

from open_speech import SpeechRequest
from open_speech.codecs.encode import FORMATS
from open_speech.errors import InvalidRequest, TextTooLong
from open_speech.text.options import NormalizationOptions, TextOptions
from open_speech.text.pronunciations import Pronunciations

from ...settings.core_config import preparation
from ...settings.presets import Preset
from ...settings.settings import Settings
from ..bodies import ClientBody
from ..delivery import Delivery
from ..languages import language_tag
from ..models.keep_alive import KEEP_ALIVE, keep_alive_seconds
from .references import MAX_REFERENCE_BYTES


class VoiceId(BaseModel):
    """A voice named as an object."""

    id: str = Field(max_length=256)


class Normalization(ClientBody):
    """What is written out as words before an engine reads it, and what is left out."""

    normalize: bool = Field(True, description="Set to false to leave the text unchanged.")
    unit_normalization: bool = Field(True, description="`10 km/h` as ten kilometers per hour.")
    url_normalization: bool = Field(True, description="`example.com` as example dot com.")
    email_normalization: bool = Field(True, description="`a@b.org` as a at b dot org.")
    optional_pluralization_normalization: bool = Field(True, description="`file(s)` as files.")
    phone_normalization: bool = Field(True, description="`555-123-4567` digit by digit.")
    replace_remaining_symbols: bool = Field(True, description="`&` as and, `=` as equals.")
    markup_normalization: bool = Field(
        True, description="Do not read out Markdown and HTML markup."
    )
    read_emoji: bool = Field(False, description="Read out the names of emoji.")

    def options(self) -> NormalizationOptions:
        """The same, for core."""
        names = [field.name for field in fields(NormalizationOptions)]
        return NormalizationOptions(**{name: getattr(self, name) for name in names})


class SpeechBody(ClientBody):
    """What to speak and how."""

    input: str = Field(description="The text to speak.")
    model: str | None = Field(None, description="Model name. Default: the default model.")
    voice: str | VoiceId | None = Field(
        None,
        description="A voice of the model, an OpenAI voice name, a cloned voice by id or name, a "
        "preset, `default`, or a blend like `first(2)+second(1)` where the model mixes voices.",
    )
    instructions: str | None = Field(
        None,
        description="How to speak, for models that support instructions. Also as `voice_design`.",
        validation_alias=AliasChoices("instructions", "voice_design"),
    )
    response_format: str = Field(
        "mp3", description="Output audio format.", json_schema_extra={"enum": [*FORMATS]}
    )
    sample_rate: int | None = Field(
        None,
        ge=8_000,
        le=48_000,
        description="Samples per second; the format's or the voice's own if left out. A format "
        "that lacks a rate is written at the next higher one.",
    )
    speed: float | None = Field(
        None, ge=0.25, le=4.0, description="1 is the voice's own pace, 2 twice as fast."
    )
    volume_multiplier: float = Field(
        1.0, gt=0.0, le=10.0, description="Volume factor; peaks are limited to full scale."
    )
    even_loudness: bool | None = Field(
        None,
        description="False leaves a voice as loud as its model makes it, true makes the voices of "
        "a model equally loud; TTS_EVEN_LOUDNESS if left out.",
    )
    stream: bool | None = Field(
        None, description="Set to false to receive the audio only when it is complete."
    )
    stream_format: Literal["audio", "sse"] = Field(
        "audio", description="Raw audio, or server-sent events that contain it."
    )
    timestamps: bool = Field(
        False,
        description="Answer with JSON instead, which carries the sound and the times of its words: "
        "one object per line as it is made, or a single one with `stream` false.",
    )
    language: Annotated[str | None, BeforeValidator(language_tag)] = Field(
        None,
        max_length=35,
        description="BCP-47; the voice's own if left out. Also as `lang_code`.",
        validation_alias=AliasChoices("language", "lang_code"),
    )
    seed: int | None = Field(
        None, description="Seed for reproducible speech, for models that support it."
    )
    ssml: bool = Field(False, description="The input is SSML.")
    input_type: Literal["text", "ssml"] = Field("text", description="Same as above (0.6.1).")
    allow_voice_tags: bool = Field(
        False, description="Interpret `[voice:name]` and `[rate:1.5]` in the input."
    )
    normalization_options: Normalization = Field(
        default_factory=Normalization, description="Which kinds of tokens are written out as words."
    )
    reference_audio: str | None = Field(
        None,
        max_length=2 * MAX_REFERENCE_BYTES,
        description="A recording to speak in the voice of, for models that clone: a sound file in "
        "base64, or as a data URL; nothing is fetched.",
    )
    reference_text: str | None = Field(
        None,
        max_length=2_000,
        description="Transcript of the recording. Also as `clone_transcript`.",
        validation_alias=AliasChoices("reference_text", "clone_transcript"),
    )
    keep_alive: float | str | None = Field(None, description=KEEP_ALIVE)

    def voice_name(self) -> str:
        """The voice's name; empty if left out."""
        return self.voice.id if isinstance(self.voice, VoiceId) else self.voice or ""

    def speech_request(self, settings: Settings, preset: Preset) -> SpeechRequest:
        """What an engine is asked.

        Raises InvalidRequest for an empty text, TextTooLong for one beyond the limit.
        """
        if not self.input.strip():
            raise InvalidRequest("The input is empty.", param="input", hint="Send some text.")
        limit = settings.os_max_text_chars
        if len(self.input) > limit:
            raise TextTooLong(
                f"The input has {len(self.input)} characters; the limit is {limit}.",
                param="input",
                hint="Send it in parts, or raise OS_MAX_TEXT_CHARS.",
            )
        speed = preset.speed if self.speed is None else self.speed
        return SpeechRequest(
            text=self.input,
            voice=preset.voice or self.voice_name(),
            language=self.language or preset.language,
            speed=settings.tts_speed if speed is None else speed,
            instructions=self.instructions or preset.instructions,
            seed=self.seed,
            word_timestamps=self.timestamps,
        )

    def delivery(
        self, preset: Preset, pronunciations: Pronunciations | None, *, captions: bool = False
    ) -> Delivery:
        """How the sound is made and sent.

        Raises InvalidRequest for a format that is not known.
        """
        if self.response_format not in FORMATS:
            raise InvalidRequest(
                f"The response_format {self.response_format[:32]!r} is not known.",
                param="response_format",
                hint=f"Choose one of {', '.join(FORMATS)}.",
            )
        return Delivery(
            model=self.model or preset.model,
            audio_format=self.response_format,
            sample_rate=self.sample_rate,
            volume=self.volume_multiplier * preset.volume,
            even_loudness=self.even_loudness,
            stream=self.stream is not False,
            events=self.stream_format == "sse",
            captions=captions or self.timestamps,
            keep_alive_s=keep_alive_seconds(self.keep_alive),
            prepare=preparation(self._text_options(pronunciations)),
        )

    def _text_options(self, pronunciations: Pronunciations | None) -> TextOptions:
        return TextOptions(
            ssml=self.ssml or self.input_type == "ssml",
            voice_tags=self.allow_voice_tags,
            normalization=self.normalization_options.options(),
            pronunciations=pronunciations,
        )
