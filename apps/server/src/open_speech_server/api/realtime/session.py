"""One realtime session: client events in, server events out."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from open_speech import Kind, ModelInfo
from open_speech.errors import OpenSpeechError
from open_speech.service import Clear, Commit, TurnEnded, TurnStarted, require_kind

from ...state import ServerState
from ..errors import FAILURE, sentence_of, validation_sentence
from ..live.feed import SessionFeed
from ..live.limits import SessionClock
from ..live.socket import FAILURE as CLOSE_FAILURE
from ..live.socket import GOING_AWAY, NORMAL, ClientGone, LiveSocket
from .config import RealtimeConfig, Transcription
from .conversation import Conversation, Item, new_id
from .events import EventSender, text_of
from .hearing import Hooks, TurnEvents
from .llm import ChatModel
from .response import Asked, Response, given

MAX_APPEND = 15 * 1024 * 1024
"""Bytes of sound in one event, as OpenAI has it."""
MAX_UNCOMMITTED_S = 600.0
"""Sound that may wait for a commit where no turns are detected."""
LEAST_COMMIT_S = 0.1
Handler = Callable[[dict[str, Any]], Awaitable[None]]


class ClientError(Exception):
    """A client event that is not right; the session goes on."""

    def __init__(self, message: str, code: str = "invalid_value", param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class RealtimeSession:
    """One connection. ``run`` once."""

    def __init__(self, socket: LiveSocket, state: ServerState, config: RealtimeConfig) -> None:
        self._socket = socket
        self._state = state
        self.config = config
        self._id = new_id("sess")
        self._events = EventSender(socket)
        self._events.beta = config.beta
        self._conversation = Conversation()
        self._llm = ChatModel(state.settings)
        self._feed = SessionFeed()
        self._listening: asyncio.Task[None] | None = None
        self._model: str | None = None
        """Who understands, by name."""
        self._turns: TurnEvents | None = None
        self._heard_s = 0.0
        """Sound that was fed in all."""
        self._uncommitted_s = 0.0
        self._responses: set[asyncio.Task[None]] = set()
        self._response: Response | None = None
        self._answering: asyncio.Task[None] | None = None
        self._close = (NORMAL, "")
        self._clock: SessionClock | None = None
        self._reading: asyncio.Task[None] | None = None
        self._handlers: dict[str, Handler] = {
            "session.update": self._on_session_update,
            "transcription_session.update": self._on_session_update,
            "input_audio_buffer.append": self._on_append,
            "input_audio_buffer.commit": self._on_commit,
            "input_audio_buffer.clear": self._on_clear,
            "output_audio_buffer.clear": self._on_output_clear,
            "conversation.item.create": self._on_item_create,
            "conversation.item.delete": self._on_item_delete,
            "conversation.item.retrieve": self._on_item_retrieve,
            "conversation.item.truncate": self._on_item_truncate,
            "response.create": self._on_response_create,
            "response.cancel": self._on_response_cancel,
        }

    def stop(self) -> None:
        """Come to the end: the server stops. What was said is still understood."""
        self._end(GOING_AWAY, "server_stop")

    def _end(self, code: int, reason: str) -> None:
        self._close = (code, reason)
        self._feed.finish()
        if self._reading:
            self._reading.cancel()

    async def run(self) -> None:
        """Serve it to its end."""
        self._reading = asyncio.create_task(self._read())
        self._clock = SessionClock(self._state.settings, lambda reason: self._end(NORMAL, reason))
        try:
            await asyncio.wait({self._reading})
            if not self._reading.cancelled() and (error := self._reading.exception()):
                raise error
            # Cancelled by ``_end``: what was said is understood, and told, before the end.
            if self._close[0] != NORMAL or self._close[1]:
                await self._finish()
        except ClientGone:
            pass
        finally:
            self._clock.stop()
            tasks = [each for each in (self._reading, self._listening, *self._responses) if each]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._socket.close(*self._close)

    async def _finish(self) -> None:
        self._feed.finish()
        if self._listening:
            await asyncio.wait({self._listening})
        if self._close[1]:
            await self._events.error(
                f"The session is over: {self._close[1]}.", code=self._close[1], kind=FAILURE
            )

    async def _read(self) -> None:
        expires = int(time.time() + self._state.settings.os_stream_max_s)
        await self._events.send("session.created", session=self.config.as_json(self._id, expires))
        try:
            await self._listen_anew()
        except ClientError as error:
            await self._events.error(str(error), code=error.code, param=error.param)
            self._close = (CLOSE_FAILURE, error.code)
            return
        async for message in self._socket.messages():
            await self._take(message)

    async def _take(self, message: str | bytes) -> None:
        event = _parsed(message)
        if event is None:
            await self._events.error("The event is not a JSON object.", code="invalid_json")
            return
        kind, event_id = event.get("type"), event.get("event_id")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            said = f"The event type {str(kind)[:64]!r} is not known."
            await self._events.error(said, code="unknown_event", param="type", event_id=event_id)
            return
        try:
            await handler(event)
        except ClientError as error:
            await self._events.error(
                str(error), code=error.code, param=error.param, event_id=event_id
            )
        except ValidationError as error:
            errors = [{**each, "loc": ("session", *each["loc"])} for each in error.errors()]
            said, param = validation_sentence(errors)
            await self._events.error(
                said, code="invalid_value", param=f"session.{param}", event_id=event_id
            )
        except OpenSpeechError as error:
            said, param = sentence_of(error)
            await self._events.error(said, code=error.code, param=param, event_id=event_id)

    # The session.

    async def _on_session_update(self, event: dict[str, Any]) -> None:
        session = event.get("session")
        if not isinstance(session, dict):
            raise ClientError("session.update needs a 'session'.", "missing_parameter", "session")
        before, after = self.config, self.config.updated(session)
        if after.input_format != before.input_format and self._uncommitted_s:
            raise ClientError(
                "The format cannot change while sound waits in the buffer.",
                param="session.audio.input.format",
            )
        self.config = after
        try:
            if _model_of(after) != _model_of(before):
                await self._listen_anew()
            else:
                await self._feed.put(after.listen_request(self._state.settings, self._info()))
        except (ClientError, OpenSpeechError):
            self.config = before
            raise
        self._apply()
        self._events.beta = after.beta
        await self._events.send("session.updated", session=after.as_json(self._id))

    def _apply(self) -> None:
        if self._turns:
            self._turns.detects = self.config.turns is not None
            is_asked = self.config.transcription is not None
            self._turns.tells = is_asked or self.config.type == "transcription"

    def _info(self) -> ModelInfo:
        return self._state.speech.resolve(self._model or "").model

    async def _listen_anew(self) -> None:
        """Begin to listen, or go on with another model."""
        speech = self._state.speech
        name = _model_of(self.config) or speech.default_model(Kind.STT)
        try:
            resolved = speech.resolve(name)
            require_kind(resolved, Kind.STT)
        except OpenSpeechError as error:
            said, _ = sentence_of(error)
            raise ClientError(said, error.code, "session.audio.input.transcription.model") from None
        if self._listening:
            self._feed.finish()
            await asyncio.wait({self._listening})
        self._model, self._feed = name, SessionFeed()
        hooks = Hooks(
            started=self._interrupt, understood=self._on_understood, nothing=self._on_nothing
        )
        self._turns = TurnEvents(self._conversation, self._events, hooks, self._heard_s)
        self._apply()
        self._listening = asyncio.create_task(self._listen(self._feed, self._turns))

    async def _listen(self, feed: SessionFeed, turns: TurnEvents) -> None:
        speech = self._state.speech
        request = self.config.listen_request(self._state.settings, self._info())
        events = speech.listen(feed, request, model=self._model)
        try:
            async for event in events:
                if self._clock and isinstance(event, (TurnStarted, TurnEnded)):
                    speaking = isinstance(event, TurnStarted) and turns.detects
                    self._clock.active(speaking=speaking)
                if isinstance(event, TurnEnded):
                    self._uncommitted_s = 0.0
                await turns.tell(event)
        except OpenSpeechError as error:
            said, param = sentence_of(error)
            await self._events.error(said, code=error.code, param=param, kind=FAILURE)
            self._close = (CLOSE_FAILURE, error.code)
            if self._reading:
                self._reading.cancel()
        except ClientGone:
            if self._reading:
                self._reading.cancel()
        finally:
            await events.aclose()

    # Sound that comes in.

    async def _on_append(self, event: dict[str, Any]) -> None:
        data = _decoded(event.get("audio"))
        sound = self.config.input_format.read(data)
        if self.config.turns is None and self._uncommitted_s + sound.seconds > MAX_UNCOMMITTED_S:
            raise ClientError(
                f"More than {MAX_UNCOMMITTED_S:.0f} seconds wait for a commit; this sound is left "
                "out. Send input_audio_buffer.commit or .clear.",
                "input_audio_buffer_full",
                "audio",
            )
        self._uncommitted_s += sound.seconds
        self._heard_s += sound.seconds
        if len(sound.samples):
            await self._feed.put(sound)

    async def _on_commit(self, _event: dict[str, Any]) -> None:
        if self._uncommitted_s < LEAST_COMMIT_S:
            raise _nothing_to_commit()
        self._uncommitted_s = 0.0
        await self._feed.put(Commit())

    async def _on_nothing(self) -> None:
        error = _nothing_to_commit()
        await self._events.error(str(error), code=error.code)

    async def _on_clear(self, _event: dict[str, Any]) -> None:
        self._uncommitted_s = 0.0
        await self._feed.put(Clear())
        await self._events.send("input_audio_buffer.cleared")

    async def _on_output_clear(self, _event: dict[str, Any]) -> None:
        response_id = self._response.id if self._response else ""
        await self._events.send("output_audio_buffer.cleared", response_id=response_id)

    async def _on_understood(self, item: Item) -> None:
        """Answer what was said, in a conversation with somebody who answers."""
        turns = self.config.turns
        answers = self.config.type == "realtime" and turns is not None and turns.create_response
        if answers and self._llm.is_configured and item.text:
            await self._answer(self.config, self._llm_text(self.config, None))

    # Items.

    async def _on_item_create(self, event: dict[str, Any]) -> None:
        given_item = event.get("item")
        if not isinstance(given_item, dict) or given_item.get("type") != "message":
            raise ClientError("Only items of the type 'message' are known.", param="item.type")
        role = given_item.get("role")
        if role not in ("user", "assistant", "system"):  # any JSON: it may not be hashable
            raise ClientError("The role is 'user', 'assistant' or 'system'.", param="item.role")
        text = text_of(given_item)
        if len(text) > self._state.settings.os_max_text_chars:
            raise ClientError("The text of the item is too long.", "text_too_long", "item.content")
        item_id = given_item.get("id")
        if item_id is not None and (not isinstance(item_id, str) or not 0 < len(item_id) <= 64):
            raise ClientError("The id has 1 to 64 characters.", param="item.id")
        if item_id and self._conversation.get(item_id):
            raise ClientError(f"There is an item {item_id!r} already.", "item_exists", "item.id")
        item = Item(id=item_id or new_id("item"), role=role, text=text)
        after = event.get("previous_item_id")
        if after not in (None, "root") and self._conversation.get(after) is None:
            raise _no_item(after, "previous_item_id")
        previous = self._conversation.add(item, after)
        await self._events.item("conversation.item.added", item, previous)
        await self._events.item("conversation.item.done", item, previous)

    def _item_of(self, event: dict[str, Any]) -> Item:
        item = self._conversation.get(event.get("item_id"))
        if item is None:
            raise _no_item(event.get("item_id"), "item_id")
        return item

    async def _on_item_delete(self, event: dict[str, Any]) -> None:
        item = self._item_of(event)
        self._conversation.remove(item.id)
        await self._events.send("conversation.item.deleted", item_id=item.id)

    async def _on_item_retrieve(self, event: dict[str, Any]) -> None:
        await self._events.send("conversation.item.retrieved", item=self._item_of(event).as_json())

    async def _on_item_truncate(self, event: dict[str, Any]) -> None:
        item = self._item_of(event)
        end_ms = event.get("audio_end_ms")
        if item.role != "assistant" or not item.is_audio:
            raise ClientError("Only an answer that was spoken can be truncated.", param="item_id")
        if isinstance(end_ms, bool) or not isinstance(end_ms, int) or end_ms < 0:
            raise ClientError("audio_end_ms is a whole number.", param="audio_end_ms")
        if end_ms > item.seconds * 1000 + 1:
            raise ClientError(
                f"The answer has only {item.seconds * 1000:.0f} ms so far.", param="audio_end_ms"
            )
        item.text = item.heard_until(end_ms / 1000)
        await self._events.send(
            "conversation.item.truncated", item_id=item.id, content_index=0, audio_end_ms=end_ms
        )

    # Answers.

    async def _on_response_create(self, event: dict[str, Any]) -> None:
        if self.config.type != "realtime":
            raise ClientError("A transcription session does not answer.", "invalid_event")
        if self._answering and not self._answering.done():
            raise ClientError(
                "There is an active response already; wait for response.done or cancel it.",
                "conversation_already_has_active_response",
            )
        asked = event.get("response")
        asked = asked if isinstance(asked, dict) else {}
        config = self._for_response(asked)
        keeps = asked.get("conversation") != "none"
        await self._answer(config, self._text(config, asked), keeps=keeps)

    def _for_response(self, asked: dict[str, Any]) -> RealtimeConfig:
        """The session's settings, with those of one response."""
        known = ("audio", "output_modalities", "modalities", "voice", "max_output_tokens")
        changes = {name: asked[name] for name in known if asked.get(name) is not None}
        if isinstance(changes.get("audio"), dict):
            changes["audio"] = {"output": changes["audio"].get("output") or {}}
        config = self.config.updated(changes)
        return replace(config, beta=self.config.beta)

    def _text(self, config: RealtimeConfig, asked: dict[str, Any]) -> AsyncGenerator[str, None]:
        """What is to be said: written by the language model, or what the client gave."""
        instructions = asked.get("instructions")
        instructions = instructions if isinstance(instructions, str) else None
        items = asked.get("input")
        if items is not None and not isinstance(items, list):
            raise ClientError("The input of a response is a list of items.", param="response.input")
        messages = [text_of(item) for item in items or [] if isinstance(item, dict)]
        if self._llm.is_configured:
            return self._llm_text(config, instructions, messages if items is not None else None)
        text = "\n".join(filter(None, messages)) or instructions or self._conversation.last_text()
        if not text.strip():
            raise ClientError(
                "There is nothing to say: give the text as the response's 'instructions', or as an "
                "item. A language model that answers is set with OS_LLM_BASE_URL.",
                "missing_parameter",
                "response.instructions",
            )
        return given(text)

    def _llm_text(
        self, config: RealtimeConfig, instructions: str | None, items: list[str] | None = None
    ) -> AsyncGenerator[str, None]:
        wanted = instructions or config.instructions
        messages = self._conversation.messages(wanted)
        if items is not None:
            messages = [{"role": "system", "content": wanted}] if wanted else []
            messages += [{"role": "user", "content": text} for text in items if text]
        return self._llm.answer(messages, config.max_output_tokens)

    async def _answer(
        self, config: RealtimeConfig, text: AsyncGenerator[str, None], *, keeps: bool = True
    ) -> None:
        await self._stop_response("turn_detected")
        asked = Asked(text=text, config=config, keeps=keeps)
        self._response = Response(asked, self._state.speech, self._conversation, self._events)
        self._answering = asyncio.create_task(self._respond(self._response))
        self._responses.add(self._answering)
        self._answering.add_done_callback(self._responses.discard)

    async def _respond(self, response: Response) -> None:
        try:
            await response.run()
        except ClientGone:
            if self._reading:
                self._reading.cancel()
        if self._clock:
            self._clock.active()

    async def _on_response_cancel(self, event: dict[str, Any]) -> None:
        wanted = event.get("response_id")
        active = self._response if self._answering and not self._answering.done() else None
        if active is None or wanted not in (None, active.id):
            raise ClientError("There is no such active response.", "response_cancel_not_active")
        await self._stop_response("client_cancelled")

    async def _interrupt(self) -> None:
        """Fall silent when somebody begins to speak."""
        if self.config.turns is None or self.config.turns.interrupt_response:
            await self._stop_response("turn_detected")

    async def _stop_response(self, reason: str) -> None:
        task = self._answering
        if task is None or task.done() or self._response is None:
            return
        self._response.cancelled_by = reason
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _model_of(config: RealtimeConfig) -> str | None:
    return (config.transcription or Transcription()).model


def _parsed(message: str | bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _decoded(audio: object) -> bytes:
    if not isinstance(audio, str):
        raise ClientError("input_audio_buffer.append needs 'audio'.", "missing_parameter", "audio")
    if len(audio) > -(-MAX_APPEND // 3) * 4:
        raise ClientError("One event holds at most 15 MiB of sound.", param="audio")
    try:
        return base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError):
        raise ClientError("The sound is not base64.", "invalid_base64", "audio") from None


def _nothing_to_commit() -> ClientError:
    return ClientError(
        f"The buffer holds less than {LEAST_COMMIT_S * 1000:.0f} ms of sound to commit.",
        "input_audio_buffer_commit_empty",
    )


def _no_item(item_id: object, param: str) -> ClientError:
    return ClientError(f"There is no item {str(item_id)[:64]!r}.", "item_not_found", param)
