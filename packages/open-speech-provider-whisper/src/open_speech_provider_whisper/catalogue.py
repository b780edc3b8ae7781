"""The published models and the families of names, as data.

Sizes are those of the weights as published, two bytes for each of the parameters that the models'
cards count, and of some three megabytes of tokenizer.
"""

from __future__ import annotations

from dataclasses import replace

from open_speech import Capability, Kind, ModelInfo, ModelPattern, ModelSource

from .languages import ALL, BEFORE_LARGE_V3
from .packages import PACKAGED

FILES = ("*config.json", "model.bin", "tokenizer.json", "vocabulary.*")
"""What the engine reads. ``preprocessor_config.json`` is not in every repository, hence the star:
each pattern has to be met by at least one file."""

COMPUTE_TYPES = (
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
)
"""What CTranslate2 knows; which of them a device has shows when the model is loaded."""

_MB = 1_000_000
_TOKENIZER = 3 * _MB
_ENGLISH = ("en",)
_ANY = frozenset(
    {
        Capability.ALIGNMENT,
        Capability.KEYWORDS,
        Capability.LOGPROBS,
        Capability.PROMPT,
        Capability.TEMPERATURE,
        Capability.VOICE_ACTIVITY,
        Capability.WORD_TIMESTAMPS,
    }
)
_LISTENS = _ANY | {Capability.LANGUAGE_DETECTION}
_TRANSLATES = _LISTENS | {Capability.TRANSLATION}


def english_only(info: ModelInfo) -> ModelInfo:
    """The same model, where it turns out to know English alone."""
    return replace(info, languages=_ENGLISH, capabilities=info.capabilities & _ANY)


def _model(
    repository: str,
    parameters: float,
    description: str,
    languages: tuple[str, ...] = BEFORE_LARGE_V3,
    capabilities: frozenset[Capability] = _TRANSLATES,
) -> ModelInfo:
    size = round(parameters * 2) * _MB + _TOKENIZER
    return ModelInfo(
        id=repository,
        kind=Kind.STT,
        description=description,
        languages=languages,
        capabilities=capabilities,
        sources=(
            ModelSource(
                repo_id=repository,
                files=FILES,
                size_bytes=size,
                packaged=PACKAGED.get(repository),
            ),
        ),
        size_bytes=size,
        license="MIT",
        aliases=(repository.partition("/")[2],),
        devices=("cpu", "cuda"),
        compute_types=COMPUTE_TYPES,
    )


def _english(repository: str, parameters: float, description: str) -> ModelInfo:
    return _model(repository, parameters, description, _ENGLISH, _ANY)


MODELS: tuple[ModelInfo, ...] = (
    _model("Systran/faster-whisper-tiny", 37.8, "Whisper tiny: the fastest, for simple speech."),
    _english("Systran/faster-whisper-tiny.en", 37.8, "Whisper tiny for English."),
    _model("Systran/faster-whisper-base", 72.6, "Whisper base: small and fast."),
    _english("Systran/faster-whisper-base.en", 72.6, "Whisper base for English."),
    _model("Systran/faster-whisper-small", 241.7, "Whisper small: good on a CPU."),
    _english("Systran/faster-whisper-small.en", 241.7, "Whisper small for English."),
    _model("Systran/faster-whisper-medium", 763.9, "Whisper medium."),
    _english("Systran/faster-whisper-medium.en", 763.9, "Whisper medium for English."),
    _model("Systran/faster-whisper-large-v1", 1543.3, "Whisper large, first version."),
    _model("Systran/faster-whisper-large-v2", 1543.3, "Whisper large, second version."),
    _model("Systran/faster-whisper-large-v3", 1543.5, "Whisper large, third version.", ALL),
    _english("Systran/faster-distil-whisper-small.en", 166.0, "Distil-Whisper small, English."),
    _english("Systran/faster-distil-whisper-medium.en", 394.0, "Distil-Whisper medium, English."),
    _english("Systran/faster-distil-whisper-large-v2", 756.0, "Distil-Whisper large v2, English."),
    _english("Systran/faster-distil-whisper-large-v3", 756.4, "Distil-Whisper large v3, English."),
    _english("distil-whisper/distil-large-v3.5-ct2", 756.4, "Distil-Whisper large v3.5, English."),
    _model(
        "deepdml/faster-whisper-large-v3-turbo-ct2",
        808.9,
        "Whisper large v3 turbo: nearly as good as large, several times as fast.",
        ALL,
        _LISTENS,
    ),
    _model(
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        808.9,
        "Whisper large v3 turbo: nearly as good as large, several times as fast.",
        ALL,
        _LISTENS,
    ),
)
"""What is offered by name."""


def _family(
    glob: str, languages: tuple[str, ...], capabilities: frozenset[Capability]
) -> ModelPattern:
    return ModelPattern(
        glob=glob,
        template=ModelInfo(
            id="whisper",
            kind=Kind.STT,
            description="A Whisper model in CTranslate2's format.",
            languages=languages,
            capabilities=capabilities,
            sources=(ModelSource(repo_id="{name}", files=FILES),),
            devices=("cpu", "cuda"),
            compute_types=COMPUTE_TYPES,
        ),
    )


PATTERNS: tuple[ModelPattern, ...] = (
    # The first one that fits a name counts: what knows less goes before what knows all.
    _family("*/faster-*whisper-*.en", _ENGLISH, _ANY),
    _family("*/*whisper*.en-ct2*", _ENGLISH, _ANY),
    _family("*/faster-whisper-*turbo*", ALL, _LISTENS),
    _family("*/*whisper*turbo*ct2*", ALL, _LISTENS),
    _family("*/faster-distil-whisper-*", ALL, _LISTENS),
    _family("*/*distil-*whisper*ct2*", ALL, _LISTENS),
    _family("*/faster-whisper-*", ALL, _TRANSLATES),
    _family("*/*whisper*ct2*", ALL, _TRANSLATES),
    _family("*/*whisper*ctranslate2*", ALL, _TRANSLATES),
)
"""Names that mean a repository of the right format; what it knows shows when it is loaded."""

LOCAL = _family("*", ALL, _TRANSLATES).template
"""What to assume of a folder on this machine."""
