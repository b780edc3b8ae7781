"""The API of Kokoro-FastAPI, 0.9: its paths, voices and errors over the same services.

What it lacks of that API is in ``docs/how-to/from-kokoro-fastapi.md``, with the reasons.
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import shutil
import threading
from collections.abc import Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, HTTPException, Query, Request
from pydantic import AliasChoices, BaseModel, Field, field_validator
from starlette.responses import FileResponse, Response

from open_speech import ModelInfo, OpenSpeech, PhonemesRequest, read_mix
from open_speech.errors import AccessDenied, InvalidRequest
from open_speech.service import PHONEMIZE, Pause
from open_speech.text import prosody, spans, ssml

from ... import __version__
from ...settings.compat import COMPAT, DEBUG, SSML, UNLOAD, VOICE_TAGS
from ...state import ServerState, speech_of, state_of
from ..bodies import ClientBody
from ..openai.speech import answer
from ..openai.speech_body import Normalization, SpeechBody
from .downloads import Downloads, Keeper, media_type

router = APIRouter()
Speech = Annotated[OpenSpeech, Depends(speech_of)]
State = Annotated[ServerState, Depends(state_of)]
KNOWN: dict[str, Any] = next(
    table for table in COMPAT.values() if table["module"] == __name__.rpartition(".")[2]
)
Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
Rate = Annotated[float, Field(ge=0.25, le=4.0)]
MAX_TURNS = 1_000
MAX_ALIASES = 100
_VOICE = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_+\-(). ]*")
"""What may stand in a tag."""
_TAG = re.compile(r"\[(voice|rate):([^\[\]\n]{1,200})\]", re.IGNORECASE)
_CREATED = 1_686_935_002


class InvalidModel(InvalidRequest):
    """A model that this API does not have."""

    code = "invalid_model"


class Disabled(AccessDenied):
    """A part of this API that is switched off."""

    code = "disabled"


def error_json(status: int, error: Mapping[str, Any]) -> tuple[int, object]:
    """An object under ``detail``; a request that is not valid is 422, in FastAPI's own shape."""
    code, message = error.get("code"), error["message"]
    if code == "invalid_parameter":
        place = ["body", *filter(None, [error.get("param")])]
        return 422, {"detail": [{"type": "value_error", "loc": place, "msg": message}]}
    if code == Disabled.code:
        return status, {"detail": {"error": message}}
    kind = error["type"]
    if status >= 500:
        named, kind = "processing_error", "server_error"
    elif status == 403:
        named, kind = "permission_denied", "permission_error"
    elif status == 400:
        named = code if code == InvalidModel.code else "validation_error"
    elif status == 404:
        named = "model_not_found" if message.startswith("Model ") else "not_found"
    else:
        named = code or "error"
    return status, {"detail": {"error": named, "message": message, "type": kind}}


# Requests


class Alias(BaseModel):
    """A voice under another name, with its own pace."""

    voice: str = Field(min_length=1, max_length=256)
    rate: Rate | None = None


class Options(ClientBody):
    """What all requests for speech have."""

    model: str = Field(KNOWN["models"][2], max_length=256)
    response_format: Format = "mp3"
    speed: Rate = 1.0
    stream: bool = True
    return_download_link: bool = False
    download_format: Format | None = None
    return_timing: bool = False
    lang_code: str | None = Field(None, max_length=35)
    volume_multiplier: float = Field(1.0, gt=0.0, le=10.0)
    normalization_options: Normalization = Field(
        default_factory=lambda: Normalization(unit_normalization=False)
    )
    voice_aliases: dict[str, str | Alias] = Field({}, max_length=MAX_ALIASES)

    @field_validator("voice_aliases")
    @classmethod
    def _fit_into_tags(cls, aliases: dict[str, str | Alias]) -> dict[str, str | Alias]:
        for target in aliases.values():
            voice = target if isinstance(target, str) else target.voice
            if not _VOICE.fullmatch(voice.strip()):
                raise ValueError("an alias must name a voice or a blend")
        return aliases


