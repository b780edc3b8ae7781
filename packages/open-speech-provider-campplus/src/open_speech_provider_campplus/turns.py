"""Turns out of windows: what overlapping windows say of each moment, put together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from open_speech import SpeakerTurn

from .clustering import NOBODY, Labels
from .recording import FIRST_S, FRAME_S, Speech, Window

PAUSE_S = 0.4
"""A speaker who pauses for no longer than that goes on."""
SHORTEST_S = 0.15
"""Shorter turns are noise."""
REACH_S = 1.0
"""A speaker may speak for so long before and after the networks hear it, where core says that
somebody does: whispers and speech in music are often heard by its voice activity model alone."""
_MOST_VOTES = 100
"""Of a window's middle; twice as much has to go into eight bits."""


def turns(
    windows: Sequence[Window], labels: Sequence[Labels], speech: Speech = None
) -> list[SpeakerTurn]:
    """The turns of a recording, ordered by where they begin.

    ``labels`` says for each window who speaks in its pieces, ``speech`` where somebody speaks at
    all.
    """
    people = max((int(each.max(initial=NOBODY)) for each in labels), default=NOBODY) + 1
    if not people:
        return []
    speaks = _speaks(windows, labels, people)
    if speech is not None:
        _fill(speaks, speech)
    found = sorted(
        (start, end, person)
        for person in range(people)
        for start, end in _stretches(speaks[person])
    )
    return [SpeakerTurn(start=start, end=end, speaker=person) for start, end, person in found]


def _speaks(windows: Sequence[Window], labels: Sequence[Labels], people: int) -> NDArray[np.bool_]:
    """Whether each person speaks in each frame, ``(people, frames)``.

    Where windows overlap each votes, the more the nearer its middle is. As many people speak as
    voices are heard on average, and those who get most votes.
    """
    frames = max(window.first + window.frames for window in windows)
    votes = np.zeros((people, frames), np.uint8)
    voters, voices = np.zeros(frames, np.uint8), np.zeros(frames, np.uint16)
    for window, who in zip(windows, labels, strict=True):
        weight = _weights(window.frames)
        voters[window.first : window.first + window.frames] += weight
        heard = np.zeros((people, window.frames), np.bool_)
        for piece, person in zip(window.pieces, who, strict=True):
            if person != NOBODY:
                heard[person, piece.first : piece.after] = True
        place = slice(window.first, window.first + window.frames)
        votes[:, place] += heard * weight
        voices[place] += heard.sum(axis=0, dtype=np.uint16) * weight
    count = (2 * voices.astype(np.uint32) + voters) // np.maximum(2 * voters.astype(np.uint32), 1)
    found = np.zeros(votes.shape, np.bool_)
    # Three people at a time are more than a window knows.
    left = votes
    for number in range(1, min(3, people) + 1):
        first = left.argmax(axis=0)
        chosen = (count >= number) & (left.max(axis=0) > 0)
        at = np.flatnonzero(chosen)
        found[first[at], at] = True
        left[first[at], at] = 0
    return found


def _fill(speaks: NDArray[np.bool_], speech: Sequence[tuple[float, float]]) -> None:
    """Let those speak on who are nearest where somebody speaks and nobody is heard."""
    frames, reach = speaks.shape[1], round(REACH_S / FRAME_S)
    anybody = np.asarray(speaks.any(axis=0))
    for start, end in speech:
        low = max(0, round((start - FIRST_S) / FRAME_S))
        high = min(frames, round((end - FIRST_S) / FRAME_S))
        heard = anybody[low:high]
        if heard.all() or not heard.any():
            continue
        edges = np.flatnonzero(np.diff(np.concatenate([[True], heard, [True]])))
        for first, after in edges.reshape(-1, 2) + low:
            middle = (first + after) // 2 if low < first and after < high else None
            until = (after if middle is None else middle) if first > low else first
            if first > low:
                speaks[:, first : min(until, first + reach)] |= speaks[:, first - 1 : first]
            since = until if first > low else first
            if after < high:
                speaks[:, max(since, after - reach) : after] |= speaks[:, after : after + 1]


def _weights(frames: int) -> NDArray[np.uint8]:
    """How much each frame of a window counts."""
    rising = np.arange(1, frames + 1)
    height = np.minimum(rising, rising[::-1]) / ((frames + 1) / 2)
    return np.ceil(_MOST_VOTES * height).astype(np.uint8)


def _stretches(speaks: NDArray[np.bool_]) -> Iterator[tuple[float, float]]:
    """Start and end in seconds of each stretch, short pauses filled and blips dropped."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], speaks, [False]])))
    begin, last = None, 0.0
    for first, after in edges.reshape(-1, 2):
        start = max(0.0, FIRST_S + (first - 0.5) * FRAME_S)
        end = FIRST_S + (after - 0.5) * FRAME_S
        if begin is not None and start - last > PAUSE_S:
            if last - begin >= SHORTEST_S:
                yield begin, last
            begin = None
        begin, last = start if begin is None else begin, end
    if begin is not None and last - begin >= SHORTEST_S:
        yield begin, last
