"""One answer of a realtime session: written by a language model or given, and spoken."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from open_speech import Audio, OpenSpeech, Samples, SpeechRequest
from open_speech.codecs.resample import Resampler
from open_speech.errors import OpenSpeechError
from open_speech.service import SentenceStarted

from .config import RealtimeConfig
from .conversation import Conversation, Item, Spoken, new_id
from .events import EventSender, error_json
from .llm import LanguageModelFailed

CHUNK_S = 0.5
"""The longest sound in one event."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a response is made of."""

    text: AsyncGenerator[str, None]
    """As it is written."""
    config: RealtimeConfig
    """Of the session, with what this response asks for."""
    keeps: bool = True
    """Whether the conversation remembers it."""


class Response:
    """An answer under way. ``run`` once; cancelling that ends it as the protocol has it."""

    def __init__(
        self, asked: Asked, speech: OpenSpeech, conversation: Conversation, events: EventSender
    ) -> None:
        self.id = new_id("resp")
        self._asked = asked
        self._speech = speech
        self._conversation = conversation
        self._events = events
        self._speaks = "audio" in asked.config.modalities
        self.item = Item(
            id=new_id("item"), role="assistant", is_audio=self._speaks, status="in_progress"
        )
        self.cancelled_by = "client_cancelled"
        """Why it is cancelled, if it is."""
        self._resampler = Resampler(asked.config.output_format.rate)

    async def run(self) -> None:
        """Produce the response and send its events. Raises ClientGone."""
        await self._begin()
        status: dict[str, Any] = {"type": "completed"}
        try:
            await (self._speak() if self._speaks else self._write())
        except asyncio.CancelledError:
            status = {"type": "cancelled", "reason": self.cancelled_by}
        except (OpenSpeechError, LanguageModelFailed) as error:
            status = {"type": "failed", "error": error_json(error)}
        finally:
            await self._asked.text.aclose()
        await asyncio.shield(self._end(status))

    @property
    def _place(self) -> dict[str, Any]:
        return {
            "response_id": self.id, "item_id": self.item.id, "output_index": 0, "content_index": 0,
        }  # fmt: skip

    async def _begin(self) -> None:
        await self._events.send("response.created", response=self._json("in_progress", None))
        previous = self._conversation.last_id
        if self._asked.keeps:
            previous = self._conversation.add(self.item)
        shown = {**self.item.as_json(), "content": []}
        place = {"response_id": self.id, "output_index": 0}
        await self._events.send("response.output_item.added", **place, item=shown)
        if self._asked.keeps:
            await self._events.item("conversation.item.added", self.item, previous)
        await self._events.send("response.content_part.added", **self._place, part=self._part())

    def _part(self) -> dict[str, Any]:
        if self._speaks:
            return {"type": "audio", "transcript": self.item.text}
        return {"type": "text", "text": self.item.text}

    async def _write(self) -> None:
        async with aclosing(self._asked.text) as increments:
            async for delta in increments:
                self.item.text += delta
                await self._events.send("response.output_text.delta", **self._place, delta=delta)

    async def _speak(self) -> None:
        config = self._asked.config
        request = SpeechRequest(text="", voice=config.voice, speed=config.speed or 1.0)
        events = self._speech.synthesize_stream(
            self._asked.text, request, model=config.speech_model
        )
        async with aclosing(events):
            async for event in events:
                if isinstance(event, SentenceStarted):
                    await self._say(event)
                else:
                    await self._sound(event)
        await self._send_samples(await asyncio.to_thread(self._resampler.finish))

    async def _say(self, sentence: SentenceStarted) -> None:
        """Tell the words at the moment when their sound begins."""
        item = self.item
        item.sentences.append(Spoken(text=sentence.text, start_s=item.seconds))
        delta = f" {sentence.text}" if item.text else sentence.text
        item.text += delta
        place = self._place
        await self._events.send("response.output_audio_transcript.delta", **place, delta=delta)

    async def _sound(self, audio: Audio) -> None:
        self.item.seconds += audio.seconds
        await self._send_samples(await asyncio.to_thread(self._resampler.feed, audio))

    async def _send_samples(self, samples: Samples) -> None:
        sound = self._asked.config.output_format
        step = round(CHUNK_S * sound.rate)
        for first in range(0, len(samples), step):
            data = base64.b64encode(sound.write(samples[first : first + step])).decode()
            await self._events.send("response.output_audio.delta", **self._place, delta=data)

    async def _end(self, status: dict[str, Any]) -> None:
        completed = status["type"] == "completed"
        self.item.status = "completed" if completed else "incomplete"
        send, place = self._events.send, self._place
        if self._speaks:
            await send("response.output_audio.done", **place)
            await send("response.output_audio_transcript.done", **place, transcript=self.item.text)
        else:
            await send("response.output_text.done", **place, text=self.item.text)
        await send("response.content_part.done", **place, part=self._part())
        where = {"response_id": self.id, "output_index": 0}
        await send("response.output_item.done", **where, item=self.item.as_json())
        if self._asked.keeps:
            await self._events.item("conversation.item.done", self.item, None)
        await send("response.done", response=self._json(status["type"], status))

    def _json(self, status: str, details: dict[str, Any] | None) -> dict[str, Any]:
        config = self._asked.config
        done = status != "in_progress"
        tokens = len(self.item.text.split())
        response: dict[str, Any] = {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": None if details is None or status == "completed" else details,
            "output": [self.item.as_json()] if done else [],
            "output_modalities": list(config.modalities),
            "usage": {"input_tokens": 0, "output_tokens": tokens, "total_tokens": tokens}
            if done
            else None,
        }
        if self._speaks:
            output = {"format": config.output_format.as_json(), "voice": config.voice or "default"}
            response["audio"] = {"output": output}
        return response


async def given(text: str) -> AsyncGenerator[str, None]:
    """A text that is there at once."""
    yield text