class SpeechOptions(Options):
    """A text to speak."""

    input: str
    voice: str = Field(KNOWN["voice"], max_length=1_024)
    allow_voice_tags: bool = False
    ssml: bool = False


class CaptionOptions(SpeechOptions):
    """A text to speak with the times of its words."""

    return_timestamps: bool = True


class Turn(ClientBody):
    """What one speaker says."""

    voice: str = Field(max_length=256, validation_alias=AliasChoices("voice", "voice_id"))
    text: str = Field(min_length=1)

    @field_validator("voice")
    @classmethod
    def _fits_into_a_tag(cls, voice: str) -> str:
        if not _VOICE.fullmatch(voice.strip()):
            raise ValueError("it must be a voice or a blend")
        return voice.strip()

    @field_validator("text")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("it must not be empty")
        return text.strip()


class DialogueOptions(Options):
    """What several speakers say in turn."""

    turns: list[Turn] = Field(
        min_length=1, max_length=MAX_TURNS, validation_alias=AliasChoices("turns", "inputs")
    )
    pause_between_turns: float = Field(0.0, ge=0.0, le=10.0)

    def tagged(self) -> str:
        """All of it as one text with tags."""
        pause = f"{self.pause_between_turns:.3f}".rstrip("0").rstrip(".")
        between = f" [pause:{pause}s] " if float(pause) > 0 else " "
        return between.join(f"[voice:{turn.voice}] {turn.text}" for turn in self.turns)


# Speech


@router.post("/v1/audio/speech")
async def speak(request: Request, options: SpeechOptions, speech: Speech, state: State) -> Response:
    """The sound of a text, sentence by sentence."""
    return await _speak(request, options, speech, state)


@router.post("/dev/captioned_speech")
async def speak_with_captions(
    request: Request, options: CaptionOptions, speech: Speech, state: State
) -> Response:
    """JSON with sound and the times of words, one object per line."""
    return await _speak(request, options, speech, state, captions=True)


@router.post("/dev/dialogue")
async def converse(
    request: Request, options: DialogueOptions, speech: Speech, state: State
) -> Response:
    """The sound of a conversation."""
    shared = options.model_dump(exclude={"turns", "pause_between_turns"})
    spoken = SpeechOptions(
        **shared, input=options.tagged(), voice=options.turns[0].voice, allow_voice_tags=True
    )
    return await _speak(request, spoken, speech, state)


async def _speak(
    request: Request,
    options: SpeechOptions,
    speech: OpenSpeech,
    state: ServerState,
    *,
    captions: bool = False,
) -> Response:
    if options.model not in KNOWN["models"]:
        raise InvalidModel(f"Unsupported model: {options.model[:64]}", param="model")
    if options.allow_voice_tags:
        _require(state, VOICE_TAGS, "Voice tags are")
    if options.ssml:
        _require(state, SSML, "SSML translation is")
        if not options.allow_voice_tags:
            raise InvalidRequest(
                "SSML needs 'allow_voice_tags', since it becomes tags.", param="ssml"
            )
        options.input = _translated(options.input, options.voice, _model(speech))
    if not options.input.strip():
        raise InvalidRequest("Text is empty after preprocessing", param="input")
    voices = {voice.id for voice in _model(speech).voices}
    body = _body(options, voices)
    body.keep_alive = state.settings.os_compat_keep_alive_s
    if captions and isinstance(options, CaptionOptions):
        body.timestamps = options.return_timestamps
    wants_link = options.return_download_link and not captions
    keeper = _keeper(options, body.input, state) if wants_link else None
    response = await answer(
        request, body, speech, captions=captions, watch=keeper, timed=options.return_timing
    )
    name = (options.download_format if keeper else None) or options.response_format
    response.headers["Content-Disposition"] = f"attachment; filename=speech.{name}"
    response.headers["Cache-Control"] = "no-cache"
    if keeper:
        response.headers["X-Download-Path"] = f"/download/{keeper.name}"
        if options.return_timing and options.stream:
            response.headers["X-Timing-Path"] = f"/download/{keeper.name}.json"
    return response


