"""What was said in a realtime session, item by item."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

MAX_ITEMS = 1_000
"""Items that are remembered; the oldest is forgotten first."""


@dataclass(kw_only=True)
class Spoken:
    """A sentence of an answer, and where it begins in its sound."""

    text: str
    start_s: float


@dataclass(kw_only=True)
class Item:
    """A message of the conversation."""

    id: str
    role: str
    """``user``, ``assistant`` or ``system``."""
    text: str = ""
    """Written, or understood of what was said."""
    is_audio: bool = False
    status: str = "completed"
    sentences: list[Spoken] = field(default_factory=list)
    """Of an answer that is spoken."""
    seconds: float = 0.0
    """Of its sound."""

    def as_json(self) -> dict[str, Any]:
        """As it stands in events."""
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "status": self.status,
            "role": self.role,
            "content": [self._content()],
        }

    def _content(self) -> dict[str, Any]:
        if self.role == "assistant":
            if self.is_audio:
                return {"type": "output_audio", "transcript": self.text}
            return {"type": "output_text", "text": self.text}
        if self.is_audio:
            return {"type": "input_audio", "transcript": self.text or None}
        return {"type": "input_text", "text": self.text}

    def heard_until(self, seconds: float) -> str:
        """What of an answer was heard before somebody interrupted it, to the word."""
        heard = ""
        ends = [each.start_s for each in self.sentences[1:]] + [self.seconds]
        for sentence, end in zip(self.sentences, ends, strict=True):
            if end <= seconds:
                heard = f"{heard} {sentence.text}".strip()
                continue
            share = (seconds - sentence.start_s) / max(end - sentence.start_s, 1e-6)
            words = sentence.text.split()
            count = int(max(share, 0.0) * len(words))
            return f"{heard} {' '.join(words[:count])}".strip()
        return heard


class Conversation:
    """The items in order."""

    def __init__(self) -> None:
        self._items: OrderedDict[str, Item] = OrderedDict()

    @property
    def last_id(self) -> str | None:
        """Of the newest item."""
        return next(reversed(self._items), None)

    def get(self, item_id: object) -> Item | None:
        """An item by its id."""
        return self._items.get(item_id) if isinstance(item_id, str) else None

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Add an item at the end, or behind another one; returns the id of the one before it."""
        previous = self.last_id
        self._items[item.id] = item
        if after == "root" or (after in self._items and after != item.id):
            ids = [each for each in self._items if each != item.id]
            place = 0 if after == "root" else ids.index(str(after)) + 1
            previous = ids[place - 1] if place else None
            ids.insert(place, item.id)
            for each in ids:
                self._items.move_to_end(each)
        while len(self._items) > MAX_ITEMS:
            self._items.popitem(last=False)
        return previous

    def remove(self, item_id: str) -> None:
        """Forget an item."""
        self._items.pop(item_id, None)

    def messages(self, instructions: str | None) -> list[dict[str, str]]:
        """What a language model is asked to answer."""
        found = [{"role": "system", "content": instructions}] if instructions else []
        found += [
            {"role": item.role, "content": item.text} for item in self._items.values() if item.text
        ]
        return found

    def last_text(self) -> str:
        """The newest text that a client wrote."""
        for item in reversed(self._items.values()):
            if item.role != "assistant" and not item.is_audio and item.text:
                return item.text
        return ""


def new_id(prefix: str) -> str:
    """An id as OpenAI's look."""
    return f"{prefix}_{uuid.uuid4().hex[:24]}"
