"""Finding the times of words that are known beforehand.

The model is given the sound and the text. Dynamic time warping over the cross-attention of its
alignment heads, the same that finds word times in a transcription, tells where each token is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
from faster_whisper.audio import pad_or_trim

from open_speech import Samples, Word
from open_speech.errors import InvalidRequest

from ._silence import FRAME, sounding

MAX_SECONDS = 30.0
"""The model hears so much at once."""
MAX_TOKENS = 440
"""The model has 448 places, of which the start and the end of the text take a few."""

_FRAMES_PER_TOKEN = 2  # the encoder halves the frames, and a token takes one step at least
_STEPS_PER_S = 50


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """Words with their times in seconds, and how likely the model finds their tokens."""

    language: str
    """The model's own code."""
    probability: float | None
    """None where the language was given."""
    words: tuple[Word, ...]
    token_probabilities: tuple[float, ...]


def align(
    whisper: Any, samples: Samples, words: Sequence[str], said: Sequence[str], language: str | None
) -> Aligned:
    """Find when each word is said. ``said`` is what the model is given for each.

    Raises InvalidRequest where the text cannot be in the sound: none is there, or too little.
    """
    sound = sounding(samples)
    frames = len(sound.samples) // FRAME
    tokens = [_tokens(whisper, word) for word in said]
    _check(frames, sum(map(len, tokens)))
    encoded = whisper.encode(pad_or_trim(whisper.feature_extractor(sound.samples)[:, :-1]))
    language, probability = _language(whisper, encoded, language)
    flat = list(chain.from_iterable(tokens))
    (found,) = whisper.model.align(encoded, _start(whisper, language), [flat], frames)
    steps = _first_steps(found.alignments)
    edges = list(accumulate(map(len, tokens), initial=0))
    placed = []
    for word, (first, last) in zip(words, pairwise(edges), strict=True):
        start = sound.moment(steps[first] / _STEPS_PER_S, end=False)
        end = sound.moment(steps[last] / _STEPS_PER_S, end=True)
        start, end = sound.shrunk(start, max(start, end))
        certainty = float(np.mean(found.text_token_probs[first:last]))
        placed.append(Word(text=word, start=start, end=end, probability=min(certainty, 1.0)))
    return Aligned(
        language=language,
        probability=probability,
        words=tuple(placed),
        token_probabilities=tuple(map(float, found.text_token_probs)),
    )


def _tokens(whisper: Any, word: str) -> list[int]:
    """Those of one word. They are the same in a text: no token reaches over white space."""
    return list(whisper.hf_tokenizer.encode(f" {word}", add_special_tokens=False).ids)


def _language(whisper: Any, encoded: Any, given: str | None) -> tuple[str, float | None]:
    if given:
        return given, None
    ((mark, probability), *_) = whisper.model.detect_language(encoded)[0]
    return mark[2:-2], float(probability)


def _start(whisper: Any, language: str) -> list[int]:
    marks = ["startoftranscript"]
    if whisper.model.is_multilingual:
        marks += [language, "transcribe"]
    return [whisper.hf_tokenizer.token_to_id(f"<|{mark}|>") for mark in marks]


def _first_steps(pairs: Sequence[tuple[int, int]]) -> list[int]:
    """For each token, and for the end of the text, the first of its steps in time."""
    firsts: dict[int, int] = {}
    for token, step in pairs:
        firsts.setdefault(token, step)
    return [firsts[token] for token in sorted(firsts)]


def _check(frames: int, tokens: int) -> None:
    seconds = frames * FRAME / 16_000
    if seconds > MAX_SECONDS:
        raise _refusal(
            f"There are {seconds:.0f} seconds of sound, and {MAX_SECONDS:.0f} can be aligned.",
            "Send the recording in parts, each with its text.",
        )
    if not frames:
        raise _refusal("The recording is silent.", "Send one in which the text is said.")
    if tokens > min(MAX_TOKENS, frames // _FRAMES_PER_TOKEN):
        raise _refusal(
            f"The text is too long for {seconds:.1f} seconds of sound.",
            "Send the text that is said in the recording, and no other.",
        )


def _refusal(message: str, hint: str) -> InvalidRequest:
    return InvalidRequest(message, param="known_text", hint=hint)