def _body(options: SpeechOptions, voices: Collection[str]) -> SpeechBody:
    """The same request as our own API takes it."""
    target = _alias(options.voice, options.voice_aliases)
    rate = target.rate or 1.0
    text = options.input
    if options.allow_voice_tags:
        text = _resolved(text, options.voice_aliases, rate, voices)
    speed = options.speed if options.allow_voice_tags else _clamped(options.speed * rate)
    return SpeechBody(
        input=text,
        model=KNOWN["model"],
        voice=_voice(target.voice, voices),
        response_format=options.response_format,
        speed=speed,
        volume_multiplier=options.volume_multiplier,
        stream=options.stream,
        language=options.lang_code,
        allow_voice_tags=options.allow_voice_tags,
        normalization_options=options.normalization_options,
    )


def _alias(name: str, aliases: Mapping[str, str | Alias]) -> Alias:
    """What a name stands for; itself if it is no alias."""
    folded = name.strip().casefold()
    for alias, target in aliases.items():
        if alias.strip().casefold() == folded:
            return Alias(voice=target) if isinstance(target, str) else target
    return Alias.model_construct(voice=name, rate=None)


def _voice(expression: str, voices: Collection[str]) -> str:
    """A voice or a blend, with OpenAI's names for what they mean to this API.

    Raises InvalidRequest for a voice that the model lacks.
    """
    names = KNOWN["voices"]
    shares = [
        replace(each, voice=names.get(each.voice, each.voice)) for each in read_mix(expression)
    ]
    for each in shares:
        if each.voice not in voices:
            raise InvalidRequest(
                f"Voice '{each.voice}' not found. Available voices: {', '.join(sorted(voices))}",
                param="voice",
            )
    if len(shares) == 1 and "(" not in expression:
        return shares[0].voice
    signed = ((f"{'-' if each.weight < 0 else '+'}", each) for each in shares)
    written = "".join(f"{sign}{each.voice}({abs(each.weight):g})" for sign, each in signed)
    return written.removeprefix("+")


def _resolved(
    text: str, aliases: Mapping[str, str | Alias], first_rate: float, voices: Collection[str]
) -> str:
    """Put voices in the place of aliases; a rate in the text is relative to the alias's own."""
    base = first_rate

    def tag(match: re.Match[str]) -> str:
        nonlocal base
        kind, value = match[1].lower(), match[2].strip()
        if kind == "voice":
            target = _alias(value, aliases)
            base = target.rate or 1.0
            pace = f"[rate:{base:g}]" if base != 1.0 else ""
            return f"[voice:{_voice(target.voice, voices)}]{pace}"
        try:
            return f"[rate:{_clamped(base * float(value)):g}]"
        except ValueError:
            return match[0]

    resolved = _TAG.sub(tag, text)
    return f"[rate:{first_rate:g}]{resolved}" if first_rate != 1.0 else resolved


def _clamped(rate: float) -> float:
    return spans.clamped_rate(rate)


def _keeper(options: SpeechOptions, text: str, state: ServerState) -> Keeper:
    """``text`` is what is spoken, with the voices that aliases stand for."""
    timed = text if options.return_timing else None
    return Keeper(_downloads(state), options.response_format, options.download_format, timed)


def _downloads(state: ServerState) -> Downloads:
    return Downloads(state.settings.os_data_dir / "downloads")


@router.get("/v1/download/{file}")
async def download(
    state: State, file: str, name: Annotated[str | None, Query(max_length=1_000)] = None
) -> Response:
    """A file that was spoken within the last hour; ``name`` is what a browser calls it."""
    path = await asyncio.to_thread(_downloads(state).find, file)
    if path is None:
        raise HTTPException(404, "Audio file not found")
    return FileResponse(
        path,
        media_type=media_type(path),
        filename=save_name(name, file),
        headers={"Cache-Control": "no-cache"},
    )


_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")


