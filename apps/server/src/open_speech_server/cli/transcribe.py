"""``open-speech transcribe``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from .connect import Server, connected, server_options
from .console import ProgressLine, emit, json_option
from .output import written
from .own_model import named

if TYPE_CHECKING:
    from .client import Heard

_IN_MEMORY = 16 * 2**20
"""Bytes of standard input that are kept in memory; what is longer goes to a passing file."""


@click.command("transcribe")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Output file."
)
@click.option(
    "--model",
    metavar="NAME|PATH",
    help="Model name, or the path of a model.  [default: STT_MODEL]",
)
@click.option("--language", metavar="TAG", help="Spoken language, such as en or de-AT.")
@click.option(
    "--prompt", metavar="TEXT", help="Preceding text or expected words, for models that support it."
)
@click.option("--words", is_flag=True, help="Print each word with its times, in seconds.")
@click.option("--diarize", is_flag=True, help="Name speakers: A, B and so on.")
@click.option("--srt", is_flag=True, help="Write SubRip subtitles.")
@click.option("--vtt", is_flag=True, help="Write WebVTT subtitles.")
@json_option
@server_options
def command(
    file: str,
    output: Path | None,
    server: Server,
    words: bool,  # noqa: FBT001 - click's way
    diarize: bool,  # noqa: FBT001
    srt: bool,  # noqa: FBT001
    vtt: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
    **specs_of: str | None,
) -> None:
    """Transcribe FILE; - reads standard input.

    Any common container will do. Text comes line by line, as it is understood.
    """
    if srt + vtt + as_json > 1 or (words and (srt or vtt)):
        raise click.UsageError("Choose one of --srt, --vtt, --json and --words")

    from .client import Hearing

    subtitles = "srt" if srt else "vtt" if vtt else None
    times = words or subtitles is not None or as_json or diarize
    specs_of["model"], own = named(specs_of["model"], server)
    asked = Hearing(words=words, times=times, subtitles=subtitles, diarize=diarize, **specs_of)
    progress, lines = ProgressLine(), list[str]()

    def on_text(text: str) -> None:
        if not times and text.strip():
            lines.append(text.strip())
            if output is None:
                progress.clear()
                click.echo(lines[-1])

    try:
        with _recording(file) as recording, connected(server, progress, own) as client:
            heard = client.transcribe(recording, asked, on_text)
    finally:
        progress.clear()
    if as_json and output is None:
        emit(_data(heard, words=words))
    elif times or output is not None:
        form = "json" if as_json else "words" if words else ""
        _deliver(_text(heard, form, lines, words=words), output)


@contextmanager
def _recording(file: str) -> Iterator[BinaryIO]:
    if file != "-":
        with Path(file).open("rb") as recording:
            if recording.seekable():
                yield recording
                return
            yield from _kept(recording)
        return
    yield from _kept(sys.stdin.buffer)


def _kept(stream: BinaryIO) -> Iterator[BinaryIO]:
    """A copy of a pipe that can be read from any place, as decoding needs."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as kept:
        shutil.copyfileobj(stream, kept)
        kept.seek(0)
        yield kept  # type: ignore[misc]  # a binary file in all but name


def _data(heard: Heard, *, words: bool) -> dict[str, object]:
    data: dict[str, object] = {
        "text": heard.text,
        "language": heard.language,
        "duration": round(heard.duration, 3),
        "segments": [
            {
                "start": round(each.start, 3),
                "end": round(each.end, 3),
                **({"speaker": each.speaker} if each.speaker is not None else {}),
                "text": each.text,
            }
            for each in heard.segments
        ],
    }
    if words:
        data["words"] = [
            {"start": round(each.start, 3), "end": round(each.end, 3), "word": each.text}
            for each in heard.words
        ]
    return data


def _text(heard: Heard, form: str, lines: list[str], *, words: bool) -> str:
    import json

    from open_speech.speakers.joining import speaker_lines

    if heard.subtitles is not None:
        return heard.subtitles
    match form:
        case "json":
            return json.dumps(_data(heard, words=words), ensure_ascii=False, indent=2) + "\n"
        case "words":
            return "".join(f"{w.start:.2f}\t{w.end:.2f}\t{w.text}\n" for w in heard.words)
    return speaker_lines(heard.segments) or "".join(f"{line}\n" for line in lines)


def _deliver(text: str, output: Path | None) -> None:
    with written(output) as file:
        file.write(text.encode("utf-8"))
