"""Faster or slower speech at the same pitch, as it comes (libav's ``atempo``, a WSOLA filter)."""

from __future__ import annotations

import av
import numpy as np
from av.filter import Graph

from open_speech._types.audio import Audio, Samples

__all__ = [
    "Stretcher",
    "stretch",
]


_LOWEST = 0.5
"""The slowest that one filter does well; slower takes two in a row."""
_FRAME = 512
"""Samples that the filter gets at once: it gives out frames as large as those it was given, and
fails for so few that nothing is left of them."""
_SWALLOWED_S = 0.25
_NOTHING: Samples = np.zeros(0, np.float32)


class Stretcher:
    """Changes the pace of one sound, fed in any number of chunks of one rate.

    What comes out has the input's samples divided by ``speed``, to the sample, and lags behind what
    went in by some tens of milliseconds. Not for several threads at once.
    """

    def __init__(self, speed: float) -> None:
        """Prepare for a speed; 2 is twice as fast.

        Raises:
            ValueError: the speed is outside 0.1 to 10.
        """
        if not 0.1 <= speed <= 10:
            raise ValueError(f"a speed of {speed} is not between 0.1 and 10")
        self.speed = speed
        self._graph: Graph | None = None
        self._fed = self._given = self._pushed = 0
        self._waiting = _NOTHING
        self._rate = 0

    def feed(self, audio: Audio) -> Samples:
        """Take the next chunk and return what is ready, possibly nothing."""
        if not len(audio.samples):
            return _NOTHING
        if self._graph is None:
            self._rate = audio.sample_rate
            self._graph = _graph(audio.sample_rate, self.speed)
        self._fed += len(audio.samples)
        samples = np.concatenate([self._waiting, audio.samples])
        whole = len(samples) // _FRAME * _FRAME
        self._waiting = samples[whole:]
        ready = self._passed(self._graph, samples[:whole])
        self._given += len(ready)
        return ready

    def finish(self) -> Samples:
        """Return the rest. Feeding again starts afresh."""
        graph, self._graph = self._graph, None
        if graph is None:
            return _NOTHING
        missing = round(self._fed / self.speed) - self._given
        # The filter swallows its last windows, up to a fifth of a second of what it gives out.
        padding = np.zeros(round(_SWALLOWED_S * self._rate * max(self.speed, 1.0)), np.float32)
        samples = np.concatenate([self._waiting, padding])
        rest = self._passed(graph, samples[: len(samples) // _FRAME * _FRAME])
        graph.push(None)
        rest = np.concatenate([rest, _pull(graph), np.zeros(max(missing, 0), np.float32)])
        self._fed = self._given = self._pushed = 0
        self._waiting = _NOTHING
        return rest[: max(missing, 0)]

    def _passed(self, graph: Graph, samples: Samples) -> Samples:
        parts = []
        for first in range(0, len(samples), _FRAME):
            part = np.ascontiguousarray(samples[None, first : first + _FRAME], np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
            frame.sample_rate = self._rate
            frame.pts = self._pushed
            self._pushed += part.shape[1]
            graph.push(frame)
            parts.append(_pull(graph))
        return np.concatenate([_NOTHING, *parts])


def stretch(audio: Audio, speed: float) -> Samples:
    """The whole of a sound at another pace."""
    stretcher = Stretcher(speed)
    return np.concatenate([stretcher.feed(audio), stretcher.finish()])


def _graph(sample_rate: int, speed: float) -> Graph:
    graph = Graph()
    last = graph.add_abuffer(format="flt", sample_rate=sample_rate, layout="mono")
    for factor in _factors(speed):
        tempo = graph.add("atempo", f"{factor:.6f}")
        last.link_to(tempo)
        last = tempo
    last.link_to(graph.add("abuffersink"))
    graph.configure()
    return graph


def _factors(speed: float) -> list[float]:
    factors = []
    while speed < _LOWEST:
        factors.append(_LOWEST)
        speed /= _LOWEST
    return [*factors, speed]


def _pull(graph: Graph) -> Samples:
    parts: list[Samples] = []
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return np.concatenate(parts) if parts else _NOTHING
        assert isinstance(frame, av.AudioFrame)
        parts.append(frame.to_ndarray()[0].copy())
