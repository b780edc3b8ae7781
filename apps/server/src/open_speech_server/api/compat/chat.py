"""Chat completions with sound in and out, around the text of the chat API of ``OS_LLM_BASE_URL``.

OpenAI's shapes, and Speaches' names for the models that hear and speak.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from open_speech import Audio, Kind, OpenSpeech, Samples, SpeechRequest
from open_speech.codecs.encode import to_pcm16
from open_speech.codecs.resample import Resampler
from open_speech.errors import InvalidRequest, OpenSpeechError, Unavailable

from ...settings.compat import our_model
from ...state import ServerState, speech_of, state_of
from ..bodies import ClientBody
from ..delivery import encoded
from ..openai.references import MAX_REFERENCE_BYTES, sound_in_text
from ..realtime.llm import MAX_ANSWER, ChatModel, LanguageModelFailed
from ..streaming import LiveResponse, after_first, event, while_connected

router = APIRouter()
_log = logging.getLogger(__name__)
RATE = 24_000
"""Of the sound in events, as OpenAI has it."""
KEPT_S = 3600
"""How long an answer in sound may be referred to."""
MAX_KEPT = 4_000_000
"""Characters of all these texts; the oldest go first."""
MAX_MESSAGES = 1_000


def _our_name(name: str | None) -> str | None:
    return name and our_model(SERVER, name)


SERVER = "speaches"
"""The table of ``compat.toml`` for this API."""
ModelName = Annotated[str | None, AfterValidator(_our_name)]
"""A name of a model, as that API or ours has it."""


class AudioOut(ClientBody):
    """How an answer is spoken."""

    voice: str = Field("default", max_length=256)
    format: Literal["wav", "mp3", "flac", "opus", "aac", "pcm16"] = "wav"


class ChatBody(ClientBody):
    """A conversation. Fields that are not named here go to the chat API as they are."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    messages: list[dict[str, Any]] = Field(max_length=MAX_MESSAGES)
    modalities: list[Literal["text", "audio"]] = Field(["text"])
    audio: AudioOut | None = None
    stream: bool = False
    n: Literal[1] | None = None
    transcription_model: ModelName = Field(None, max_length=256)
    speech_model: ModelName = Field(None, max_length=256)
    speech_extra_body: dict[str, Any] | None = None
    transcription_extra_body: dict[str, Any] | None = None

    def forwarded(self, messages: list[dict[str, Any]]) -> dict[str, Any]:
        """What the chat API is sent."""
        return {**(self.model_extra or {}), "messages": messages, "stream": self.stream}


