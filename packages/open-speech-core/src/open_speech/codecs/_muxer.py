"""Compressed sound out through libav (PyAV), piece by piece."""

from __future__ import annotations

from typing import cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import Flags

from open_speech._types.audio import Samples

from .formats import Format


class _Sink:
    """Where libav writes to. It cannot seek, so libav writes nothing that it would go back to."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def write(self, data: bytes) -> int:
        self._buffer += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self._buffer)
        self._buffer.clear()
        return data


class Muxer:
    """An encoder with its container, writing to memory that is emptied at every call."""

    def __init__(self, form: Format, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._position = 0
        self._sink = _Sink()
        self._container = av.open(
            self._sink, mode="w", format=form.muxer, container_options={**form.options}
        )
        # Send each packet on at once; write no version strings and no random serial numbers.
        self._container.flags |= cast(int, (Flags.flush_packets | Flags.bitexact).value)
        self._stream = cast(AudioStream, self._container.add_stream(form.codec, rate=sample_rate))
        self._stream.layout = "mono"
        self._stream.format = form.sample_format
        if form.bit_rate:
            self._stream.bit_rate = form.bit_rate
        self._container.start_encoding()

    def write(self, samples: Samples) -> bytes:
        """Encode float32 samples in [-1, 1]; returns what is complete, possibly nothing."""
        if len(samples):
            frame = AudioFrame.from_ndarray(samples[np.newaxis], format="fltp", layout="mono")
            frame.sample_rate = self._sample_rate
            frame.pts = self._position
            self._position += len(samples)
            self._container.mux(self._stream.encode(frame))
        return self._sink.take()

    def close(self) -> bytes:
        """Encode what is left and end the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._sink.take()
