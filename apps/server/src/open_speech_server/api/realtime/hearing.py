"""The listening half of a realtime session: turns become items, and their text follows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from open_speech.service import (
    FinalText,
    InterimText,
    ListenEvent,
    NothingToCommit,
    TurnEnded,
    TurnEndReason,
    TurnStarted,
    TurnText,
)

from .conversation import Conversation, Item, new_id
from .events import EventSender, error_json


@dataclass(kw_only=True)
class Hooks:
    """What the session does about turns."""

    started: Callable[[], Awaitable[None]]
    """Somebody began to speak."""
    understood: Callable[[Item], Awaitable[None]]
    """A turn has its text."""
    nothing: Callable[[], Awaitable[None]]
    """There was nothing to commit."""


class TurnEvents:
    """Tells a client of the turns that core finds in one stretch of sound."""

    def __init__(
        self, conversation: Conversation, events: EventSender, hooks: Hooks, offset_s: float = 0.0
    ) -> None:
        """``offset_s``: where the stretch begins in the session's sound."""
        self._conversation = conversation
        self._events = events
        self._hooks = hooks
        self._offset_s = offset_s
        self._items: dict[int, Item] = {}
        self.detects = True
        """Whether turns are found by voice activity; otherwise nobody is told where they begin."""
        self.tells = True
        """Whether the client wants to know the text."""

    def _ms(self, seconds: float) -> int:
        return max(round((seconds + self._offset_s) * 1000), 0)

    async def tell(self, event: ListenEvent) -> None:
        """Send the client events that follow from one event of core."""
        if isinstance(event, TurnStarted):
            await self._started(event)
        elif isinstance(event, (InterimText, FinalText)):
            await self._text(event)
        elif isinstance(event, TurnEnded):
            await self._ended(event)
        elif isinstance(event, TurnText):
            await self._understood(event)
        elif isinstance(event, NothingToCommit):
            await self._hooks.nothing()

    async def _started(self, event: TurnStarted) -> None:
        item = Item(id=new_id("item"), role="user", is_audio=True, status="in_progress")
        self._items[event.turn] = item
        if self.detects:
            await self._events.send(
                "input_audio_buffer.speech_started",
                audio_start_ms=self._ms(event.start),
                item_id=item.id,
            )
            await self._hooks.started()

    async def _text(self, event: InterimText | FinalText) -> None:
        if event.delta and self.tells:
            await self._events.send(
                "conversation.item.input_audio_transcription.delta",
                item_id=self._items[event.turn].id,
                content_index=0,
                delta=event.delta,
            )

    async def _ended(self, event: TurnEnded) -> None:
        item = self._items[event.turn]
        item.status = "completed"
        if self.detects and event.reason is not TurnEndReason.COMMIT:
            await self._events.send(
                "input_audio_buffer.speech_stopped",
                audio_end_ms=self._ms(event.end),
                item_id=item.id,
            )
        previous = self._conversation.add(item)
        await self._events.send(
            "input_audio_buffer.committed", item_id=item.id, previous_item_id=previous
        )
        await self._events.item("conversation.item.added", item, previous)
        await self._events.item("conversation.item.done", item, previous)

    async def _understood(self, event: TurnText) -> None:
        item = self._items.pop(event.turn)
        item.text = event.text
        kind = "conversation.item.input_audio_transcription"
        place = {"item_id": item.id, "content_index": 0}
        if event.error:
            await self._events.send(f"{kind}.failed", **place, error=error_json(event.error))
        elif self.tells:
            for number, segment in enumerate(event.segments):
                await self._events.send(
                    f"{kind}.segment",
                    **place,
                    id=f"{item.id}_{number}",
                    speaker="",
                    start=round(segment.start - event.start, 3),
                    end=round(segment.end - event.start, 3),
                    text=segment.text.strip(),
                )
            await self._events.send(f"{kind}.completed", **place, **_completed(event))
        await self._hooks.understood(item)


def _completed(event: TurnText) -> dict[str, Any]:
    seconds = round(event.end - event.start, 3)
    done: dict[str, Any] = {
        "transcript": event.text,
        "usage": {"type": "duration", "seconds": seconds},
        "languages": [{"code": event.language}] if event.language else [],
    }
    logprobs = [entry for segment in event.segments for entry in segment.logprobs]
    if logprobs:
        done["logprobs"] = [
            {"token": each.token, "bytes": list(each.token.encode()), "logprob": each.logprob}
            for each in logprobs
        ]
    return done
