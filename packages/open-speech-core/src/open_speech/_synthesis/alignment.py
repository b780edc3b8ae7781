"""Word times for speech whose engine knows none: by a speech-to-text model that can align."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import aclosing

from .._lifecycle.instance import ModelInstance
from .._lifecycle.lease import Lease
from .._lifecycle.states import ModelState
from .._operations import ALIGN
from .._types.audio import Audio, Word
from .._types.languages import main_language
from .._types.models import ModelInfo
from .._types.transcription import AlignmentRequest, Segment
from ..errors import UnsupportedCapability

_PRONOUNCED = re.compile(r"\[([^\[\]]*)\]\(/[^()]*/\)")
"""A word with its pronunciation, as ``Piece.text`` has it."""


def find_aligner(
    instances: Iterable[ModelInstance], model: ModelInfo, language: str | None
) -> ModelInstance:
    """Choose a loaded model that aligns speech of a language; a default one first.

    Raises UnsupportedCapability if none is loaded: times are never guessed.
    """
    able = [
        instance
        for instance in instances
        if instance.state is ModelState.LOADED
        and instance.host
        and ALIGN.name in instance.host.operations
        and _hears(instance.model, language)
    ]
    if not able:
        raise _without_times(model, language)
    return max(able, key=lambda instance: (instance.default, instance.last_used))


async def align(lease: Lease, audio: Audio, text: str, language: str | None) -> tuple[Word, ...]:
    """Find when each word of a text is said in its recording.

    Raises what the aligning model raises, InvalidRequest where the two do not fit.
    """
    from ..codecs.resample import resample

    text = _PRONOUNCED.sub(r"\1", text)
    sound = await asyncio.to_thread(resample, audio, lease.model.sample_rate)
    # A language that it does not distinguish is left out: there is only one.
    tag = language if len(lease.model.languages) != 1 else None
    request = AlignmentRequest(audio=sound, language=tag, text=text)
    words: list[Word] = []
    async with aclosing(lease.run(ALIGN, request)) as events:
        async for event in events:
            if isinstance(event, Segment):
                words += event.words
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
        f"The model {model.id!r} does not report word times, and no loaded speech-to-text model can"
        f" find them in {language or 'its language'}.",
        model=model.id,
        param="timestamps",
        hint="Load a speech-to-text model that declares 'alignment', or leave timestamps out.",
    )


def _hears(model: ModelInfo, language: str | None) -> bool:
    if not language or not model.languages:
        return True
    return main_language(language) in map(main_language, model.languages)
