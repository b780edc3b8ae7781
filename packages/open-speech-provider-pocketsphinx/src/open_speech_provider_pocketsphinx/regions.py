"""Finding speech, with the endpointer that the engine brings along (WebRTC's detector)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Endpointer

from open_speech import VoiceActivity

from ._engine import SAMPLE_RATE

DEFAULT = VoiceActivity(threshold=0.25, min_silence_s=0.8, padding_s=0.4)
"""Sensitive; a pause within a sentence does not cut it."""

_WINDOW_S = 0.2
"""What decides between speech and not; the engine's usual 0.3 s misses a lone short word."""

MAX_SECONDS = 20.0
"""The engine decodes one region at a time, so this bounds its memory and what a stop waits for."""


def regions(pcm: NDArray[np.int16], activity: VoiceActivity = DEFAULT) -> Iterator[tuple[int, int]]:
    """Yield first and last sample (excluded) of each region of speech, as they are found.

    Speech apart by less than ``min_silence_s`` is one region, unless that made it longer than
    ``MAX_SECONDS``. Around it lies what is there of ``padding_s``, never another's speech.
    """
    longest, padding = (round(s * SAMPLE_RATE) for s in (MAX_SECONDS, activity.padding_s))
    gap = activity.min_silence_s * SAMPLE_RATE
    found: tuple[int, int] | None = None
    before = 0
    for start, end in _pieces(_speech(pcm, activity.threshold), longest):
        if found and start - found[1] < gap and end - found[0] <= longest:
            found = found[0], end
            continue
        if found:
            yield max(found[0] - padding, before), min(found[1] + padding, start)
            before = found[1]
        found = start, end
    if found:
        yield max(found[0] - padding, before), min(found[1] + padding, len(pcm))


def _speech(pcm: NDArray[np.int16], threshold: float) -> Iterator[tuple[int, int]]:
    """What the endpointer takes for speech; a threshold is one of its four modes."""
    mode = min(int(threshold * 4), 3)
    endpointer = Endpointer(window=_WINDOW_S, vad_mode=mode, sample_rate=SAMPLE_RATE)
    frame = endpointer.frame_bytes // pcm.itemsize
    speaking = False
    # A second of silence behind the end makes it close the last region by itself.
    for position in range(0, len(pcm) + SAMPLE_RATE, frame):
        piece = pcm[position : position + frame]
        endpointer.process(np.pad(piece, (0, frame - len(piece))).tobytes())
        if speaking and not endpointer.in_speech:
            start, end = endpointer.speech_start, endpointer.speech_end
            yield round(start * SAMPLE_RATE), min(round(end * SAMPLE_RATE), len(pcm))
        speaking = endpointer.in_speech


def _pieces(speech: Iterator[tuple[int, int]], longest: int) -> Iterator[tuple[int, int]]:
    """Cut what is too long without a pause."""
    for start, end in speech:
        for position in range(start, end, longest):
            yield position, min(position + longest, end)
