"""What a realtime session is set to, in the shape of the GA protocol or of the beta before it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from open_speech import Capability, ModelInfo, TranscriptionRequest, VoiceActivity
from open_speech.service import ListenRequest, TurnDetection

from ...settings.settings import Settings
from ..bodies import ClientBody
from ..languages import language_tag
from .audio import PCM, TELEPHONE_RATE, AudioFormat

LOGPROBS = "item.input_audio_transcription.logprobs"
LONGEST_PAUSE_S = {"low": 8.0, "medium": 4.0, "high": 2.0, "auto": 4.0}
"""Of semantic turn detection, by eagerness."""
_SEMANTIC_SILENCE_S = 0.6
"""Silence that ends a turn where no model judges it."""
Language = Annotated[str | None, BeforeValidator(language_tag)]


class Format(ClientBody):
    """A format of sound."""

    type: Literal["audio/pcm", "audio/pcmu", "audio/pcma"] = "audio/pcm"
    rate: int = Field(24_000, ge=8_000, le=48_000)

    def audio_format(self) -> AudioFormat:
        """The same."""
        return AudioFormat(self.type, self.rate if self.type == PCM else TELEPHONE_RATE)


class Transcription(ClientBody):
    """How speech is understood."""

    model: str | None = Field(None, max_length=256)
    language: Language = Field(None, max_length=35)
    languages: list[Language] = Field([], max_length=100)
    keywords: list[str] = Field([], max_length=100)
    prompt: str | None = Field(None, max_length=4_000)


class Turns(ClientBody):
    """How turns are found."""

    type: Literal["server_vad", "semantic_vad"] = "server_vad"
    threshold: float | None = Field(None, ge=0.0, le=1.0)
    prefix_padding_ms: int = Field(300, ge=0, le=5_000)
    silence_duration_ms: int | None = Field(None, ge=0, le=60_000)
    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


class Input(ClientBody):
    """Sound that comes in."""

    format: Format | None = None
    transcription: Transcription | None = None
    turn_detection: Turns | None = None


class Output(ClientBody):
    """Sound that goes out."""

    format: Format | None = None
    voice: str | dict[str, str] | None = None
    speed: float | None = Field(None, ge=0.25, le=4.0)
    model: str | None = Field(None, max_length=256, description="Ours: who speaks.")


class AudioUpdate(ClientBody):
    """Both."""

    input: Input = Input()
    output: Output = Output()


class SessionUpdate(ClientBody):
    """What ``session.update`` may say."""

    type: Literal["transcription", "realtime"] | None = None
    audio: AudioUpdate = AudioUpdate()
    include: list[str] | None = None
    instructions: str | None = Field(None, max_length=100_000)
    output_modalities: list[Literal["text", "audio"]] | None = None
    max_output_tokens: int | Literal["inf"] | None = None


@dataclass(frozen=True, kw_only=True)
class RealtimeConfig:
    """One session's settings."""

    type: str = "realtime"
    beta: bool = False
    """The client speaks the protocol's beta."""
    input_format: AudioFormat = field(default_factory=AudioFormat)
    output_format: AudioFormat = field(default_factory=AudioFormat)
    transcription: Transcription | None = None
    turns: Turns | None = field(default_factory=Turns)
    voice: str = ""
    speed: float | None = None
    speech_model: str | None = None
    instructions: str | None = None
    modalities: tuple[str, ...] = ("audio",)
    max_output_tokens: int | None = None
    logprobs: bool = False

    def updated(self, session: dict[str, Any]) -> RealtimeConfig:
        """The settings after ``session.update``: what it does not mention stays.

        Raises pydantic's ValidationError.
        """
        beta = self.beta or _is_beta(session)
        said = _from_beta(session) if _is_beta(session) else session
        update = SessionUpdate.model_validate(said)
        given_input = _dig(said, "audio", "input")
        given_output = _dig(said, "audio", "output")
        incoming, outgoing = update.audio.input, update.audio.output
        changes: dict[str, Any] = {"beta": beta, "type": update.type or self.type}
        if incoming.format:
            changes["input_format"] = incoming.format.audio_format()
        if "transcription" in given_input:
            changes["transcription"] = incoming.transcription
        if "turn_detection" in given_input:
            changes["turns"] = incoming.turn_detection
        if outgoing.format:
            changes["output_format"] = outgoing.format.audio_format()
        if outgoing.voice is not None:
            changes["voice"] = _voice(outgoing.voice)
        if outgoing.speed is not None:
            changes["speed"] = outgoing.speed
        if outgoing.model is not None or "model" in given_output:
            changes["speech_model"] = outgoing.model
        if update.instructions is not None:
            changes["instructions"] = update.instructions
        if update.output_modalities is not None:
            changes["modalities"] = tuple(update.output_modalities) or ("audio",)
        if update.max_output_tokens is not None:
            tokens = update.max_output_tokens
            changes["max_output_tokens"] = tokens if isinstance(tokens, int) else None
        if update.include is not None:
            changes["logprobs"] = LOGPROBS in update.include
        return replace(self, **changes)

    def listen_request(self, settings: Settings, model: ModelInfo) -> ListenRequest:
        """What core is asked, as far as the model can do it."""
        asked = self.transcription or Transcription()
        able = model.capabilities
        languages = tuple(tag for tag in asked.languages if tag)
        how = TranscriptionRequest(
            language=asked.language,
            languages=languages if Capability.LANGUAGE_DETECTION in able else (),
            prompt=asked.prompt if Capability.PROMPT in able else None,
            keywords=tuple(asked.keywords) if Capability.KEYWORDS in able else (),
            logprobs=self.logprobs and Capability.LOGPROBS in able,
            # Without turn detection nobody has looked for speech before.
            voice_activity=VoiceActivity()
            if self.turns is None and Capability.VOICE_ACTIVITY in able
            else None,
        )
        return ListenRequest(
            how=how,
            turns=self._turn_detection(settings),
            interim_s=settings.os_stream_chunk_ms / 1000,
        )

    def _turn_detection(self, settings: Settings) -> TurnDetection | None:
        turns = self.turns
        if turns is None:
            return None
        threshold = settings.os_stream_vad_threshold if turns.threshold is None else turns.threshold
        if turns.type == "semantic_vad":
            return TurnDetection(
                threshold=threshold,
                silence_s=_SEMANTIC_SILENCE_S,
                longest_pause_s=LONGEST_PAUSE_S[turns.eagerness],
            )
        silence_ms = turns.silence_duration_ms
        return TurnDetection(
            threshold=threshold,
            silence_s=(500 if silence_ms is None else silence_ms) / 1000,
            padding_s=turns.prefix_padding_ms / 1000,
        )

    def as_json(self, session_id: str, expires_at: int | None = None) -> dict[str, Any]:
        """The session as events tell it. What is not done, such as noise reduction, is null."""
        if self.beta:
            return self._as_beta(session_id)
        session: dict[str, Any] = {
            "type": self.type,
            "id": session_id,
            "object": f"realtime.{'transcription_' if self.type == 'transcription' else ''}session",
            "expires_at": expires_at,
            "audio": {
                "input": {
                    "format": self.input_format.as_json(),
                    "transcription": self._transcription_json(),
                    "noise_reduction": None,
                    "turn_detection": self._turns_json(),
                }
            },
            "include": [LOGPROBS] if self.logprobs else None,
        }
        if self.type == "realtime":
            session["audio"]["output"] = {
                "format": self.output_format.as_json(),
                "voice": self.voice or "default",
                "speed": self.speed or 1.0,
            }
            session["instructions"] = self.instructions or ""
            session["output_modalities"] = list(self.modalities)
            session["max_output_tokens"] = self.max_output_tokens or "inf"
            session["tools"] = []
            session["tool_choice"] = "none"
        return session

    def _as_beta(self, session_id: str) -> dict[str, Any]:
        return {
            "id": session_id,
            "object": "realtime.session",
            "modalities": ["text", "audio"] if "audio" in self.modalities else ["text"],
            "instructions": self.instructions or "",
            "voice": self.voice or "default",
            "input_audio_format": self.input_format.beta_name,
            "output_audio_format": self.output_format.beta_name,
            "input_audio_transcription": self._transcription_json(),
            "turn_detection": self._turns_json(),
            "tools": [],
            "tool_choice": "none",
            "max_response_output_tokens": self.max_output_tokens or "inf",
        }

    def _transcription_json(self) -> dict[str, Any] | None:
        if self.transcription is None:
            return None
        asked = self.transcription.model_dump(exclude_none=True)
        return {name: value for name, value in asked.items() if value != []}

    def _turns_json(self) -> dict[str, Any] | None:
        turns = self.turns
        if turns is None:
            return None
        common = {
            "type": turns.type,
            "create_response": turns.create_response,
            "interrupt_response": turns.interrupt_response,
        }
        if turns.type == "semantic_vad":
            return {**common, "eagerness": turns.eagerness}
        silence_ms = turns.silence_duration_ms
        return {
            **common,
            "threshold": 0.5 if turns.threshold is None else turns.threshold,
            "prefix_padding_ms": turns.prefix_padding_ms,
            "silence_duration_ms": 500 if silence_ms is None else silence_ms,
            "idle_timeout_ms": None,
        }


