"""Finding the times of words that are known beforehand.

The model is given the sound and the text. Dynamic time warping over the cross-attention of its
alignment heads, the same that finds word times in a transcription, tells where each token is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
from faster_whisper.audio import pad_or_trim

from open_speech import Samples, Word
from open_speech.errors import InvalidRequest

from ._silence import FRAME, FRAMES_PER_S, Window, sounding
from ._windows import Placed, walk

MAX_SECONDS = 30.0
"""The model hears so much at once."""
MAX_TOKENS = 440
"""The model has 448 places, of which the start and the end of the text take a few."""
PROMPT_TOKENS = 64
"""Of the text that went before a window: enough for its spelling to be kept."""

_FRAMES_PER_TOKEN = 2  # the encoder halves the frames, and a token takes one step at least
_STEPS_PER_S = 50


@dataclass(frozen=True, kw_only=True)
class Aligned:
    """Some of the words, with their times and how likely the model finds their tokens."""

    language: str
    """The model's own code."""
    probability: float | None
    """None where the language was given."""
    placed: Sequence[Placed]


def align(
    whisper: Any,
    samples: Samples,
    words: Sequence[str],
    said: Sequence[str],
    language: str | None,
) -> Iterator[Aligned]:
    """Find when each word is said, ``MAX_SECONDS`` of sound at a time.

    ``said`` is what the model is given for each. Raises InvalidRequest where the text cannot be in
    the sound: none is there, or too little, or it says something else.
    """
    ear = _Ear(whisper, words, said, language)
    for placed in walk(sounding(samples), said, ear, round(MAX_SECONDS * FRAMES_PER_S)):
        yield Aligned(language=ear.language or "", probability=ear.probability, placed=placed)


class _Ear:
    """A model at one text; see ``_windows.Ear``."""

    def __init__(
        self, whisper: Any, words: Sequence[str], said: Sequence[str], language: str | None
    ) -> None:
        self._whisper = whisper
        self._words = words
        self._tokens = [_tokens(whisper, word) for word in said]
        self._window: Window | None = None
        self._encoded: Any = None
        self.language = language
        """Found in the first window where it was not given."""
        self.probability: float | None = None

    def room(self, window: Window, first: int) -> int:
        most, count = _most_tokens(window), 0
        for tokens in self._tokens[first:]:
            if (most := most - len(tokens)) < 0:
                break
            count += 1
        if not count:
            _check(window, len(self._tokens[first]))
        return count

    def heard(self, window: Window, first: int) -> str:
        encoded, start = self._listen(window), _start(self._whisper, self.language)
        before = list(chain.from_iterable(self._tokens[max(first - PROMPT_TOKENS, 0) : first]))
        prompt = [*_marks(self._whisper, "startofprev"), *before[-PROMPT_TOKENS:]] if before else []
        prompt += [*start, *_marks(self._whisper, "notimestamps")]
        (result,) = self._whisper.model.generate(encoded, [prompt], beam_size=1)
        return str(self._whisper.hf_tokenizer.decode(result.sequences_ids[0]))

    def placed(self, window: Window, first: int, last: int) -> Sequence[Placed]:
        tokens = self._tokens[first:last]
        flat = list(chain.from_iterable(tokens))
        _check(window, len(flat))
        encoded, start = self._listen(window), _start(self._whisper, self.language)
        (found,) = self._whisper.model.align(encoded, start, [flat], window.frames)
        steps, placed = _first_steps(found.alignments), list[Placed]()
        edges = accumulate(map(len, tokens), initial=0)
        for word, (begin, end) in zip(self._words[first:last], pairwise(edges), strict=True):
            certain = tuple(map(float, found.text_token_probs[begin:end]))
            timed = _timed(window, word, steps[begin], steps[end], certain)
            placed.append(Placed(word=timed, token_probabilities=certain))
        return placed

    def _listen(self, window: Window) -> Any:
        """Encode a window, and detect the language in the first one."""
        if window is not self._window:
            features = self._whisper.feature_extractor(window.samples)[:, :-1]
            self._encoded, self._window = self._whisper.encode(pad_or_trim(features)), window
        if self.language is None:
            ((mark, probability), *_) = self._whisper.model.detect_language(self._encoded)[0]
            self.language, self.probability = mark[2:-2], float(probability)
        return self._encoded


def _timed(window: Window, word: str, first: int, last: int, certain: Sequence[float]) -> Word:
    start = window.moment(first / _STEPS_PER_S, end=False)
    end = window.moment(last / _STEPS_PER_S, end=True)
    start, end = window.shrunk(start, max(start, end))
    return Word(text=word, start=start, end=end, probability=min(float(np.mean(certain)), 1.0))


def _tokens(whisper: Any, word: str) -> list[int]:
    """Those of one word. They are the same in a text: no token reaches over white space."""
    return list(whisper.hf_tokenizer.encode(f" {word}", add_special_tokens=False).ids)


def _start(whisper: Any, language: str | None) -> list[int]:
    task = [language, "transcribe"] if language and whisper.model.is_multilingual else []
    return _marks(whisper, "startoftranscript", *task)


def _marks(whisper: Any, *names: str) -> list[int]:
    return [whisper.hf_tokenizer.token_to_id(f"<|{name}|>") for name in names]


def _first_steps(pairs: Sequence[tuple[int, int]]) -> list[int]:
    """For each token, and for the end of the text, the first of its steps in time."""
    firsts: dict[int, int] = {}
    for token, step in pairs:
        firsts.setdefault(token, step)
    return [firsts[token] for token in sorted(firsts)]


def _most_tokens(window: Window) -> int:
    return min(MAX_TOKENS, window.frames // _FRAMES_PER_TOKEN)


def _check(window: Window, tokens: int) -> None:
    if not window.frames and not window.loud.any():
        raise _refusal("The recording is silent.", "Send one in which the text is said.")
    if tokens > _most_tokens(window):
        seconds = window.frames * FRAME / 16_000
        where = f" behind the first {window.after:.0f}" if window.after else ""
        raise _refusal(
            f"The text is too long for {seconds:.1f} seconds of sound{where}.",
            "Send the text that is said in the recording, and no other.",
        )


def _refusal(message: str, hint: str) -> InvalidRequest:
    return InvalidRequest(message, param="text", hint=hint)
