"""Uploaded recordings, decoded as often as they are needed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from starlette.datastructures import UploadFile

from open_speech import Audio
from open_speech.aio import in_thread

PIECE_S = 60.0
"""A recording that need not be whole is decoded in pieces up to here."""


def recording_of(
    file: UploadFile, max_seconds: float, *, piece_s: float | None = None
) -> Callable[[int], AsyncGenerator[Audio, None]]:
    """What decodes an upload from its beginning, at the sample rate that it is called with.

    One reading at a time, and none after the upload is closed. Pieces are as short as ``piece_s``,
    or as long as decoding makes them. The sound raises InvalidAudio and AudioTooLong.
    """
    from open_speech.codecs.decode import DecodeLimits, decode_chunks

    how = {} if piece_s is None else {"max_seconds": piece_s}

    def opened(sample_rate: int) -> AsyncGenerator[Audio, None]:
        return in_thread(
            decode_chunks(
                file.file,
                sample_rate=sample_rate,
                limits=DecodeLimits(max_seconds=max_seconds),
                media_type=file.content_type,
                **how,
            )
        )

    return opened