def _voice(voice: str | dict[str, str]) -> str:
    return voice.get("id", "") if isinstance(voice, dict) else voice


def _dig(data: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        data = data.get(name) or {}
        if not isinstance(data, dict):
            return {}
    return data


_BETA_FIELDS = frozenset(
    {
        "input_audio_format",
        "output_audio_format",
        "input_audio_transcription",
        "turn_detection",
        "modalities",
        "voice",
        "speed",
        "max_response_output_tokens",
    }
)


def _is_beta(session: dict[str, Any]) -> bool:
    return bool(_BETA_FIELDS.intersection(session))


def _from_beta(session: dict[str, Any]) -> dict[str, Any]:
    """The same settings in the shape of the GA protocol."""
    incoming: dict[str, Any] = {}
    outgoing: dict[str, Any] = {}
    for name, place in (("input_audio_format", incoming), ("output_audio_format", outgoing)):
        if name in session:
            known = AudioFormat.of_beta(str(session[name]))
            place["format"] = known.as_json() if known else {"type": session[name]}
    if "input_audio_transcription" in session:
        incoming["transcription"] = session["input_audio_transcription"]
    if "turn_detection" in session:
        turns = session["turn_detection"]
        is_none = isinstance(turns, dict) and turns.get("type") == "none"
        incoming["turn_detection"] = None if is_none else turns
    for name in ("voice", "speed"):
        if name in session:
            outgoing[name] = session[name]
    said: dict[str, Any] = {
        name: session[name] for name in ("type", "include", "instructions") if name in session
    }
    if "max_response_output_tokens" in session:
        said["max_output_tokens"] = session["max_response_output_tokens"]
    if modalities := session.get("modalities"):
        said["output_modalities"] = ["audio"] if "audio" in modalities else ["text"]
    return {**said, "audio": {"input": incoming, "output": outgoing}}
