"""The published checkpoints and the families of names, as data."""

from __future__ import annotations

from dataclasses import replace

from open_speech import Capability, Kind, ModelInfo, ModelPattern, ModelSource, Voice

from . import languages
from .configuration import BASE, CUSTOM_VOICE, VOICE_DESIGN, Configuration

FILES = (
    "config.json",
    "generation_config.json",
    "vocab.json",
    "merges.txt",
    "model*.safetensors",
    "speech_tokenizer/config.json",
    "speech_tokenizer/model*.safetensors",
)
"""What is read. Everything else of a repository stays there."""

COMPUTE_TYPES = ("float32", "bfloat16", "float16")
DEVICES = ("cpu", "cuda")
MAX_TEXT_CHARS = 600
"""Longer texts are spoken sentence by sentence: the talker strays in long ones."""


def _voice(name: str, language: str, gender: str) -> Voice:
    others = tuple(tag for tag in languages.ALL if tag != language)
    return Voice(
        id=name.lower(), name=name.replace("_", " "), languages=(language, *others), gender=gender
    )


VOICES: tuple[Voice, ...] = (
    _voice("Ryan", "en", "male"),
    _voice("Aiden", "en", "male"),
    _voice("Vivian", "zh", "female"),
    _voice("Serena", "zh", "female"),
    _voice("Uncle_Fu", "zh", "male"),
    _voice("Dylan", "zh", "male"),
    _voice("Eric", "zh", "male"),
    _voice("Ono_Anna", "ja", "female"),
    _voice("Sohee", "ko", "female"),
)
"""The preset voices, each with the language it is at home in; all speak all. Dylan's Chinese is
that of Beijing, Eric's that of Sichuan."""

_ANY = frozenset({Capability.SEED})
_CAPABILITIES = {
    CUSTOM_VOICE: _ANY | {Capability.INSTRUCTIONS},
    BASE: _ANY | {Capability.VOICE_CLONE},
    VOICE_DESIGN: _ANY | {Capability.INSTRUCTIONS},
}


def _model(
    name: str, kind: str, repository: str, megabytes: int, description: str, *, small: bool = False
) -> ModelInfo:
    size = megabytes * 1_000_000
    capabilities = _CAPABILITIES[kind]
    if small and kind == CUSTOM_VOICE:
        capabilities = _ANY
    return ModelInfo(
        id=name,
        kind=Kind.TTS,
        description=description,
        languages=languages.ALL,
        capabilities=capabilities,
        sample_rate=24_000,
        voices=VOICES if kind == CUSTOM_VOICE else (),
        default_voice="ryan" if kind == CUSTOM_VOICE else None,
        sources=(ModelSource(repo_id=repository, files=FILES, size_bytes=size),),
        size_bytes=size,
        license="Apache-2.0",
        aliases=(repository,),
        devices=DEVICES,
        compute_types=COMPUTE_TYPES,
        max_text_chars=MAX_TEXT_CHARS,
    )


MODELS: tuple[ModelInfo, ...] = (
    _model(
        "qwen3-tts-0.6b",
        CUSTOM_VOICE,
        "Qwen/Qwen3-TTS-12Hz-0.6B-CustomVoice",
        2_498,
        "Qwen3-TTS 0.6B: nine preset voices in ten languages.",
        small=True,
    ),
    _model(
        "qwen3-tts-1.7b",
        CUSTOM_VOICE,
        "Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice",
        4_520,
        "Qwen3-TTS 1.7B: nine preset voices that take instructions, in ten languages.",
    ),
    _model(
        "qwen3-tts-0.6b-base",
        BASE,
        "Qwen/Qwen3-TTS-12Hz-0.6B-Base",
        2_516,
        "Qwen3-TTS 0.6B for voices cloned from a recording.",
        small=True,
    ),
    _model(
        "qwen3-tts-1.7b-base",
        BASE,
        "Qwen/Qwen3-TTS-12Hz-1.7B-Base",
        4_544,
        "Qwen3-TTS 1.7B for voices cloned from a recording.",
    ),
    _model(
        "qwen3-tts-1.7b-design",
        VOICE_DESIGN,
        "Qwen/Qwen3-TTS-12Hz-1.7B-VoiceDesign",
        4_520,
        "Qwen3-TTS 1.7B for voices described in words.",
    ),
)
"""What is offered by name."""


def _family(glob: str, kind: str, *, small: bool = False) -> ModelPattern:
    model = _model("qwen3-tts", kind, "{name}", 1, "A Qwen3-TTS checkpoint.", small=small)
    source = ModelSource(repo_id="{name}", files=FILES)
    return ModelPattern(
        glob=glob, template=replace(model, sources=(source,), size_bytes=None, aliases=())
    )


PATTERNS: tuple[ModelPattern, ...] = (
    # The first one that fits a name counts: the small one goes before the others of its kind.
    _family("*/*Qwen3-TTS-12Hz-0.6B-CustomVoice*", CUSTOM_VOICE, small=True),
    _family("*/*Qwen3-TTS-12Hz-*-CustomVoice*", CUSTOM_VOICE),
    _family("*/*Qwen3-TTS-12Hz-*-VoiceDesign*", VOICE_DESIGN),
    _family("*/*Qwen3-TTS-12Hz-*-Base*", BASE),
)
"""Names that mean a repository of this format; what it has shows when it is loaded."""


def assumed(kind: str) -> ModelInfo:
    """What to assume of a folder on this machine, by what its checkpoint was trained for."""
    return replace(_family("*/*", kind).template, sources=())


def known_from(config: Configuration, info: ModelInfo) -> ModelInfo:
    """The same model, with the voices, languages and capabilities that its checkpoint has."""
    capabilities = _CAPABILITIES[config.kind]
    if not config.takes_instructions:
        capabilities = capabilities - {Capability.INSTRUCTIONS}
    listed = {voice.id: voice for voice in VOICES}
    voices = tuple(listed[name] for name in listed if name in config.speakers) + tuple(
        Voice(id=name) for name in config.speakers if name not in listed
    )
    default = info.default_voice if info.default_voice in config.speakers else None
    return replace(
        info,
        languages=languages.tags(config.language_ids),
        capabilities=capabilities,
        sample_rate=config.sample_rate,
        voices=voices,
        default_voice=default,
    )
