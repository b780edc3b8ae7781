"""A recording as it comes in: windows of ten seconds, and the voices that are heard in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from open_speech import Audio

from . import features, segmentation
from .encoder import SIZE, Encoder
from .segmentation import FIELD, RATE, VOICES, Segmentation, frame_count
from .weights import Array

DATA = Path(__file__).parent / "data"
WINDOW = 10 * RATE
"""Samples of a window; the segmentation was trained on as many."""
STEP = 297 * segmentation.STEP
"""Samples from one window to the next: five seconds, in whole frames."""
FRAME_S = segmentation.STEP / RATE
FIRST_S = FIELD / 2 / RATE
"""The middle of the first frame."""
LEAST_S = 0.5
"""A voice is described by no less speech than that."""
_LEAST_ENERGIES = 30
"""Frames of log-mel energies that a piece is described by at least: 0.3 s."""
_LONGEST = 140
"""Frames of a piece: 2.4 s. Longer ones are cut..."""
_SHORTEST = 45
"""...into pieces of no less than 0.75 s."""
_BRIDGED = 5
"""Frames of a pause that parts nothing: 0.08 s."""
_TOGETHER = 8
"""Windows that go through the segmentation at once, which is little slower than one alone."""
_FAINT = 1e-4
"""Root mean square below which a window is silent, -80 dB of full scale."""
_MARGIN_S = 0.25
"""Around the stretches that core says are speech: voice activity is cut close."""

Speech = Sequence[tuple[float, float]] | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A stretch of one voice of a window: a word or a few, and one person, it is hoped."""

    voice: int
    """Of the three that the segmentation tells apart within the window."""
    first: int
    """Frame of the window that it begins with."""
    after: int
    vector: Array
    """Its description, ``(192,)``, of length 1; zeros where there is none."""
    seconds: float
    """Seconds of speech behind the vector; 0 if there is no vector."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """What is kept of ten seconds of sound: some kilobytes."""

    first: int
    """The frame of the recording that it begins with."""
    frames: int
    pieces: tuple[Piece, ...]
    """Ordered by voice, then by time."""


class Ears:
    """The two networks. Thread-safe."""

    def __init__(self, folder: Path = DATA) -> None:
        self._segmentation = Segmentation(folder / "segmentation.safetensors")
        self._encoder = Encoder(folder / "campplus.safetensors")

    def windows(self, sound: Iterator[Audio], speech: Speech) -> Iterator[Window | None]:
        """Listen to a recording; None now and then where there is no window yet.

        No more sound is kept than goes through the segmentation at once.
        """
        waiting: list[tuple[int, Array]] = []
        for first, samples in _cut(sound):
            if _is_silent(first, samples, speech):
                continue
            # The last window may be shorter than the others, and is heard by itself then.
            if len(waiting) == _TOGETHER or (waiting and len(waiting[0][1]) != len(samples)):
                yield from self._heard(waiting, speech)
                waiting = []
            waiting.append((first, samples))
        if waiting:
            yield from self._heard(waiting, speech)

    def voice(self, samples: Array) -> tuple[Array, float]:
        """A recording of one speaker as a vector, and the seconds of speech that it is made of.

        Without half a second of speech the vector is zeros.
        """
        energies = features.log_mel(samples)
        spoken = np.zeros(len(energies), np.bool_)
        for first in range(0, len(samples), WINDOW):
            piece = _filled(samples[first : first + WINDOW])
            if _rms(piece) < _FAINT:
                continue
            speaks = self._segmentation.voices(piece[None])[0].any(axis=1)
            start = first // features.STEP
            part = spoken[start : start + WINDOW // features.STEP]
            part |= speaks[_frames_of(len(part), len(speaks))]
        seconds = float(spoken.sum() * features.STEP / RATE)
        if seconds < LEAST_S:
            return np.zeros(SIZE, np.float32), 0.0
        return self._encoder.vector(energies[spoken]), seconds

    def _heard(self, waiting: list[tuple[int, Array]], speech: Speech) -> Iterator[Window | None]:
        heard = self._segmentation.voices(np.stack([samples for _, samples in waiting]))
        yield None
        for (first, samples), voices in zip(waiting, heard, strict=True):
            spoken = voices
            if speech is not None:
                spoken = voices & _is_speech(first, len(voices), speech)[:, None]
            if spoken.any():
                yield self._described(first, samples, spoken)

    def _described(self, first: int, samples: Array, voices: NDArray[np.bool_]) -> Window:
        energies = features.log_mel(samples)
        at = _frames_of(len(energies), len(voices))
        loudness = _loudness(energies, at, len(voices))
        alone = voices.sum(axis=1) == 1
        pieces = []
        for voice in range(VOICES):
            for start, after in _pieces(voices[:, voice], loudness):
                chosen = (at >= start) & (at < after)
                heard = chosen & alone[at]
                if heard.sum() >= _LEAST_ENERGIES:
                    vector = self._encoder.vector(energies[heard])
                    seconds = float(heard.sum() * features.STEP / RATE)
                else:
                    vector, seconds = np.zeros(SIZE, np.float32), 0.0
                pieces.append(
                    Piece(voice=voice, first=start, after=after, vector=vector, seconds=seconds)
                )
        return Window(first=first // segmentation.STEP, frames=len(voices), pieces=tuple(pieces))


def _pieces(speaks: NDArray[np.bool_], loudness: Array) -> Iterator[tuple[int, int]]:
    """Cut a voice into pieces: at its pauses, and where it is faintest if it goes on.

    The segmentation often takes two alike voices for one. They are told apart by their pieces.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speaks, [False]]))).tolist()
    runs: list[tuple[int, int]] = []
    for start, after in zip(edges[::2], edges[1::2], strict=True):
        if runs and start - runs[-1][1] <= _BRIDGED:
            runs[-1] = (runs[-1][0], after)
        else:
            runs.append((start, after))
    for start, after in runs:
        yield from _parts(start, after, loudness)


