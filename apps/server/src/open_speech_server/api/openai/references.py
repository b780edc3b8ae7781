"""Recordings of voices as clients send them: uploaded, or as base64 inside of JSON."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import BinaryIO

from starlette.datastructures import UploadFile

from open_speech import Audio
from open_speech.errors import InvalidAudio, InvalidRequest, OpenSpeechError
from open_speech.voices.library import MAX_SECONDS, SAMPLE_RATE

MAX_REFERENCE_BYTES = 10 * 1024 * 1024
"""Of a file, as OpenAI has it."""
MAX_PCM_BYTES = 512 * 1024 * 1024
"""Of decoded sound, with all its channels and at its own rate: bounds the work."""


async def reference_of(
    text: str, sample_rate: int = SAMPLE_RATE, *, param: str = "reference_audio"
) -> Audio:
    """The recording in a field of JSON: base64, or a data URL. Nothing is ever fetched.

    Decoded in a thread. Raises InvalidAudio, AudioTooLong, or InvalidRequest for another URL.
    """
    media_type, data = await asyncio.to_thread(sound_in_text, text, param)
    return await decoded(data, sample_rate, media_type=media_type, param=param)


async def uploaded(file: UploadFile, sample_rate: int = SAMPLE_RATE, *, param: str) -> Audio:
    """The recording in an uploaded file, decoded in a thread. Raises InvalidAudio, AudioTooLong."""
    return await decoded(file.file, sample_rate, media_type=file.content_type, param=param)


async def decoded(
    source: bytes | BinaryIO, sample_rate: int, *, media_type: str | None, param: str
) -> Audio:
    """Decode a recording of a voice, under limits that fit one."""
    from open_speech.codecs.decode import DecodeLimits, decode

    limits = DecodeLimits(max_seconds=MAX_SECONDS, max_pcm_bytes=MAX_PCM_BYTES)
    try:
        return await asyncio.to_thread(
            decode, source, sample_rate=sample_rate, limits=limits, media_type=media_type
        )
    except OpenSpeechError as error:
        error.param = param
        raise


def sound_in_text(
    text: str, param: str, most: int = MAX_REFERENCE_BYTES
) -> tuple[str | None, bytes]:
    """The media type, if a data URL names one, and the bytes of a file in base64. Blocks.

    Raises InvalidAudio for more than ``most`` bytes and for what is not base64, and InvalidRequest
    for another URL.
    """
    media_type, encoded = _parted(text, param)
    # Twice is plenty for base64 and its line breaks, and bounds the work.
    if len(text) > 2 * most or len(data := _from_base64(encoded, param)) > most:
        raise InvalidAudio(
            f"The field {param!r} holds more than {most >> 20} MiB.",
            param=param,
            hint="Send a shorter recording.",
        )
    return media_type, data


def _parted(text: str, param: str) -> tuple[str | None, str]:
    head, comma, rest = text.partition(",")
    if head[:5].lower() == "data:":
        media_type, _, last = head[5:].rpartition(";")
        if not comma or last.strip().lower() != "base64":
            raise InvalidAudio(f"The data URL in {param!r} is not in base64.", param=param)
        return media_type or None, rest
    if "://" in text[:64]:
        raise InvalidRequest(
            f"The field {param!r} is a URL, which this server does not fetch.",
            param=param,
            hint="Send the bytes of a sound file in base64, or as a data URL.",
        )
    return None, text


def _from_base64(text: str, param: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidAudio(
            f"The field {param!r} is not valid base64.",
            param=param,
            hint="Send the bytes of a sound file in base64, or as a data URL.",
        ) from None
