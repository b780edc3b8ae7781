"""Events on their way to a realtime client, named as its protocol names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from open_speech.errors import OpenSpeechError

from ..errors import BAD_REQUEST, FAILURE, sentence_of, status_of
from ..live.socket import LiveSocket
from .conversation import Item, new_id

_BETA_NAMES = {
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "conversation.item.added": "conversation.item.created",
}
_NOT_IN_BETA = frozenset({"conversation.item.done"})


class EventSender:
    """Sends events; ``beta`` decides about their names."""

    def __init__(self, socket: LiveSocket) -> None:
        self._socket = socket
        self.beta = False

    async def send(self, kind: str, **fields: Any) -> None:
        """Send one event. Raises ClientGone."""
        if self.beta:
            if kind in _NOT_IN_BETA:
                return
            kind = _BETA_NAMES.get(kind, kind)
        await self._socket.send({"type": kind, "event_id": new_id("event"), **fields})

    async def item(self, kind: str, item: Item, previous: str | None) -> None:
        """Send an event about an item."""
        await self.send(kind, item=item.as_json(), previous_item_id=previous)

    async def error(
        self,
        message: str,
        *,
        code: str,
        param: str | None = None,
        event_id: object = None,
        kind: str = BAD_REQUEST,
    ) -> None:
        """Tell what is wrong; the session goes on."""
        error = {
            "type": kind,
            "code": code,
            "message": message,
            "param": param,
            "event_id": event_id if isinstance(event_id, str) else None,
        }
        await self.send("error", error=error)


def error_json(error: Exception) -> dict[str, Any]:
    """An error as it stands in an event."""
    if not isinstance(error, OpenSpeechError):
        return {"type": FAILURE, "code": "server_error", "message": str(error), "param": None}
    message, param = sentence_of(error)
    kind = FAILURE if status_of(error) >= 500 else BAD_REQUEST
    return {"type": kind, "code": error.code, "message": message, "param": param}


def text_of(message: Mapping[str, Any]) -> str:
    """The text of an item that a client makes."""
    parts = message.get("content")
    found = []
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, dict):
            said = part.get("text") or part.get("transcript")
            if isinstance(said, str):
                found.append(said)
    return "\n".join(found)