def _parts(start: int, after: int, loudness: Array) -> Iterator[tuple[int, int]]:
    if after - start <= _LONGEST:
        yield start, after
        return
    cut = start + _SHORTEST + int(loudness[start + _SHORTEST : after - _SHORTEST].argmin())
    yield from _parts(start, cut, loudness)
    yield from _parts(cut, after, loudness)


def _loudness(energies: Array, at: NDArray[np.intp], frames: int) -> Array:
    """How loud each frame of the segmentation is, a little smoothed."""
    sums = np.bincount(at, energies.mean(axis=1), frames)
    mean = sums / np.maximum(np.bincount(at, minlength=frames), 1)
    return np.convolve(mean, np.full(5, 0.2), "same").astype(np.float32)


def _cut(sound: Iterator[Audio]) -> Iterator[tuple[int, Array]]:
    """Windows with the sample that each begins with; the last one ends with the recording."""
    held, count, start = np.zeros(WINDOW, np.float32), 0, 0
    again = WINDOW - STEP
    for audio in sound:
        samples = audio.samples
        while len(samples):
            taken = samples[: WINDOW - count]
            samples = samples[len(taken) :]
            held[count : count + len(taken)] = taken
            count += len(taken)
            if count == WINDOW:
                yield start, held.copy()
                held[:again] = held[STEP:].copy()
                start, count = start + STEP, again
    fresh = count - again if start else count
    if fresh:
        yield start, _filled(held[:count])


def _filled(samples: Array) -> Array:
    """A window of at least a second, with silence at its end if it has to be."""
    return np.pad(samples, (0, max(0, RATE - len(samples))))


def _is_silent(first: int, samples: Array, speech: Speech) -> bool:
    if _rms(samples) < _FAINT:
        return True
    return speech is not None and not _is_speech(first, frame_count(len(samples)), speech).any()


def _rms(samples: Array) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if len(samples) else 0.0


def _is_speech(first: int, frames: int, speech: Sequence[tuple[float, float]]) -> NDArray[np.bool_]:
    """Whether core says that somebody speaks in each frame of a window."""
    found = np.zeros(frames, np.bool_)
    origin = first / RATE + FIRST_S
    for start, end in speech:
        low = round((start - _MARGIN_S - origin) / FRAME_S)
        high = round((end + _MARGIN_S - origin) / FRAME_S)
        found[max(0, low) : max(0, high)] = True
    return found


def _frames_of(energies: int, frames: int) -> NDArray[np.intp]:
    """The frame of the segmentation in whose middle each frame of log-mel energies lies."""
    middles = np.arange(energies) * features.STEP + features.WINDOW / 2
    nearest = np.round((middles - FIELD / 2) / segmentation.STEP).astype(np.intp)
    return np.clip(nearest, 0, frames - 1)
