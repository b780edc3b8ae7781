"""What commands ask for, whoever answers: a server, or the engines installed here."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, BinaryIO, Protocol, Self

from open_speech import Segment, Word


@dataclass(frozen=True, kw_only=True)
class SpeechOptions:
    """A text to speak. None leaves it to the defaults."""

    text: str
    format: str
    """A key of ``open_speech.codecs.encode.FORMATS``."""
    model: str | None = None
    voice: str | None = None
    speed: float | None = None
    language: str | None = None


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """How to understand a recording. None leaves it to the defaults."""

    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    words: bool = False
    """Find the times of words."""
    times: bool = False
    """Times are wanted, of words or segments; text alone can come sooner."""
    subtitles: str | None = None
    """``srt`` or ``vtt``: write these."""
    diarize: bool = False
    """Name speakers."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A recording, understood."""

    text: str
    language: str
    """Its English name, or ``unknown``."""
    duration: float
    """Seconds."""
    segments: tuple[Segment, ...]
    """Empty where no times were asked for and a server answered."""
    words: tuple[Word, ...]
    subtitles: str | None = None
    """The file, where it was asked for; a server that wrote it told nothing else."""


@dataclass(frozen=True, kw_only=True)
class Listening:
    """How to understand live sound. None leaves it to the defaults."""

    model: str | None = None
    language: str | None = None
    sample_rate: int = 16_000
    """Of the sound, which is 16-bit little-endian mono."""


OnLive = Callable[[str, bool], None]
"""Called with the text of an utterance so far, and with whether that is final."""
OnWord = Callable[[Word], None]
OnText = Callable[[str], None]
"""Called with the text of each segment, as soon as it is known."""


class _Entry:
    """Data out of the server's JSON, of whatever version: what is missing gets its default."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Take over the fields that the class has."""
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: value for name, value in data.items() if name in known})


@dataclass(frozen=True, kw_only=True)
class ModelEntry(_Entry):
    """One model; the names are those of ``GET /api/models``."""

    id: str
    type: str
    """``stt``, ``tts``, or another kind."""
    state: str
    provider: str | None = None
    is_default: bool = False
    size_mb: float | None = None
    """Of its files, in 10**6 bytes; None if it has none or nobody knows."""
    description: str = ""
    license: str | None = None
    """Of its weights."""
    license_url: str | None = None
    license_pending: bool = False
    """It has to be accepted before the files are fetched."""
    languages: list[str] | None = None
    voices: int = 0
    aliases: list[str] | None = None
    capabilities: list[str] | None = None
    devices: list[str] | None = None
    compute_types: list[str] | None = None
    source: list[str] | None = None
    """Repositories of the hub that its files are in."""
    packages: list[str] | None = None
    """Installed packages that its files were taken from instead, as ``name==version``."""
    device: str | None = None
    """Where it is loaded."""
    compute_type: str | None = None
    memory_bytes: int | None = None
    error: str | None = None
    """Why the last attempt to load it failed."""


@dataclass(frozen=True, kw_only=True)
class VoiceEntry(_Entry):
    """One voice; the names are those of ``GET /v1/audio/voices``."""

    id: str
    name: str = ""
    language: str | None = None
    gender: str | None = None
    model: str | None = None
    """One that speaks with it; None for a cloned voice where no model at hand clones."""


@dataclass(frozen=True, kw_only=True)
class ProviderEntry(_Entry):
    """One provider; the names are those of ``GET /api/providers``."""

    name: str
    distribution: str
    version: str
    status: str
    """``ok`` or ``broken``."""
    environment: str | None = None
    """The environment of its own that it lives in, if it does."""
    summary: str = ""
    license: str = ""
    models: int = 0
    error: str | None = None


class Client(Protocol):
    """Answers commands. Errors are ``Failure`` or those of ``open_speech.errors``."""

    def speak(
        self, asked: SpeechOptions, on_word: OnWord | None = None
    ) -> Generator[bytes, None, None]:
        """The sound of a text, encoded, as it is made; closing the generator stops that.

        ``on_word`` is told each word with its times from the start of the whole.
        """

    def transcribe(self, recording: BinaryIO, asked: Hearing, on_text: OnText) -> Heard:
        """Understand a recording in any common container; the file must be seekable."""

    def listen(self, sound: Iterator[bytes], asked: Listening, on_text: OnLive) -> None:
        """Understand sound while it comes in, until it ends."""

    def models(self) -> list[ModelEntry]:
        """Every model that is known, and the configured ones that nobody serves."""

    def model(self, name: str) -> ModelEntry:
        """One model, by any of its names."""

    def pull(self, name: str, *, accept_license: bool = False) -> ModelEntry:
        """Have a model's files on disk and verified; the licence is accepted first, if said so."""

    def update(self, name: str) -> tuple[ModelEntry, bool]:
        """Update a model to its latest revision; whether that is another one."""

    def remove(self, name: str) -> None:
        """Delete a model from disk."""

    def voices(self, model: str | None) -> list[VoiceEntry]:
        """The voices of one model, or of the default model."""

    def providers(self) -> list[ProviderEntry]:
        """What is installed, broken or not."""
