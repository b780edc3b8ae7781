"""What this provider offers, and how it is loaded."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from open_speech import LoadContext, ModelInfo, TTSBackend
from open_speech.errors import ModelLoadFailed

from .catalogue import KOKORO
from .voices import DEFAULT, VOICES

if TYPE_CHECKING:
    from .model import KokoroModel

_VOICE = re.compile(r"[abefhijpz][fm]_[a-z0-9_]{1,40}")


class KokoroBackend(TTSBackend):
    """Kokoro from its official weights."""

    name = "kokoro"

    def list_available(self) -> list[ModelInfo]:
        """The one model."""
        return [KOKORO]

    def inspect(self, path: Path) -> ModelInfo | None:
        """Recognise a folder with the official files, and the voices that are in it."""
        from ._weights import is_kokoro

        if not is_kokoro(path):
            return None
        there = {file.stem for file in path.glob("voices/*.pt") if _VOICE.fullmatch(file.stem)}
        voices = tuple(voice for voice in VOICES if voice.id in there)
        if not voices:
            return None
        default = DEFAULT if DEFAULT in there else voices[0].id
        aliases = {alias: voice for alias, voice in KOKORO.voice_aliases.items() if voice in there}
        return replace(
            KOKORO,
            id=path.name,
            aliases=(),
            sources=(),
            voices=voices,
            default_voice=default,
            voice_aliases=aliases,
        )

    def load(self, model: ModelInfo, context: LoadContext) -> KokoroModel:
        """Load from a folder; nothing is ever fetched.

        Raises ModelLoadFailed for files that are not what they should be, InvalidRequest for a
        device or a setting that is not supported.
        """
        folder = context.paths.get("model")
        if folder is None or not folder.is_dir():
            raise ModelLoadFailed(
                f"There is no folder with the model {model.id}.",
                model=model.id,
                hint="Download the model, or give the folder of the official files.",
            )
        from .model import KokoroModel

        return KokoroModel(model, folder, context)
