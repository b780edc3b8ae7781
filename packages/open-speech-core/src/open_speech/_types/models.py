"""Data about models: what a provider offers, before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from .languages import main_language
from .tokens import TokenKind


class Kind(StrEnum):
    """What a backend does."""

    STT = "stt"
    """Speech to text."""
    TTS = "tts"
    """Text to speech."""
    VAD = "vad"
    """Voice activity: when somebody speaks."""
    TURN = "turn"
    """The end of a turn: whether somebody who pauses has finished."""
    DIARIZATION = "diarization"
    """Diarization: who speaks when."""


class Capability(StrEnum):
    """Something a model can do beyond the plain job; checked by core before the call."""

    TRANSLATION = "translation"
    """Speech in any language to English text."""
    WORD_TIMESTAMPS = "word_timestamps"
    """Times for each word (STT: of segments; TTS: of ``Audio.words``)."""
    LANGUAGE_DETECTION = "language_detection"
    """Finds the language when none is given: any that it knows, or one of those expected."""
    PROMPT = "prompt"
    """Takes preceding text as context."""
    KEYWORDS = "keywords"
    """Takes words to expect."""
    TEMPERATURE = "temperature"
    """Takes a sampling temperature."""
    LOGPROBS = "logprobs"
    """Gives token log-probabilities."""
    VOICE_ACTIVITY = "voice_activity"
    """Skips what is not speech, tunable by request."""
    LISTENING = "listening"
    """Understands sound while it comes in (``STTModel.listen``)."""
    PARTIALS = "partials"
    """Gives unfinished text before a segment is final."""
    ALIGNMENT = "alignment"
    """Finds the times of words that are known beforehand."""
    GRAMMAR = "grammar"
    """Recognises only what a grammar allows."""
    PITCH = "pitch"
    """Speaks higher or lower."""
    INSTRUCTIONS = "instructions"
    """Takes a description of how to speak."""
    VOICE_CLONE = "voice_clone"
    """Speaks in the voice of a recording."""
    VOICE_BLEND = "voice_blend"
    """Mixes voices by weight."""
    PHONEMES = "phonemes"
    """Takes pronunciations inside the text: ``[word](/ipa/)``."""
    PHONEMIZATION = "phonemization"
    """Tells the phonemes of a text (``TTSModel.phonemize``)."""
    SEED = "seed"
    """Repeats its output for the same seed."""
    EMBEDDING = "embedding"
    """Gives a voice as a vector (``DiarizationModel.embed``)."""
    SPEECH_SPANS = "speech_spans"
    """Uses the spans of speech that core detects (``DiarizationRequest.speech``)."""


@dataclass(frozen=True, kw_only=True)
class Voice:
    """A voice that a text-to-speech model speaks with."""

    id: str
    """Unique within its model; what a request names."""
    name: str = ""
    """For people; the id where empty."""
    languages: tuple[str, ...] = ()
    """BCP-47 tags, the main one first."""
    gender: str | None = None
    """``female``, ``male``, ``neutral`` or unknown."""
    gain_db: float = 0.0
    """Decibels that make it as loud as the model's other voices, measured after ITU-R BS.1770."""


@dataclass(frozen=True, kw_only=True)
class PackagedFile:
    """One file of weights that installed packages carry."""

    path: str
    """Its name below the folder that the backend is given."""
    size: int
    """Bytes."""
    sha256: str
    """Of the whole file, in hexadecimal."""
    parts: tuple[str, ...]
    """Where it lies among the files of the packages, as ``some_package/model.bin``; several are
    put together in this order."""


