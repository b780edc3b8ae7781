"""Word times for speech whose engine knows none: by a speech-to-text model that can align."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import aclosing

from .audio import Audio, Word
from .errors import InvalidResult, UnsupportedCapability
from .languages import main_language
from .lease import Lease
from .models import Capability, Kind, ModelInfo
from .resident import ModelState, Resident
from .transcription import Segment, TranscriptionRequest

_PRONOUNCED = re.compile(r"\[([^\[\]]*)\]\(/[^()]*/\)")
"""A word with its pronunciation, as ``Piece.text`` has it."""


def find_aligner(residents: Iterable[Resident], model: ModelInfo, language: str | None) -> Resident:
    """Choose a loaded model that aligns speech of a language; a default one first.

    Raises UnsupportedCapability if none is loaded: times are never guessed.
    """
    able = [
        resident
        for resident in residents
        if resident.state is ModelState.LOADED
        and resident.model.kind is Kind.STT
        and Capability.ALIGNMENT in resident.model.capabilities
        and _hears(resident.model, language)
    ]
    if not able:
        raise _without_times(model, language)
    return max(able, key=lambda resident: (resident.default, resident.last_used))


async def align(lease: Lease, audio: Audio, text: str, language: str | None) -> tuple[Word, ...]:
    """Find when each word of a text is said in its recording.

    Raises what the aligning model raises, InvalidRequest where the two do not fit.
    """
    from .codecs.resample import resample

    text = _PRONOUNCED.sub(r"\1", text)
    sound = await asyncio.to_thread(resample, audio, lease.model.sample_rate)
    # A language that it does not distinguish is left out: there is only one.
    tag = language if len(lease.model.languages) != 1 else None
    request = TranscriptionRequest(audio=sound, language=tag, known_text=text)
    words: list[Word] = []
    async with aclosing(lease.hear(request)) as events:
        async for event in events:
            if isinstance(event, Segment):
                words += event.words
    if len(words) != len(text.split()):
        raise InvalidResult(
            f"The model {lease.model.id!r} aligned {len(words)} words of {len(text.split())}.",
            model=lease.model.id,
            hint="This is a fault of its provider: please report it there.",
        )
    end = audio.seconds
    return tuple(
        Word(text=word.text, start=min(word.start, end), end=min(word.end, end)) for word in words
    )


def check_aligner(aligner: ModelInfo, model: ModelInfo, language: str | None) -> None:
    """Raise UnsupportedCapability unless the aligning model hears what the other one speaks."""
    if not _hears(aligner, language):
        raise _without_times(model, language)


def _without_times(model: ModelInfo, language: str | None) -> UnsupportedCapability:
    return UnsupportedCapability(
        f"The model {model.id!r} tells no word times, and no loaded speech-to-text model can"
        f" find them in {language or 'its language'}.",
        model=model.id,
        param="timestamps",
        hint="Load a speech-to-text model that declares 'alignment', or leave timestamps out.",
    )


def _hears(model: ModelInfo, language: str | None) -> bool:
    if not language or not model.languages:
        return True
    return main_language(language) in map(main_language, model.languages)
