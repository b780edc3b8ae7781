"""What happens to models, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from open_speech import OpenSpeech
from open_speech.errors import Busy
from open_speech.service import Event

from ...state import ServerState, speech_of, state_of
from ..streaming import LiveResponse, event, event_of

router = APIRouter(tags=["models"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
State = Annotated[ServerState, Depends(state_of)]
HEARTBEAT_S = 15.0
"""Something is sent at least so often: proxies keep the connection, and we notice its end."""
MAX_LISTENERS = 100
CLOSING = "closing"
"""The kind of the last event."""


@router.get(
    "/api/events",
    summary="Stream events about models",
    response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def follow(speech: Speech, state: State) -> Response:
    """Server-sent events, one JSON object each, with a `type`.

    First a `snapshot` of all models, again whenever the listener was too slow to get everything;
    then `state`, `progress` (bytes of a download), `pinned`, `reloaded`, `evicted`, `worker_died`,
    `providers`, and `closing` when the server stops.
    """
    if speech.events.listeners >= MAX_LISTENERS:
        raise Busy(f"{MAX_LISTENERS} others follow already.", hint="Try again later.")
    return LiveResponse(
        _events(state, speech),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no", "Cache-Control": "no-cache"},
    )


async def _events(state: ServerState, speech: OpenSpeech) -> AsyncGenerator[bytes, None]:
    with speech.events.listen() as listener:
        listener.missed = True  # all that went before
        while not (state.draining and listener.empty()):
            if listener.missed:
                listener.missed = False
                while not listener.empty():
                    listener.get_nowait()
                yield event_of(f'{{"type": "snapshot", {await state.models.members()}}}')
                continue  # the server may have stopped meanwhile: nothing would come any more
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    news = await listener.get()
            except TimeoutError:
                yield b": nothing new\n\n"
                continue
            yield _told(news)
            if news.kind == CLOSING:
                return
        yield _told(Event(kind=CLOSING))  # the one that was published is among those missed


def _told(news: Event) -> bytes:
    return event({"type": news.kind, "model": news.model, "at": news.at, **news.data})