class Spoken:
    """Texts of answers that were spoken, by the ids under which clients refer to them."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._characters = 0

    def new(self) -> tuple[str, int]:
        """An id for a text to come, and when it is forgotten (seconds since 1970)."""
        return f"audio_{uuid.uuid4().hex}", int(time.time() + KEPT_S)

    def keep(self, name: str, text: str) -> None:
        """Remember what was said under an id."""
        self._texts[name] = (time.time() + KEPT_S, text)
        self._characters += len(name) + len(text)
        while self._characters > MAX_KEPT:
            old, (_, gone) = self._texts.popitem(last=False)
            self._characters -= len(old) + len(gone)

    def text(self, name: object) -> str:
        """Raises InvalidRequest for an id that is unknown or has expired."""
        expires, text = self._texts.get(str(name), (0.0, ""))
        if expires < time.time():
            raise InvalidRequest(
                f"The audio {str(name)[:64]!r} does not exist or has expired.",
                param="messages",
                hint="Send what was said as the message's content.",
            )
        return text


_spoken = Spoken()
Speech = Annotated[OpenSpeech, Depends(speech_of)]
State = Annotated[ServerState, Depends(state_of)]


@router.post("/v1/chat/completions")
async def complete(request: Request, body: ChatBody, speech: Speech, state: State) -> Response:
    """The answer of the chat API to what was written and said, spoken if that is wanted."""
    llm = ChatModel(state.settings)
    if not llm.is_configured:
        raise Unavailable(
            "No chat API is configured.", hint="The operator can set OS_LLM_BASE_URL."
        )
    speaks = "audio" in body.modalities
    if speaks and body.audio is None:
        raise InvalidRequest("'audio' is required for an answer in sound.", param="audio")
    if speaks and body.stream and body.audio and body.audio.format != "pcm16":
        raise InvalidRequest(
            f"'audio.format' is {body.audio.format!r}; a stream has 'pcm16'.", param="audio.format"
        )
    try:
        return await while_connected(request, _answered(body, speech, state, llm, speaks=speaks))
    except LanguageModelFailed as error:
        raise Unavailable(str(error)) from error


async def _answered(
    body: ChatBody, speech: OpenSpeech, state: ServerState, llm: ChatModel, *, speaks: bool
) -> Response:
    messages = [await _written(message, body, speech, state) for message in body.messages]
    forwarded = body.forwarded(messages)
    if body.stream:
        chunks = llm.chunks(forwarded)
        events = _spoken_chunks(chunks, body, speech) if speaks else _plain(chunks)
        ready = await after_first(_told(events))
        return LiveResponse(ready, media_type="text/event-stream")
    answer = await llm.complete(forwarded)
    if speaks:
        for choice in answer.get("choices", []):
            await _speak(choice.get("message", {}), body, speech)
    return JSONResponse(answer)


async def _written(
    message: dict[str, Any], body: ChatBody, speech: OpenSpeech, state: ServerState
) -> dict[str, Any]:
    """A message as text: what was said in it is transcribed."""
    if isinstance(message.get("audio"), dict):
        rest = {name: value for name, value in message.items() if name != "audio"}
        return {**rest, "content": _spoken.text(message["audio"].get("id"))}
    content = message.get("content")
    if not isinstance(content, list):
        return message
    return {**message, "content": [await _part(part, body, speech, state) for part in content]}


async def _part(part: object, body: ChatBody, speech: OpenSpeech, state: ServerState) -> object:
    if not isinstance(part, dict) or part.get("type") != "input_audio":
        return part
    from open_speech.codecs.decode import DecodeLimits, decode

    sound = part.get("input_audio")
    data = sound.get("data") if isinstance(sound, dict) else None
    if not isinstance(data, str):
        raise InvalidRequest("'input_audio' needs the recording as 'data'.", param="messages")
    media_type, recording = await asyncio.to_thread(
        sound_in_text, data, "messages", MAX_REFERENCE_BYTES
    )
    name = body.transcription_model or speech.default_model(Kind.STT)
    audio = await asyncio.to_thread(
        decode,
        recording,
        sample_rate=speech.manager.instance(name).model.sample_rate,
        limits=DecodeLimits(max_seconds=state.settings.os_max_audio_s),
        media_type=media_type,
    )
    heard = await speech.transcribe(audio, model=name)
    return {"type": "text", "text": heard.text}


async def _speak(message: dict[str, Any], body: ChatBody, speech: OpenSpeech) -> None:
    """Put the sound of a message in the place of its text."""
    text = message.get("content")
    if not isinstance(text, str) or not text.strip() or body.audio is None:
        return
    sound = "pcm" if body.audio.format == "pcm16" else body.audio.format
    asked = SpeechRequest(text=text, voice=body.audio.voice)
    rate = RATE if sound == "pcm" else None
    async with aclosing(
        encoded(speech.synthesize(asked, model=body.speech_model), sound, rate)
    ) as pieces:
        data = b"".join([piece.data async for piece in pieces])
    name, expires = _spoken.new()
    _spoken.keep(name, text)
    message["content"] = None
    message["audio"] = {
        "id": name,
        "data": base64.b64encode(data).decode(),
        "transcript": text,
        "expires_at": expires,
    }


async def _plain(chunks: AsyncGenerator[dict[str, Any], None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(chunks):
        async for chunk in chunks:
            yield event(chunk)


async def _told(events: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """All events; what goes wrong after the first one is the last, since the status is out."""
    begun = False
    async with aclosing(events):
        try:
            async for each in events:
                begun = True
                yield each
        except (OpenSpeechError, LanguageModelFailed) as error:
            if not begun:
                raise
            _log.warning("a chat completion failed: %s", error)
            yield event({"error": {"message": str(error), "type": "server_error"}})
    yield b"data: [DONE]\n\n"


async def _spoken_chunks(
    chunks: AsyncGenerator[dict[str, Any], None], body: ChatBody, speech: OpenSpeech
) -> AsyncGenerator[bytes, None]:
    """The chunks with their text as a transcript, and the sound of it as it is made."""
    answer = _SpokenAnswer(body, speech)
    working = asyncio.ensure_future(answer.work(chunks))
    try:
        while (chunk := await answer.ready.get()) is not None:
            yield event(chunk)
        await working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await chunks.aclose()


class _SpokenAnswer:
    """An answer that is spoken while it is written."""

    def __init__(self, body: ChatBody, speech: OpenSpeech) -> None:
        assert body.audio is not None
        self.ready: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(64)
        """Chunks for the client; None is the end."""
        self._words: asyncio.Queue[str | None] = asyncio.Queue(256)
        self._request = SpeechRequest(text="", voice=body.audio.voice)
        self._model = body.speech_model
        self._speech = speech
        self._id, self._expires = _spoken.new()
        self._shell: dict[str, Any] = {}
        """What all chunks have in common."""

    async def work(self, chunks: AsyncGenerator[dict[str, Any], None]) -> None:
        """Read and speak; what goes wrong is raised once the client has what there is."""
        failure: Exception | None = None
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._read(chunks))
                both.create_task(self._speak())
        except ExceptionGroup as errors:
            failure = errors.exceptions[0]
        # Not when cancelled: nobody empties the queue then, and this would wait for ever.
        await self.ready.put(None)
        if failure:
            raise failure

    async def _read(self, chunks: AsyncGenerator[dict[str, Any], None]) -> None:
        said = ""
        async for chunk in chunks:
            self._shell = {name: value for name, value in chunk.items() if name != "choices"}
            for choice in chunk.get("choices", []):
                delta = choice.get("delta") or {}
                text = delta.get("content")
                if isinstance(text, str) and text:
                    said += text
                    delta["content"] = None
                    delta["audio"] = self._audio(transcript=text)
                    await self._words.put(text)
            await self.ready.put(chunk)
            if len(said) > MAX_ANSWER:
                break
        await self._words.put(None)
        _spoken.keep(self._id, said)

    async def _increments(self) -> AsyncGenerator[str, None]:
        while (text := await self._words.get()) is not None:
            yield text

    async def _speak(self) -> None:
        resampler = Resampler(RATE)
        events = self._speech.synthesize_stream(
            self._increments(), self._request, model=self._model
        )
        async with aclosing(events):
            async for sound in events:
                if isinstance(sound, Audio):
                    await self._send(await asyncio.to_thread(resampler.feed, sound))
        await self._send(await asyncio.to_thread(resampler.finish))

    async def _send(self, samples: Samples) -> None:
        if len(samples):
            data = base64.b64encode(to_pcm16(samples)).decode()
            choice = {"index": 0, "delta": {"audio": self._audio(data=data)}, "finish_reason": None}
            await self.ready.put({**self._shell, "choices": [choice]})

    def _audio(self, **what: str) -> dict[str, object]:
        return {"id": self._id, "expires_at": self._expires, **what}
