"""What this provider offers: one small engine, under a name for each of its languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from open_speech import (
    Capability,
    Kind,
    LoadContext,
    ModelInfo,
    ModelPattern,
    TokenKind,
    TTSBackend,
    Voice,
)

from .voices import OPENAI_VARIANTS, VARIANTS, VOICES, EspeakVoice

if TYPE_CHECKING:
    from .model import EspeakModel

DEFAULT = VOICES["en-us"]
_OTHERS = tuple(voice for voice in VOICES.values() if voice is not DEFAULT)


def _plain(voice: EspeakVoice) -> Voice:
    return Voice(id=voice.id, name=voice.name, languages=voice.languages, gender="male")


def _timbres(voice: EspeakVoice) -> tuple[Voice, ...]:
    return tuple(
        Voice(
            id=f"{voice.id}+{variant}",
            name=f"{voice.name}, {variant}",
            languages=voice.languages,
            gender=gender,
        )
        for variant, gender in VARIANTS.items()
    )


def _model(default: EspeakVoice, *others: EspeakVoice) -> ModelInfo:
    """The engine with a default voice, that one in every timbre, and other voices."""
    languages = (voice.languages[0] for voice in (default, *others))
    return ModelInfo(
        id=f"espeak/{default.id}",
        kind=Kind.TTS,
        description=f"espeak-ng, {default.name}. Instant and robotic; nothing to download.",
        languages=tuple(dict.fromkeys(languages)),
        capabilities=frozenset({Capability.PITCH, Capability.WORD_TIMESTAMPS}),
        # Measured by its phonemes; everything else is written out for it.
        reads={"en": frozenset({TokenKind.CODE})},
        sample_rate=22_050,
        speeds=(0.6, 1.6),
        voices=(_plain(default), *_timbres(default), *map(_plain, others)),
        default_voice=default.id,
        voice_aliases={name: f"{default.id}+{timbre}" for name, timbre in OPENAI_VARIANTS.items()},
        license="GPL-3.0-or-later",
    )


class EspeakBackend(TTSBackend):
    """espeak-ng inside the process.

    The catalogue holds ``espeak/en-us`` alone, with every language among its voices. The id of
    any other voice makes a model name too: ``espeak/de`` is the engine with German as default.
    """

    name = "espeak"
    patterns = tuple(
        ModelPattern(glob=f"espeak/{voice.id}", template=_model(voice)) for voice in _OTHERS
    )

    def list_available(self) -> list[ModelInfo]:
        """The one model of the catalogue."""
        return [_model(DEFAULT, *_OTHERS)]

    def load(self, model: ModelInfo, context: LoadContext) -> EspeakModel:
        """Load the library once, to find out now whether it speaks."""
        from .model import EspeakModel  # imports the engine

        return EspeakModel(model)
