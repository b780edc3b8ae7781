"""Data about models: what a provider offers, before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a backend does."""

    STT = "stt"
    """Speech to text."""
    TTS = "tts"
    """Text to speech."""


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
    PARTIALS = "partials"
    """Gives unfinished text before a segment is final."""
    ALIGNMENT = "alignment"
    """Finds the times of words that are known beforehand."""
    GRAMMAR = "grammar"
    """Recognises only what a grammar allows."""
    SPEED = "speed"
    """Speaks faster or slower by itself."""
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
    NORMALIZATION = "normalization"
    """Reads numbers, sums of money and dates out by itself."""
    SEED = "seed"
    """Repeats its output for the same seed."""


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


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """Files of one hub repository that a model needs."""

    repo_id: str
    """``organisation/name``; in a pattern's template ``{name}`` stands for the model's name, and
    placeholders of ``ModelPattern.fields`` for its parts, here and in ``files``."""
    revision: str | None = None
    """A pinned commit; None means the newest at the first download."""
    files: tuple[str, ...] = ()
    """File names or glob patterns; empty means every file."""
    size_bytes: int | None = None
    """Expected bytes in all, for showing before the download."""
    key: str = "model"
    """The name under which ``LoadContext.paths`` hands over the folder."""


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What is known of one model without loading it."""

    id: str
    """The name that requests use, without a ``provider:`` prefix or ``@revision``."""
    kind: Kind
    description: str = ""
    languages: tuple[str, ...] = ()
    """BCP-47 tags; empty means unknown."""
    capabilities: frozenset[Capability] = frozenset()
    sample_rate: int = 16000
    """STT: the rate it wants (core resamples to it). TTS: the rate it usually yields."""
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
    devices: tuple[str, ...] = ("cpu",)
    """Devices it can run on, such as ``cpu`` and ``cuda``."""
    compute_types: tuple[str, ...] = ()
    """Number formats it can be loaded with; empty where there is no choice."""
    max_text_chars: int | None = None
    """TTS only: the longest text of one call; core splits longer ones by sentence."""


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