def save_name(wanted: str | None, file: str) -> str:
    """The name to save a file under: the wanted one, made safe, with the file's own extension."""
    stem = _EXTENSION.sub("", _UNSAFE.sub("_", wanted or "")).strip("._-")[:100].strip("._-")
    return f"{stem}{Path(file).suffix}" if stem else file


@router.get("/v1/models")
async def list_models() -> dict[str, Any]:
    """The names that stand for its one model."""
    return {"object": "list", "data": [_model_json(name) for name in KNOWN["models"]]}


@router.get("/v1/models/{model}")
async def get_model(model: str) -> dict[str, Any]:
    """One of them."""
    if model not in KNOWN["models"]:
        raise HTTPException(404, f"Model '{model[:64]}' not found")
    return _model_json(model)


def _model_json(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": KNOWN["model"]}


@router.get("/v1/audio/voices")
async def list_voices(speech: Speech, *, legacy: bool = False) -> dict[str, Any]:
    """The voices of its one model; as plain names with ``legacy``."""
    names = [voice.id for voice in _model(speech).voices]
    return {"voices": names if legacy else [{"id": name, "name": name} for name in names]}


@router.post("/v1/audio/voices/combine")
async def combine_voices(_voices: Annotated[object, Body()]) -> Response:
    """Blends need no file here: a request names them."""
    raise AccessDenied("Local voice saving is disabled: name the blend as the voice instead.")


# Parts for development


class PhonemizeBody(ClientBody):
    """A text to be spelt."""

    text: str = Field(min_length=1, max_length=10_000)
    language: str = Field("a", max_length=35)


@router.post("/dev/phonemize")
async def phonemize(body: PhonemizeBody, speech: Speech) -> dict[str, Any]:
    """How the model would pronounce a text."""
    from ..languages import language_tag

    tag = language_tag(body.language)
    asked = PhonemesRequest(text=body.text, language=tag if isinstance(tag, str) else None)
    events = speech.run(PHONEMIZE, asked, model=KNOWN["model"])
    async with aclosing(events):
        told = [each.text async for each in events]
    return {"phonemes": " ".join(told), "tokens": []}


class PhonemesBody(ClientBody):
    """Phonemes to speak."""

    phonemes: str = Field(min_length=1, max_length=10_000)
    voice: str = Field(max_length=1_024)


_WORD = re.compile(r"[^\s.,;:!?…—()\[\]/]{1,200}")


@router.post("/dev/generate_from_phonemes")
async def speak_phonemes(
    request: Request, body: PhonemesBody, speech: Speech, state: State
) -> Response:
    """The sound of phonemes, as wav."""
    text = _WORD.sub(lambda match: f"[x](/{match[0]}/)", body.phonemes)
    options = SpeechOptions(
        input=text,
        voice=body.voice,
        response_format="wav",
        normalization_options=Normalization(normalize=False, markup_normalization=False),
    )
    return await _speak(request, options, speech, state)


class SsmlBody(ClientBody):
    """A document, and the voice that will speak it."""

    text: str = Field(max_length=100_000)
    voice: str = Field("", max_length=256)


@router.post("/dev/ssml")
async def translate_ssml(body: SsmlBody, speech: Speech, state: State) -> dict[str, str]:
    """The same text with tags in the place of elements; without a voice, with pauses alone."""
    _require(state, SSML, "SSML translation is")
    return {"text": _translated(body.text, body.voice, _model(speech))}


def _translated(text: str, voice: str, model: ModelInfo) -> str:
    try:
        return tags_of(text, voice, model)
    except InvalidRequest as error:
        raise InvalidRequest(f"Malformed SSML: {error}", param="text") from None


@router.get("/dev/ssml")
async def describe_ssml(state: State) -> dict[str, Any]:
    """Which elements mean something here."""
    _require(state, SSML, "SSML translation is")
    return {
        "elements": ssml.ELEMENTS,
        "ignored": ["audio", "emphasis", "mark", "media", "par", "seq", "w"],
        "break_strengths": dict(prosody.BREAKS),
        "prosody_rates": dict(prosody.RATES),
        "rate_range": [spans.MIN_RATE, spans.MAX_RATE],
    }


_SPEAK = re.compile(
    r"(?:\s|<\?[^>]{0,200}\?>|<!--.{0,2000}?-->)*<(?:!DOCTYPE|(?:\w+:)?speak[\s>/])", re.DOTALL
)
"""How a document begins."""


def tags_of(text: str, voice: str, model: ModelInfo) -> str:
    """A document as text with tags; what is none stays. Without ``voice``, no voices and rates.

    Raises InvalidRequest for a document that cannot be read.
    """
    if not _SPEAK.match(text):
        return text
    written = ""
    now_voice, now_rate = voice, 1.0
    for item in ssml.spans(text, model):
        if isinstance(item, Pause):
            written = _tagged(written, f"[pause:{item.seconds}s]")
            continue
        if voice:
            wanted, rate = item.setting.voice or voice, item.setting.speed
            if wanted != now_voice:
                written = _tagged(written, f"[voice:{wanted}]")
                now_voice, now_rate = wanted, 1.0
            if rate != now_rate:
                written = _tagged(written, f"[rate:{rate}]")
                now_rate = rate
        separate = written.endswith(("]", ".", "!", "?", "…"))
        written += " " * separate + item.tracked.text
    if voice and now_voice != voice:
        written, now_rate = _tagged(written, f"[voice:{voice}]"), 1.0
    if now_rate != 1.0:
        written = _tagged(written, "[rate:1.0]")
    return " ".join(written.split())


def _tagged(written: str, tag: str) -> str:
    return f"{written} {tag}"


@router.post("/dev/unload")
async def unload(speech: Speech, state: State) -> dict[str, str]:
    """Frees the memory of the model; the next request loads it again."""
    if UNLOAD not in state.settings.compat_allowed:
        raise Disabled("The /dev/unload endpoint is disabled")
    await speech.manager.unload(KNOWN["model"])
    return {"status": "unloaded"}


# What runs


def _threads() -> dict[str, Any]:
    found = threading.enumerate()
    details = [
        {"name": each.name, "id": each.ident, "alive": each.is_alive(), "daemon": each.daemon}
        for each in found
    ]
    return {
        "total_threads": len(found),
        "active_threads": len(found),
        "thread_names": [each.name for each in found],
        "thread_details": details,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _storage(state: ServerState) -> dict[str, Any]:
    folders = {state.settings.os_model_dir, state.settings.os_data_dir}
    return {
        "storage_info": [
            {
                "mountpoint": str(folder),
                "total_gb": usage.total / 2**30,
                "used_gb": usage.used / 2**30,
                "free_gb": usage.free / 2**30,
                "percent_used": 100 * usage.used / usage.total,
            }
            for folder in sorted(folders)
            if folder.is_dir() and (usage := shutil.disk_usage(folder))
        ]
    }


@router.get("/debug/{part}")
async def debug(part: Literal["threads", "storage", "system"], state: State) -> dict[str, Any]:
    """Figures of the server's process and machine."""
    if DEBUG not in state.settings.compat_allowed:
        raise Disabled("Debug endpoints are disabled")
    if part == "threads":
        return _threads()
    if part == "storage":
        return await asyncio.to_thread(_storage, state)
    return {
        "cpu": {"cpu_count": os.cpu_count(), "load_avg": os.getloadavg()},
        "process": {"pid": os.getpid()},
    }


@router.get("/health")
async def health() -> dict[str, str]:
    """As soon as the server answers."""
    return {"status": "healthy"}


@router.get("/web/config")
async def web_config() -> dict[str, str]:
    """What its page asks first."""
    return {"root_path": "", "version": __version__}


def _require(state: ServerState, part: str, what: str) -> None:
    if part not in state.settings.compat_allowed:
        raise AccessDenied(f"{what} disabled on this server")


def _model(speech: OpenSpeech) -> ModelInfo:
    return speech.manager.instance(KNOWN["model"]).model
