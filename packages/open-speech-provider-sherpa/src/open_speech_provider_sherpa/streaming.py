"""A model that understands sound while it comes in, with the engine's own ends of utterances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from open_speech import (
    Audio,
    Flush,
    Flushed,
    ListeningEvent,
    LoadContext,
    ModelInfo,
    Partial,
    Samples,
    Segment,
    STTModel,
    TranscriptionEvent,
    TranscriptionRequest,
)
from open_speech.errors import ModelNotReady

from . import languages
from .engine import SAMPLE_RATE, OnlineEngine, OnlineStream, contiguous
from .layout import Layout
from .offline import SHORTEST_S, cores, known, with_logprobs
from .settings import OF_REQUESTS, STREAMING, checked
from .words import words

PIECE_S = 0.1
"""Sound is handed to the engine in pieces of this length."""
_FRAME_S = 0.01
_TAIL_S = 1.0  # where a model does not say how far it looks ahead


class StreamingModel(STTModel):
    """A loaded model; each session has a stream of its own."""

    def __init__(self, info: ModelInfo, layout: Layout, context: LoadContext) -> None:
        """Load from files that were checked."""
        settings = checked(context.options, STREAMING)
        self._engine: OnlineEngine | None = OnlineEngine(layout, cores(context.threads), settings)
        self._info = known(info, layout)
        self._tail = np.zeros(round(tail_s(layout.metadata) * SAMPLE_RATE), np.float32)

    @property
    def info(self) -> ModelInfo:
        """What the files can do, whatever was expected of their name."""
        return self._info

    def transcribe(self, request: TranscriptionRequest) -> Iterator[TranscriptionEvent | None]:
        """Yield a segment for each utterance that the engine finds, with partials if wanted."""
        if request.audio.seconds < SHORTEST_S:
            self._stream(request)  # a closed model or a strange language is an error all the same
            return
        for event in self.listen(request, iter([request.audio, Flush()])):
            if isinstance(event, Flushed) or (isinstance(event, Partial) and not request.partials):
                yield None
            else:
                yield event

    def listen(
        self, request: TranscriptionRequest, sound: Iterator[Audio | Flush]
    ) -> Iterator[ListeningEvent | None]:
        """Yield partial text as the engine decodes, and a segment where an utterance ends.

        That is where the engine finds it (``Flushed(unasked=True)``), or behind a ``Flush``.
        """
        utterance = _Utterance(self._stream(request), request, 0.0)
        for item in sound:
            if isinstance(item, Flush):
                yield from utterance.flush(self._tail)
                yield Flushed()
                utterance = _Utterance(self._stream(request), request, utterance.position)
            else:
                for piece in _pieces(contiguous(item.samples)):
                    yield from utterance.hear(piece)
        yield from utterance.flush(self._tail)

    def close(self) -> None:
        """Free the weights."""
        self._engine = None

    def _stream(self, request: TranscriptionRequest) -> OnlineStream:
        if self._engine is None:
            raise ModelNotReady(f"The model {self._info.id} was closed.", model=self._info.id)
        checked(request.options, OF_REQUESTS["streaming"])
        expected = request.language or next(iter(request.languages), None)
        language = languages.chosen(self._info, expected)
        return self._engine.stream(request.keywords, language)


class _Utterance:
    """What is being said, from where the stream of the engine begins."""

    def __init__(self, stream: OnlineStream, request: TranscriptionRequest, since: float) -> None:
        self._stream = stream
        self._request = request
        self._since = since
        """Seconds of all sound before this stream."""
        self.position = since
        """Seconds of all sound that was fed."""
        self._shown = ""
        self._began = self._latest = since
        """Where the text was first seen and last changed, for models that tell no times."""

    def hear(self, piece: Samples) -> Iterator[ListeningEvent | None]:
        """Take in a piece of sound, and yield what comes of it."""
        self._stream.feed(piece)
        self.position += len(piece) / SAMPLE_RATE
        for _ in self._stream.steps():
            yield self._partial()
            if self._stream.is_over():
                segment = self._segment()
                self._stream.reset()
                self._shown = ""
                if segment:
                    yield segment
                    yield Flushed(unasked=True)

    def flush(self, tail: Samples) -> Iterator[ListeningEvent | None]:
        """Decode what the engine still waits to see the end of; it cannot hear more afterwards."""
        if self.position - self._since < SHORTEST_S:
            return  # it would make something of the silence alone
        self._stream.feed(tail)
        self._stream.end()
        for _ in self._stream.steps():
            yield None
        segment = self._segment()
        if segment:
            yield segment

    def _partial(self) -> Partial | None:
        text = self._stream.heard().text
        if text == self._shown:
            return None
        if not self._shown:
            self._began = max(self._latest, self.position - PIECE_S)
        self._shown, self._latest = text, self.position
        return Partial(text=text)

    def _segment(self) -> Segment | None:
        heard = self._stream.heard()
        if not heard.text:
            return None
        if heard.text != self._shown:
            self._latest = self.position
        length = self.position - self._since
        found = words(heard.text, heard.tokens, length)
        start = self._since + min(heard.tokens[0].start, length) if found else self._began
        segment = Segment(
            text=heard.text,
            start=start,
            end=max(start, self._since + found[-1].end if found else self._latest),
            words=tuple(word.shifted(self._since) for word in found)
            if self._request.word_timestamps
            else (),
        )
        return with_logprobs(segment, heard, wanted=self._request.logprobs)


def tail_s(metadata: Mapping[str, str]) -> float:
    """How much silence makes the engine decode all that it was fed: what it looks at, and more."""
    frames = sum(
        int(metadata[key])
        for key in ("T", "decode_chunk_len", "window_size", "chunk_shift")
        if metadata.get(key, "").isdigit()
    )
    return frames * _FRAME_S + PIECE_S if frames else _TAIL_S + PIECE_S


def _pieces(samples: Samples) -> Iterable[Samples]:
    size = round(PIECE_S * SAMPLE_RATE)
    pieces: Sequence[Samples] = [samples[n : n + size] for n in range(0, len(samples), size)]
    return pieces
