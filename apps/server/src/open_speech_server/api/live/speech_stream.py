"""``WS /v1/audio/speech/stream``: text in as it is written, sound out as it is spoken.

The messages are those of vLLM-omni's endpoint of this name. Ours in addition: ``input.flush``,
``input.cancel``, and word times.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, WebSocket
from pydantic import Field, ValidationError

from open_speech import Audio, Word
from open_speech.codecs.encode import FORMATS, Encoder
from open_speech.errors import InvalidRequest, OpenSpeechError
from open_speech.service import SentenceStarted

from ...settings.presets import NO_PRESET
from ...state import ServerState, speech_of, state_of
from ..delivery import timestamp
from ..errors import sentence_of, validation_sentence
from ..openai.speech_body import SpeechBody
from .limits import SessionClock
from .sessions import TooManySessions
from .socket import GOING_AWAY, NORMAL, TOO_BIG, TRY_LATER, ClientGone, LiveSocket, subprotocol_of
from .text_feed import TextFeed

router = APIRouter()
MAX_MESSAGE = 1024 * 1024
"""Characters of one message."""
MAX_WAITING = 16
"""Texts that may wait to be spoken."""


class StreamConfig(SpeechBody):
    """What ``session.config`` may say: all that a request for speech may, and how sound is sent."""

    input: str = "-"
    response_format: str = "wav"
    stream_audio: bool = Field(
        False, description="Send the sound as it is made, as PCM, instead of sentence by sentence."
    )

    def checked(self) -> StreamConfig:
        """Raise InvalidRequest for what does not go together."""
        if self.stream_audio and self.response_format != "pcm":
            raise InvalidRequest(
                "stream_audio needs the response_format 'pcm'.", param="response_format"
            )
        return self


@router.websocket("/v1/audio/speech/stream")
async def speech_stream(websocket: WebSocket) -> None:
    """Speak texts while they are written, one after the other."""
    await websocket.accept(subprotocol_of(websocket))
    socket = LiveSocket(websocket)
    await speech_of(websocket)
    state = state_of(websocket)
    session = SpeechSession(socket, state)
    client = websocket.client.host if websocket.client else None
    try:
        with state.live.open(client, session.stop):
            await session.run()
    except TooManySessions as error:
        await socket.close(TRY_LATER, str(error))


class SpeechSession:
    """One connection."""

    def __init__(self, socket: LiveSocket, state: ServerState) -> None:
        self._socket = socket
        self._state = state
        self._config = StreamConfig(input="-")
        self._waiting: deque[TextFeed] = deque()
        """Texts that were begun; the first is being spoken."""
        self._changed = asyncio.Event()
        self._over = False
        self._close_code, self._close_reason = NORMAL, ""
        self._speaking: asyncio.Task[None] | None = None
        self._utterance = 0
        self._clock: SessionClock | None = None

    def stop(self) -> None:
        """Come to the end: the server stops. What was begun is spoken."""
        self._end(GOING_AWAY, "server_stop")

    def _end(self, code: int, reason: str) -> None:
        self._over = True
        self._close_code, self._close_reason = code, reason
        for text in self._waiting:
            text.finish()
        self._changed.set()

    async def run(self) -> None:
        """Serve it to its end."""
        reading = asyncio.create_task(self._read())
        clock = SessionClock(self._state.settings, lambda reason: self._end(NORMAL, reason))
        self._clock = clock
        try:
            await self._speak_all()
        except ClientGone:
            return
        finally:
            clock.stop()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        await self._socket.close(self._close_code, self._close_reason)

    async def _read(self) -> None:
        try:
            async for message in self._socket.messages():
                self._active()
                if isinstance(message, bytes):
                    await self._fail("Messages to this socket are JSON text.")
                elif len(message) > MAX_MESSAGE:
                    self._end(TOO_BIG, "message too large")
                    return
                else:
                    await self._take(message)
        except ClientGone:
            pass
        self._over = True
        self._changed.set()
        if self._close_code == NORMAL and not self._close_reason and self._speaking:
            self._speaking.cancel()  # nobody is left to hear it

    async def _take(self, text: str) -> None:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            await self._fail("The message is not JSON.")
            return
        kind = message.get("type") if isinstance(message, dict) else None
        if kind == "session.config":
            await self._configure(message)
        elif kind == "input.text":
            await self._add(message.get("text"))
        elif kind == "input.flush" and self._open:
            self._open.flush()
        elif kind == "input.done":
            (self._open or self._begin()).finish()
        elif kind == "input.cancel":
            self._cancel()
        elif kind == "session.close":
            self._end(NORMAL, "closed")
        elif kind != "input.flush":
            await self._fail(f"The message type {str(kind)[:64]!r} is not known.")

    @property
    def _open(self) -> TextFeed | None:
        """The text that more is added to."""
        last = self._waiting[-1] if self._waiting else None
        return last if last and not last.is_over else None

    def _begin(self) -> TextFeed:
        text = TextFeed(self._state.settings.os_max_text_chars)
        self._waiting.append(text)
        self._changed.set()
        return text

    async def _configure(self, message: dict[str, Any]) -> None:
        if self._open:
            await self._fail("session.config comes before the text, or after input.done.")
            return
        try:
            fields = {name: value for name, value in message.items() if name != "type"}
            config = StreamConfig.model_validate({**fields, "input": "-"}).checked()
            config.delivery(NO_PRESET, None)  # raises for a format that is not known
            self._config = config
        except ValidationError as error:
            errors = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
            await self._fail(validation_sentence(errors)[0])
        except OpenSpeechError as error:
            await self._fail(sentence_of(error)[0])

    async def _add(self, text: object) -> None:
        if not isinstance(text, str):
            await self._fail("input.text needs a 'text'.")
        elif self._open is None and len(self._waiting) >= MAX_WAITING:
            await self._fail(f"{MAX_WAITING} texts wait to be spoken already.")
        elif not (self._open or self._begin()).put(text):
            limit = self._state.settings.os_max_text_chars
            await self._fail(f"The text has more than {limit} characters; this part is left out.")

    def _cancel(self) -> None:
        while len(self._waiting) > 1:
            self._waiting.pop()
        if self._waiting:
            self._waiting[0].finish()
        if self._speaking:
            self._speaking.cancel()

    def _active(self) -> None:
        if self._clock:
            self._clock.active()

    async def _fail(self, message: str) -> None:
        await self._socket.send({"type": "error", "message": message})

    async def _speak_all(self) -> None:
        while True:
            self._changed.clear()
            if self._waiting:
                self._speaking = asyncio.create_task(self._speak(self._waiting[0]))
                await asyncio.wait({self._speaking})
                cancelled = self._speaking.cancelled()
                if not cancelled and (error := self._speaking.exception()):
                    raise error
                if cancelled:
                    await self._done(0, cancelled=True)
                self._speaking = None
                if self._waiting:
                    self._waiting.popleft()
                self._utterance += 1
            elif self._over:
                return
            else:
                await self._changed.wait()

    async def _done(self, sentences: int, *, cancelled: bool = False) -> None:
        message = {
            "type": "session.done",
            "utterance_index": self._utterance,
            "total_sentences": sentences,
        }
        await self._socket.send({**message, "cancelled": True} if cancelled else message)

    async def _speak(self, text: TextFeed) -> None:
        """Speak one text to its end, sentence by sentence."""
        config = self._config
        preset = self._state.presets.get(config.voice_name(), NO_PRESET)
        delivery = config.delivery(preset, self._state.pronunciations)
        sentences = SentenceSender(self._socket, config, self._utterance)
        try:
            events = self._state.speech.synthesize_stream(
                text,
                config.speech_request(self._state.settings, preset),
                model=delivery.model,
                keep_alive_s=delivery.keep_alive_s,
                prepare=delivery.prepare,
                volume=delivery.volume,
            )
            async with aclosing(events):
                async for event in events:
                    self._active()
                    if isinstance(event, SentenceStarted):
                        await sentences.begin(event.text)
                    else:
                        await sentences.send(event)
            await sentences.end()
        except OpenSpeechError as error:
            await sentences.end(failed=True)
            await self._fail(sentence_of(error)[0])
        await self._done(sentences.count)


class SentenceSender:
    """Sends the sound of one text, each sentence as a file of its own or chunk by chunk."""

    def __init__(self, socket: LiveSocket, config: StreamConfig, utterance: int) -> None:
        self._socket = socket
        self._config = config
        self._utterance = utterance
        self.count = 0
        """Sentences so far."""
        self._bytes = 0
        self._seconds = 0.0
        """Of the whole text, before the current chunk."""
        self._words: list[Word] = []
        self._encoder: Encoder | None = None
        self._file = b""

    async def begin(self, text: str) -> None:
        """Announce a sentence."""
        await self.end()
        config = self._config
        self._encoder = Encoder(config.response_format, sample_rate=config.sample_rate)
        self._bytes = 0
        audio_format = FORMATS[config.response_format]
        rate = config.sample_rate or audio_format.default_sample_rate
        await self._socket.send(
            {
                "type": "audio.start",
                "utterance_index": self._utterance,
                "sentence_index": self.count,
                "sentence_text": text,
                "format": config.response_format,
                **({"sample_rate": rate} if rate else {}),
            }
        )
        self.count += 1

    async def send(self, audio: Audio) -> None:
        """Send a chunk, or keep it for the sentence's file."""
        if self._encoder is None:
            return
        self._words += [word.shifted(self._seconds) for word in audio.words]
        self._seconds += audio.seconds
        data = await asyncio.to_thread(self._encoder.feed, audio)
        await self._give(data)

    async def _give(self, data: bytes) -> None:
        self._bytes += len(data)
        if not self._config.stream_audio:
            self._file += data
        elif data:
            await self._send(data)

    async def _send(self, data: bytes) -> None:
        if not self._config.timestamps:
            await self._socket.send_bytes(data)
            return
        words, self._words = self._words, []
        await self._socket.send(
            {
                "type": "audio.delta",
                "audio": base64.b64encode(data).decode(),
                "timestamps": [timestamp(word) for word in words],
            }
        )

    async def end(self, *, failed: bool = False) -> None:
        """Send what is left of the sentence, and say that it is over."""
        encoder, self._encoder = self._encoder, None
        if encoder is None:
            return
        await self._give(await asyncio.to_thread(encoder.finish))
        if self._file:
            await self._send(self._file)
            self._file = b""
        await self._socket.send(
            {
                "type": "audio.done",
                "utterance_index": self._utterance,
                "sentence_index": self.count - 1,
                "total_bytes": self._bytes,
                "error": failed,
            }
        )
