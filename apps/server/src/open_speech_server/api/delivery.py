"""Sound on its way to a client: encoded as it is made; bare, in events, or with word times."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from fastapi import Request
from starlette.responses import JSONResponse, Response

from open_speech import Audio, OpenSpeech, SpeechRequest, Word
from open_speech.codecs.encode import FORMATS, Encoder, with_length
from open_speech.errors import OpenSpeechError
from open_speech.service import PrepareText

from .errors import sentence_of
from .streaming import LiveResponse, after_first, event, while_connected

SLICE_S = 0.25
"""Sound that is compressed at a time: some milliseconds of work."""
NDJSON = "application/x-ndjson"
_AS_IT_COMES = {"X-Accel-Buffering": "no", "Cache-Control": "no-cache"}


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How speech is to be made and sent."""

    model: str | None = None
    """None is the default model."""
    audio_format: str = "mp3"
    """A key of ``FORMATS``."""
    sample_rate: int | None = None
    volume: float = 1.0
    even_loudness: bool | None = None
    """None is as configured."""
    stream: bool = True
    """Send what exists; False waits for all of it."""
    events: bool = False
    """As OpenAI's server-sent events."""
    usage_name: str = "usage"
    """What the last of these events calls its counts."""
    captions: bool = False
    """As JSON with the times of the words, as Kokoro-FastAPI has it."""
    keep_alive_s: float | None = None
    prepare: PrepareText | None = None
    watch: Watch | None = None
    """Gets what is sent."""


class Watch(Protocol):
    """Sees speech on its way to a client."""

    def add(self, piece: Encoded) -> None:
        """Take a piece; must not block."""

    def finish(self) -> None:
        """All of it was made; called in a thread."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Bytes of the file, and the words that begin in the sound they were made of."""

    data: bytes
    words: tuple[Word, ...] = ()
    """Times are seconds from the start of the whole."""
    samples: int = 0
    """What the file has so far."""


async def deliver(
    request: Request, speech: OpenSpeech, asked: SpeechRequest, delivery: Delivery
) -> Response:
    """Speak and answer. What is wrong with the request is raised before the first byte."""
    chunks = speech.synthesize(
        asked,
        model=delivery.model,
        keep_alive_s=delivery.keep_alive_s,
        prepare=delivery.prepare,
        volume=delivery.volume,
        even_loudness=delivery.even_loudness,
    )
    pieces = encoded(chunks, delivery.audio_format, delivery.sample_rate)
    if delivery.watch:
        pieces = _watched(pieces, delivery.watch)
    if not delivery.stream and not delivery.events:
        return await while_connected(request, _whole(pieces, delivery))
    ready = await while_connected(request, after_first(pieces))
    if delivery.events:
        return LiveResponse(
            _events(ready, len(asked.text), delivery.usage_name), media_type="text/event-stream"
        )
    if delivery.captions:
        lines = _lines(ready, delivery.audio_format)
        return LiveResponse(lines, media_type=NDJSON, headers=_AS_IT_COMES)
    media_type = FORMATS[delivery.audio_format].media_type
    return LiveResponse(_bytes(ready), media_type=media_type, headers=_AS_IT_COMES)


async def encoded(
    chunks: AsyncGenerator[Audio, None], audio_format: str, sample_rate: int | None = None
) -> AsyncGenerator[Encoded, None]:
    """Encode chunks of sound as they come, in threads; nothing empty is yielded."""
    encoder, seconds = Encoder(audio_format, sample_rate=sample_rate), 0.0
    async with aclosing(chunks):
        async for audio in chunks:
            words = tuple(word.shifted(seconds) for word in audio.words)
            seconds += audio.seconds
            for part in _slices(audio) if encoder.format.muxer else (audio,):
                data = await asyncio.to_thread(encoder.feed, part)
                if data or words:
                    yield Encoded(data=data, words=words, samples=encoder.samples)
                    words = ()
        if data := await asyncio.to_thread(encoder.finish):
            yield Encoded(data=data, samples=encoder.samples)


async def _watched(
    pieces: AsyncGenerator[Encoded, None], watch: Watch
) -> AsyncGenerator[Encoded, None]:
    async with aclosing(pieces):
        async for piece in pieces:
            watch.add(piece)
            yield piece
    await asyncio.to_thread(watch.finish)


def _slices(audio: Audio) -> Iterator[Audio]:
    """Cut a chunk, so that its start is on its way while the rest is still compressed."""
    step = round(SLICE_S * audio.sample_rate)
    for first in range(0, len(audio.samples), step):
        samples = audio.samples[first : first + step]
        yield Audio(samples=samples, sample_rate=audio.sample_rate)


async def _bytes(pieces: AsyncGenerator[Encoded, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces):
        async for piece in pieces:
            if piece.data:
                yield piece.data


async def _whole(pieces: AsyncGenerator[Encoded, None], delivery: Delivery) -> Response:
    async with aclosing(pieces):
        parts = [piece async for piece in pieces]
    data = with_length(b"".join(part.data for part in parts), parts[-1].samples if parts else 0)
    if not delivery.captions:
        return Response(data, media_type=FORMATS[delivery.audio_format].media_type)
    words = tuple(word for part in parts for word in part.words)
    return JSONResponse(_captioned(Encoded(data=data, words=words), delivery.audio_format))


async def _lines(
    pieces: AsyncGenerator[Encoded, None], audio_format: str
) -> AsyncGenerator[bytes, None]:
    """One JSON object per line."""
    async with aclosing(pieces):
        async for piece in pieces:
            yield json.dumps(_captioned(piece, audio_format), ensure_ascii=False).encode() + b"\n"


def _captioned(piece: Encoded, audio_format: str) -> dict[str, object]:
    return {
        "audio": base64.b64encode(piece.data).decode(),
        "audio_format": FORMATS[audio_format].media_type,
        "timestamps": [timestamp(word) for word in piece.words],
    }


def timestamp(word: Word) -> dict[str, object]:
    """The times of a word, and its place in the text, as clients get them."""
    times: dict[str, object] = {
        "word": word.text,
        "start_time": round(word.start, 4),
        "end_time": round(word.end, 4),
    }
    if word.span:
        times["text_start"], times["text_end"] = word.span
    return times


async def _events(
    pieces: AsyncGenerator[Encoded, None], characters: int, usage_name: str
) -> AsyncGenerator[bytes, None]:
    """OpenAI's events; the counts are of characters and of pieces, as there are no tokens."""
    count = 0
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                count += 1
                audio = base64.b64encode(piece.data).decode()
                delta: dict[str, object] = {"type": "speech.audio.delta", "audio": audio}
                if piece.words:
                    delta["timestamps"] = [timestamp(word) for word in piece.words]
                yield event(delta)
    except Exception as error:
        said = sentence_of(error)[0] if isinstance(error, OpenSpeechError) else str(error)
        yield event({"type": "error", "error": {"message": said, "type": "server_error"}})
        raise
    usage = {
        "input_tokens": characters, "output_tokens": count, "total_tokens": characters + count,
    }  # fmt: skip
    yield event({"type": "speech.audio.done", usage_name: usage})
