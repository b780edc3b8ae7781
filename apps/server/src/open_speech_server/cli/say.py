"""``open-speech say``."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .connect import Server, connected, server_options
from .console import ProgressLine, emit, json_option, size
from .exits import Failure
from .output import ENDINGS, format_of, written

if TYPE_CHECKING:
    from open_speech import Word
from .own_model import named


@click.command("say")
@click.argument("text")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Output file, or - for standard output.  [default: standard output unless a terminal]",
)
@click.option(
    "--format",
    "audio_format",
    type=click.Choice(sorted(set(ENDINGS.values()))),
    help="Audio format.  [default: by the file extension; wav on standard output]",
)
@click.option(
    "--model",
    metavar="NAME|PATH",
    help="Model name, or the path of a model.  [default: TTS_MODEL]",
)
@click.option("--voice", metavar="NAME", help="Voice of the model.  [default: TTS_VOICE]")
@click.option(
    "--speed",
    metavar="FACTOR",
    type=click.FloatRange(0.25, 4.0),
    help="Speed; 1 is the voice's natural pace.  [default: TTS_SPEED]",
)
@click.option("--language", metavar="TAG", help="Language of the text, such as en or de-AT.")
@click.option("--srt", is_flag=True, help="Also write SubRip subtitles to FILE.srt.")
@json_option
@server_options
def command(
    text: str,
    output: Path | None,
    audio_format: str | None,
    as_json: bool,  # noqa: FBT001 - click's way
    server: Server,
    model: str | None,
    voice: str | None,
    speed: float | None,
    language: str | None,
    srt: bool,  # noqa: FBT001 - click's way
) -> None:
    """Turn TEXT into speech; - reads it from standard input.

    The file appears when the speech is complete: a failure leaves nothing behind.
    """
    target = _target(output, as_json=as_json)
    if srt and target is None:
        raise click.UsageError("--srt needs a file to stand beside: add -o FILE")
    chosen = audio_format or (format_of(target) if target else "wav")
    spoken = sys.stdin.read() if text == "-" else text
    if not spoken.strip():
        raise Failure("There is no text to speak.")

    from .client import SpeechOptions

    name, own = named(model, server)
    asked = SpeechOptions(
        text=spoken, format=chosen, model=name, voice=voice, speed=speed, language=language
    )
    progress, began = ProgressLine(), time.monotonic()
    words: list[Word] = []
    try:
        with connected(server, progress, own) as client:
            count = _write(client.speak(asked, words.append if srt else None), target)
    finally:
        progress.clear()
    if srt and target:
        _write_subtitles(spoken, words, target.with_suffix(".srt"))
    seconds = time.monotonic() - began
    if as_json:
        emit(
            {
                "file": str(target),
                "format": chosen,
                "bytes": count,
                "model": asked.model,
                "voice": asked.voice,
                "elapsed_s": round(seconds, 3),
            }
        )
    elif target:
        click.echo(f"{target}: {size(count)} of {chosen} in {seconds:.1f} s", err=True)


def _target(output: Path | None, *, as_json: bool) -> Path | None:
    """The file to write; None is standard output."""
    target = None if output is None or str(output) == "-" else output
    if target is None and as_json:
        raise click.UsageError("--json and the sound cannot share standard output: add -o FILE")
    if output is None and sys.stdout.isatty():
        raise click.UsageError("Name a file with -o, or pipe the sound into another program")
    return target


def _write(pieces: Generator[bytes, None, None], target: Path | None) -> int:
    with closing(pieces), written(target) as file:
        count = 0
        for piece in pieces:
            count += file.write(piece)
            if target is None:
                file.flush()
    return count


def _write_subtitles(text: str, words: list[Word], target: Path) -> None:
    from open_speech.transcripts.cues import cues_of_speech
    from open_speech.transcripts.subtitles import to_srt

    with written(target) as file:
        file.write(to_srt(cues_of_speech(text, words)).encode("utf-8"))
    click.echo(f"{target}: the subtitles", err=True)
