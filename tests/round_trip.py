"""Speak known texts, have them heard, and count the words that came out wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jiwer
import numpy as np

from open_speech import Audio, LoadContext, SpeechRequest
from open_speech.codecs.resample import resample
from open_speech_provider_espeak import EspeakBackend

Hear = Callable[[Audio, str | None], str]
"""From 16 kHz sound and the name of a grammar, or None, to what was understood."""

SENTENCES = (
    "the dinner was cold",
    "my sister lives in london",
    "please give me the blue book",
    "the children play in the garden",
    "he wrote a long letter",
    "we went home by bus",
    "the night was dark and quiet",
    "she wants to learn music",
    "put the money on the table",
    "this road leads to the village",
    "our teacher is never late",
    "they built a wooden bridge",
    "i would like some water",
    "the doctor came at noon",
    "nobody knows his name",
    "a cat sat under the tree",
    "the market opens on monday",
    "he paid with a small coin",
    "the ship left the harbor",
    "winter came early that year",
)
"""Not those by which the provider's settings were chosen."""

DIGITS = (
    "five two six one",
    "zero nine three eight",
    "seven seven one four",
    "two zero five nine",
    "eight six four three",
    "one nine two five",
    "three three seven zero",
    "six one eight two",
    "nine four zero six",
    "four five five one",
    "two eight nine seven",
    "zero zero one three",
    "five four six eight",
    "seven two three nine",
    "one six zero four",
    "eight nine five two",
    "three seven four one",
    "six six nine zero",
    "four one two seven",
    "nine three eight five",
)


@dataclass(frozen=True)
class Result:
    """What was understood of each text, and the share of words that is wrong."""

    heard: tuple[str, ...]
    word_error_rate: float


def understood(
    texts: Sequence[str], sounds: Sequence[Audio], hear: Hear, grammar: str | None = None
) -> Result:
    """Have the sound of each text heard."""
    heard = tuple(hear(sound, grammar) for sound in sounds)
    return Result(heard, jiwer.wer(list(texts), list(heard)))


def spoken(texts: Sequence[str]) -> list[Audio]:
    """Each text as espeak-ng's American voice says it, at 16 kHz."""
    backend = EspeakBackend()
    model = backend.load(backend.list_available()[0], LoadContext())
    requests = [SpeechRequest(text=text, voice="en-us") for text in texts]
    return [resample(_joined(list(model.synthesize(request))), 16_000) for request in requests]


def _joined(chunks: list[Audio]) -> Audio:
    samples = np.concatenate([chunk.samples for chunk in chunks])
    return Audio(samples=samples, sample_rate=chunks[0].sample_rate)
