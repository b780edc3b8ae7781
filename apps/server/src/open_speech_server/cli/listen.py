"""``open-speech listen``."""

from __future__ import annotations

import io
import queue
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import click

from .connect import Server, connected, server_options
from .console import ProgressLine
from .exits import FAILED, Failure
from .own_model import named

CHUNK_S = 0.1
"""Sound that is sent at a time."""
_WAITING = 100
"""Chunks of the microphone that may wait: ten seconds."""


@click.command("listen")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Recording to play in real time instead of listening to the microphone.",
)
@click.option(
    "--rate",
    type=click.IntRange(8_000, 192_000),
    default=16_000,
    show_default=True,
    help="Samples per second of standard input.",
)
@click.option("--device", metavar="NAME|NUMBER", help="Microphone, as sounddevice names it.")
@click.option(
    "--model",
    metavar="NAME|PATH",
    help="Model name, or the path of a model.  [default: STT_MODEL]",
)
@click.option("--language", metavar="TAG", help="Spoken language, such as en or de-AT.")
@server_options
def command(
    file: Path | None,
    rate: int,
    device: str | None,
    server: Server,
    model: str | None,
    language: str | None,
) -> None:
    """Transcribe live: the microphone, a recording, or standard input.

    If standard input is not a terminal, it is read instead: 16-bit little-endian mono. Text settles
    in a line on the terminal, and each finished utterance is one line of output. Ctrl-C ends it.
    """
    from .client import Listening

    model, own = named(model, server)
    progress = ProgressLine()

    def on_text(text: str, is_final: bool) -> None:  # noqa: FBT001
        if not is_final:
            progress.show(text)
        elif text:
            progress.clear()
            click.echo(text)

    if file is not None:
        sound, rate = _played(file), 16_000
    elif not sys.stdin.isatty():
        sound = _piped(rate)
    else:
        sound, rate = _microphone(device), 16_000
    asked = Listening(model=model, language=language, sample_rate=rate)
    try:
        with connected(server, progress, own) as client:
            client.listen(sound, asked, on_text)
    finally:
        progress.clear()


def _played(file: Path) -> Iterator[bytes]:
    """A recording, no faster than it sounds, and a second of silence behind it."""
    from open_speech.codecs.decode import DecodeLimits, decode_chunks
    from open_speech.codecs.encode import to_pcm16

    rate = 16_000
    size = round(CHUNK_S * rate)
    began, sent = time.monotonic(), 0.0
    with file.open("rb") as recording:
        for chunk in decode_chunks(recording, sample_rate=rate, limits=DecodeLimits()):
            for first in range(0, len(chunk.samples), size):
                samples = chunk.samples[first : first + size]
                time.sleep(max(began + sent - time.monotonic(), 0.0))
                sent += len(samples) / rate
                yield to_pcm16(samples)
    yield bytes(2 * rate)


def _piped(rate: int) -> Iterator[bytes]:
    """Standard input, as it comes."""
    size = 2 * round(CHUNK_S * rate)
    rest = b""
    stdin = cast("io.BufferedReader", sys.stdin.buffer)
    while data := stdin.read1(size):
        data = rest + data
        whole = len(data) - len(data) % 2
        rest = data[whole:]
        if whole:
            yield data[:whole]


def _microphone(device: str | None) -> Iterator[bytes]:
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: PortAudio is missing
        raise Failure(
            f"The microphone cannot be used: {error}. Install it with "
            "'pip install \"open-speech-server[microphone]\"', or give a recording with --file.",
            FAILED,
        ) from error
    waiting: queue.Queue[bytes] = queue.Queue(_WAITING)

    def take(data: object, _frames: int, _time: object, _status: object) -> None:
        if not waiting.full():
            waiting.put(bytes(data))  # type: ignore[call-overload]

    name = int(device) if device and device.isdigit() else device
    try:
        stream = sounddevice.RawInputStream(
            samplerate=16_000,
            blocksize=round(CHUNK_S * 16_000),
            channels=1,
            dtype="int16",
            device=name,
            callback=take,
        )
    except (sounddevice.PortAudioError, ValueError) as error:
        raise Failure(f"The microphone cannot be used: {error}.", FAILED) from error
    with stream:
        while True:
            yield waiting.get()
