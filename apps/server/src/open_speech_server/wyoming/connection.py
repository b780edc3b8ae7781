"""One connection: what its events begin, go on with and end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeTextFormat,
)

from open_speech.errors import OpenSpeechError

from ..api.errors import sentence_of
from ..api.live.limits import SessionClock
from ..api.live.sessions import TooManySessions
from ..state import ServerState
from .hearing import Hearing
from .info import describe
from .speaking import Speaking
from .wire import EventWriter, Malformed, read_event

_log = logging.getLogger(__name__)


class Connection:
    """Reads events until the client leaves; at most one command or text is under way."""

    def __init__(
        self,
        state: ServerState,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        address: str | None,
    ) -> None:
        self._state = state
        self._reader = reader
        self._socket = writer
        self._writer = EventWriter(writer)
        self._address = address
        self._hearing: Hearing | None = None
        self._speaking: Speaking | None = None
        self._asked: Transcribe | None = None
        self._work: asyncio.Task[None] | None = None
        self._clock: SessionClock | None = None
        self._over = False

    async def run(self) -> None:
        """Serve it to its end. What is under way when the client leaves is given up."""
        try:
            while not self._over:
                event = await self._next()
                if event is None:
                    break
                if self._clock:
                    self._clock.active()
                await self._take(event)
        except (Malformed, TimeoutError) as error:
            await self._fail(str(error) or "Nothing came for too long.", "bad-request")
        except (OpenSpeechError, TooManySessions) as error:
            await self._fail_of(error)
        except ConnectionError:
            pass
        finally:
            if self._work:
                self._work.cancel()
                await asyncio.gather(self._work, return_exceptions=True)
            self._socket.close()

    def stop(self) -> None:
        """Come to the end: what was begun is finished, and the connection closed after it."""
        self._over = True
        self._finish_begun()
        if self._work is None or self._work.done():
            self._reader.feed_eof()

    async def _next(self) -> Event | None:
        """The next event; a client that sends nothing and waits for nothing is disconnected."""
        reading = asyncio.ensure_future(read_event(self._reader))
        try:
            while True:
                idle_s = self._state.settings.os_stream_idle_s
                done, _ = await asyncio.wait({reading}, timeout=idle_s)
                if done:
                    return reading.result()
                if self._work is None or self._work.done():
                    raise TimeoutError
        finally:
            reading.cancel()

    async def _take(self, event: Event) -> None:
        try:
            await self._dispatch(event)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Malformed(
                f"The event {event.type[:64]!r} lacks a field, or has a wrong one."
            ) from error

    async def _dispatch(self, event: Event) -> None:
        kind = event.type
        if Describe.is_type(kind):
            await self._writer.write(await describe(self._state))
        elif Ping.is_type(kind):
            await self._writer.write(Pong(text=Ping.from_event(event).text))
        elif Transcribe.is_type(kind):
            self._finish_begun()
            self._asked = Transcribe.from_event(event)
        elif AudioStart.is_type(kind):
            await self._begin_hearing()
        elif AudioChunk.is_type(kind):
            await self._hear(AudioChunk.from_event(event))
        elif AudioStop.is_type(kind) and self._hearing:
            self._hearing.finish()
            self._hearing = None
        elif SynthesizeStart.is_type(kind):
            self._speaking = await self._begin_speaking(
                SynthesizeStart.from_event(event), streamed=True
            )
        elif SynthesizeChunk.is_type(kind) and self._speaking:
            self._speaking.add(SynthesizeChunk.from_event(event).text)
        elif SynthesizeStop.is_type(kind) and self._speaking:
            self._speaking.finish()
            self._speaking = None
        elif Synthesize.is_type(kind) and self._speaking is None:
            # Within a streamed text it is a copy, for servers that do not stream.
            asked = Synthesize.from_event(event)
            speaking = await self._begin_speaking(asked, streamed=False)
            speaking.add(asked.text)
            speaking.finish()

    async def _begin_hearing(self) -> None:
        hearing = Hearing(self._state, self._writer, self._asked or Transcribe())
        self._asked = None
        await self._begin("a command", hearing.run(), hearing.finish)
        self._hearing = hearing

    async def _hear(self, chunk: AudioChunk) -> None:
        if self._hearing is None and self._asked is not None:
            await self._begin_hearing()  # some clients send no start
        # After the end of a command that was cut, satellites go on for a moment.
        if self._hearing and self._work and not self._work.done():
            await self._hearing.add(chunk)

    async def _begin_speaking(
        self, asked: Synthesize | SynthesizeStart, *, streamed: bool
    ) -> Speaking:
        ssml = asked.text_format in (SynthesizeTextFormat.SSML, "ssml")
        speaking = Speaking(self._state, self._writer, asked.voice, streamed=streamed, ssml=ssml)
        await self._begin("a text", speaking.run(), speaking.finish)
        return speaking

    async def _begin(
        self, name: str, work: Coroutine[Any, Any, None], finish: Callable[[], None]
    ) -> None:
        """Begin work once that before it is done, counted as a live session.

        What came before is complete, whether the client has said so or not: waiting for the rest of
        it would be waiting for ever, since nothing is read meanwhile.
        """
        if self._work:
            self._finish_begun()
            await asyncio.wait({self._work})
        self._work = asyncio.create_task(self._run(name, work, finish))

    async def _run(
        self, name: str, work: Coroutine[Any, Any, None], finish: Callable[[], None]
    ) -> None:
        began = time.monotonic()
        # Too long, or the client has stopped sending: what there is counts as complete.
        clock = self._clock = SessionClock(self._state.settings, lambda _reason: finish())
        try:
            with self._state.live.open(self._address, finish):
                await work
        except (OpenSpeechError, TooManySessions) as error:
            work.close()
            await self._fail_of(error)
            self._hang_up()
        except ConnectionError:
            self._hang_up()
        except Exception:
            _log.exception("Wyoming: %s failed", name)
            await self._fail("The server failed; its log has more.", "internal_error")
            self._hang_up()
        finally:
            clock.stop()
            finish()  # nobody reads what may still wait to be fed
            took_ms = (time.monotonic() - began) * 1000
            _log.info("Wyoming: %s for %s took %d ms", name, self._address, took_ms)
        if self._over:
            self._hang_up()

    def _finish_begun(self) -> None:
        """Say that nothing more comes of what is under way."""
        if self._hearing:
            self._hearing.finish()
        if self._speaking:
            self._speaking.finish()
        self._hearing = self._speaking = None

    def _hang_up(self) -> None:
        """Clients wait for what they asked for until the connection ends."""
        self._over = True
        self._socket.close()

    async def _fail_of(self, error: OpenSpeechError | TooManySessions) -> None:
        if isinstance(error, OpenSpeechError):
            await self._fail(sentence_of(error)[0], error.code or "failed")
        else:
            await self._fail(str(error), "too-many-sessions")

    async def _fail(self, message: str, code: str) -> None:
        _log.warning("wyoming: %s (%s)", message, code)
        try:
            await self._writer.write(Error(text=message, code=code))
        except ConnectionError:
            return