@dataclass(frozen=True, kw_only=True)
class PackagedWeights:
    """Python packages that carry the files of a source: read as data, and never imported."""

    requirements: tuple[str, ...]
    """Every package at the one version that is known, ``name==version``; all have to be there."""
    files: tuple[PackagedFile, ...]
    """All that the backend needs; other files of the packages count for nothing."""


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Files of one hub repository that a model needs, and packages that may carry them instead."""

    repo_id: str
    """``organisation/name``; in a pattern's template ``{name}`` stands for the model's name, and
    placeholders of ``ModelPattern.fields`` for its parts, here and in ``files``."""
    revision: str | None = None
    """A pinned commit; None means the newest at the first download."""
    files: tuple[str, ...] = ()
    """File names or glob patterns; empty means every file."""
    optional: tuple[str, ...] = ()
    """Further file names or patterns; what the repository lacks of them is left out."""
    size_bytes: int | None = None
    """Expected bytes in all, for showing before the download."""
    key: str = "model"
    """The name under which ``LoadContext.paths`` hands over the folder."""
    packaged: PackagedWeights | None = None
    """Packages whose files are used instead of the hub's where they are installed. A model with
    several sources is taken from packages only if all of its sources are there."""


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What is known of one model without loading it."""

    id: str
    """The name that requests use, without a ``provider:`` prefix or ``@revision``."""
    kind: Kind = cast("Kind", None)  # noqa: RUF009 - core sets it before anybody reads it
    """What its backend does: a provider leaves it out, and core fills it in."""
    description: str = ""
    languages: tuple[str, ...] = ()
    """BCP-47 tags; empty means unknown."""
    capabilities: frozenset[Capability] = frozenset()
    sample_rate: int = 16000
    """TTS: the rate it usually yields. All others: the rate it wants (core resamples to it)."""
    voices: tuple[Voice, ...] = ()
    """TTS only."""
    default_voice: str | None = None
    """TTS only; the first of ``voices`` where None."""
    voice_aliases: Mapping[str, str] = field(default_factory=dict)
    """Further names for voices, such as the OpenAI names."""
    sources: tuple[ModelSource, ...] = ()
    """What to download; empty for an embedded model."""
    size_bytes: int | None = None
    """Bytes on disk once downloaded, where known."""
    license: str | None = None
    """SPDX expression of the weights."""
    license_url: str | None = None
    """Where that licence can be read."""
    must_accept_license: bool = False
    """Whether somebody has to accept it, once, before the weights are fetched."""
    aliases: tuple[str, ...] = ()
    """Further names for the model."""
    concurrency: int = 1
    """How many requests a loaded model takes at the same time."""
    same_voice: float = 0.7
    """Diarization only: the cosine similarity from which two of its embeddings are taken for the
    same voice (``Capability.EMBEDDING``)."""
    sessions: int = 8
    """How many calls that are fed while they run a loaded model keeps apart at the same time. They
    take turns, with each other and with other calls, and do not count as ``concurrency``."""
    devices: tuple[str, ...] = ("cpu",)
    """Devices it can run on, such as ``cpu`` and ``cuda``."""
    compute_types: tuple[str, ...] = ()
    """Number formats it can be loaded with; empty where there is no choice."""
    max_text_chars: int | None = None
    """TTS only: the longest text of one call; core splits longer ones by sentence."""
    speeds: tuple[float, float] = (1.0, 1.0)
    """TTS only: the slowest and the fastest speed at which it is understood and right in length, 1
    being the voice's own. Core changes the pace of its sound for speeds beyond."""
    gap_s: float = 0.4
    """TTS only: silence between two sentences that it speaks in one piece. Sentences are spoken one
    by one, and what lies between them beyond that is cut."""
    reads: Mapping[str, frozenset[TokenKind]] = field(default_factory=dict)
    """TTS only: the kinds of token that the engine's own front end reads rightly, by the main part
    of a language's tag; ``*`` is every language that has no entry. These are left to the engine,
    and core writes out the others, in the languages that it has rules for."""

    def read_kinds(self, language: str | None) -> frozenset[TokenKind]:
        """What the engine reads rightly by itself in a language, by its BCP-47 tag."""
        kinds = self.reads.get(main_language(language))
        return self.reads.get("*", frozenset()) if kinds is None else kinds


@dataclass(frozen=True, kw_only=True)
class ModelPattern:
    """A family of model names that a backend claims beyond its catalogue."""

    glob: str
    """Shell-style, matched against the whole name, case-sensitively: ``*/faster-whisper-*``."""
    template: ModelInfo
    """What to assume of a match: its id is replaced by the name, ``{name}`` in sources too."""
    fields: str | None = None
    """How a name that ``glob`` matches is made up, if its parts are wanted in the template:
    ``family/{language}_{region}-{speaker}``. A placeholder stands for one character or more, up to
    the first that is the next literal one, and never for a ``/``; two need a literal between them.
    What it stands for takes its place in the sources and languages of the template. A name that
    is made up in another way is not claimed."""
