"""Silence around pieces of speech: what an engine leaves within one piece, or what was asked for.

Sound is told from silence by level alone, and by one that soft consonants and breath are above. So
nothing that can be heard is cut, and an engine whose silence is noisy is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .._types.audio import Audio, Samples, Word
from .crossfade import Crossfade

SILENT = 0.001
"""The highest sample of silence, in speech at full scale: 60 dB below it."""
LEAD_S = 0.03
"""What stays of the silence before the first sound."""
TAIL_S = 0.15
"""What stays of the silence after the last sound."""
_NOTHING: Samples = np.zeros(0, np.float32)


class Gaps:
    """Joins pieces of speech, with the silence between them that belongs there.

    Sound is passed on as it comes. What is held back is silence of which it is not known yet
    whether sound of the same piece follows, and the few milliseconds that a ``Joiner`` holds.
    """

    def __init__(self, sample_rate: int) -> None:
        """Prepare for a rate; pauses before the first sound are made in it."""
        self._rate = sample_rate
        self._joiner = Crossfade()
        self._pause: int | None = None
        self._waiting = _NOTHING  # silence, with the words that lie in it
        self._words: tuple[Word, ...] = ()
        self._room = 0  # silence still to come before the piece sounds: at the most, or just so
        self._exact = False
        self._silent = SILENT
        self._speed = 1.0
        self._begun = self._sounding = self._sounded = False

    def pause(self, seconds: float) -> None:
        """Have so much silence between what sounds before and what sounds after it."""
        self._pause = (self._pause or 0) + round(seconds * self._rate)

    def begin(self, longest_s: float, level: float = 1.0, speed: float = 1.0) -> list[Audio]:
        """Say that another piece comes; return what can be played until it does.

        Args:
            longest_s: the longest silence that is left before it where there is no pause.
            level: the factor that its samples are multiplied with.
            speed: its pace, which what stays of the silence around all of it follows.
        """
        self._forget_silent_piece()
        lead = round(LEAD_S * self._rate / speed)
        self._speed = speed
        longest = round(longest_s * self._rate) if self._sounded else lead
        total = self._settled(longest)
        # Some room is left for what the piece itself begins with.
        done, given = self._silence(max(total - lead, 0))
        self._room = total - given
        self._silent = SILENT * level
        self._sounding = False
        self._begun = True
        self._joiner.begin()
        return done

    def feed(self, audio: Audio, *, last: bool) -> list[Audio]:
        """Take the next chunk of the piece; return what can be played. ``last``: of all."""
        done = self._at_rate(audio.sample_rate)
        offset = len(self._waiting) / self._rate
        samples = np.concatenate([self._waiting, audio.samples])
        words = (*self._words, *(word.shifted(offset) for word in audio.words))
        loud = np.flatnonzero(np.abs(samples) > self._silent)
        if not len(loud):
            self._waiting, self._words = samples, words
            return done
        first, end = int(loud[0]), int(loud[-1]) + 1
        start = 0
        if not self._sounding:
            start = max(first - self._room, 0)
            done += self._filled(self._room - first if self._exact else 0)
            self._joiner.begin()
        self._waiting, self._words = samples[end:], ()
        heard = _between(words, first if not self._sounding else 0, end, self._rate)
        words = tuple(word.shifted(-start / self._rate) for word in heard)
        self._sounding = self._sounded = True
        spoken = Audio(samples=samples[start:end], sample_rate=self._rate, words=words)
        return done + self._joiner.feed(spoken, last=last)

    def finish(self) -> list[Audio]:
        """Return the rest: nothing follows."""
        self._forget_silent_piece()
        done, _ = self._silence(self._settled(round(TAIL_S * self._rate / self._speed)))
        done += self._joiner.finish()
        if self._words:
            done.append(Audio(samples=_NOTHING, sample_rate=self._rate, words=self._words))
            self._words = ()
        return done

    def _forget_silent_piece(self) -> None:
        """Of a piece that turned out to have no sound, only the pause before it remains."""
        if self._begun and not self._sounding and self._exact:
            self._pause = (self._pause or 0) + self._room
            self._waiting = _NOTHING
        self._words = tuple(replace(word, start=0.0, end=0.0) for word in self._words)

    def _settled(self, longest: int) -> int:
        """Return how much silence follows what was heard, and note whether it is made up."""
        self._exact = self._pause is not None
        total, self._pause = longest if self._pause is None else self._pause, None
        return total

    def _silence(self, count: int) -> tuple[list[Audio], int]:
        """Give out so much silence, at first what was held back; say how much there was."""
        held, self._waiting = self._waiting[:count], _NOTHING
        done = self._joiner.feed(Audio(samples=held, sample_rate=self._rate), last=False)
        missing = count - len(held) if self._exact else 0
        return done + self._filled(missing), len(held) + missing

    def _filled(self, count: int) -> list[Audio]:
        if count <= 0:
            return []
        self._joiner.begin()
        silence = Audio(samples=np.zeros(count, np.float32), sample_rate=self._rate)
        return self._joiner.feed(silence, last=False)

    def _at_rate(self, sample_rate: int) -> list[Audio]:
        """Go on at another rate, which some engines find out while they speak."""
        if sample_rate == self._rate:
            return []
        held, self._waiting = self._waiting, _NOTHING
        done = self._joiner.feed(Audio(samples=held, sample_rate=self._rate), last=False)
        self._room = round(self._room * sample_rate / self._rate)
        self._rate = sample_rate
        return done


def _between(words: Sequence[Word], first: int, end: int, rate: int) -> tuple[Word, ...]:
    """Bring words into a chunk of sound: silence belongs to none."""
    low, high = first / rate, end / rate
    return tuple(
        replace(word, start=min(max(word.start, low), high), end=min(max(word.end, low), high))
        for word in words
    )
