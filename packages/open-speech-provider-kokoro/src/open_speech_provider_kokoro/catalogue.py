"""What is offered, as data."""

from __future__ import annotations

from open_speech import Capability, Kind, ModelInfo, ModelSource

from .voices import DEFAULT, LANGUAGES, OPENAI_ALIASES, VOICES

REPOSITORY = "hexgrad/Kokoro-82M"
"""The official weights, and the only ones that are fetched."""
WEIGHTS = "kokoro-v1_0.pth"
CONFIG = "config.json"
TAGGER = "tagger"
"""The key of the source that tells parts of speech apart."""

_WEIGHTS_BYTES = 327_212_226
_VOICE_BYTES = 523_425
_TAGGER_FILES = (
    "config.cfg",
    "meta.json",
    "tokenizer",
    "vocab/*",
    "tok2vec/*",
    "tagger/*",
)
"""Of a spaCy pipeline, the parts that ``misaki.en`` enables; its repository holds the files of
the wheel unpacked (``push`` of spacy-huggingface-hub does that), and lookups, parser and names
stay where they are."""
_TAGGER_BYTES = 8_000_000

KOKORO = ModelInfo(
    id="kokoro",
    kind=Kind.TTS,
    description="Kokoro 82M: small, fast on a CPU, natural; nine languages.",
    languages=tuple(dict.fromkeys(language.tag for language in LANGUAGES.values())),
    capabilities=frozenset(
        {
            Capability.PHONEMES,
            Capability.PHONEMIZATION,
            Capability.SEED,
            Capability.VOICE_BLEND,
            Capability.WORD_TIMESTAMPS,
        }
    ),
    # Nothing in ``reads``: no kind is read rightly throughout (bench/front_ends.py) but decades,
    # and those only with the tagger.
    sample_rate=24_000,
    speeds=(0.8, 1.4),  # slower, its sentences grow up to 3% too long
    gap_s=0.32,
    voices=VOICES,
    default_voice=DEFAULT,
    voice_aliases=OPENAI_ALIASES,
    sources=(
        ModelSource(
            repo_id=REPOSITORY,
            files=(CONFIG, WEIGHTS, "voices/*.pt"),
            size_bytes=_WEIGHTS_BYTES + len(VOICES) * _VOICE_BYTES,
        ),
        ModelSource(
            repo_id="spacy/en_core_web_sm",
            files=_TAGGER_FILES,
            size_bytes=_TAGGER_BYTES,
            key=TAGGER,
        ),
    ),
    size_bytes=_WEIGHTS_BYTES + len(VOICES) * _VOICE_BYTES + _TAGGER_BYTES,
    license="Apache-2.0",
    aliases=(REPOSITORY, "Kokoro-82M", "onnx-community/Kokoro-82M-v1.0-ONNX"),
    devices=("cpu", "cuda"),
    compute_types=("float32",),
)
"""The one model."""
