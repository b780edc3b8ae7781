"""Speech that is kept for a while, so that its link can be followed."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from open_speech import Audio, Word
from open_speech.codecs.decode import decode
from open_speech.codecs.encode import FORMATS, Encoder, with_length

from ..delivery import Encoded

MAX_FILES = 100
MAX_BYTES = 256 * 1024 * 1024
"""Of all of them."""
MAX_FILE = 32 * 1024 * 1024
"""Of one, which is in memory while it is made; a larger one is not kept."""
KEPT_S = 3600
_NAME = re.compile(r"[A-Za-z0-9_-]{22}\.[a-z0-9]{3,4}(\.json)?")
_RAW_RATE = 24_000
_TAG = re.compile(r"\[(?:voice:([^\[\]\n]{1,200})|(?:rate|pause):[^\[\]\n]{1,40})\]", re.IGNORECASE)


class Downloads:
    """A folder of finished files, the oldest of which go first. Methods block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new(self, audio_format: str) -> str:
        """A name that nobody can guess, for a file to come."""
        return f"{secrets.token_urlsafe(16)}.{audio_format}"

    def find(self, name: str) -> Path | None:
        """The file of this name, unless it is gone or was never there."""
        path = self._folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            return None
        return path if time.time() - path.stat().st_mtime < KEPT_S else None

    def keep(self, name: str, data: bytes, timing: object = None) -> None:
        """Write a file, and its times beside it; forget files over the limits."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._write(name, data)
        if timing is not None:
            self._write(f"{name}.json", json.dumps(timing, ensure_ascii=False).encode())
        self._tidy(keep=name)

    def _write(self, name: str, data: bytes) -> None:
        part = self._folder / f".{name}.part"
        part.write_bytes(data)
        part.replace(self._folder / name)

    def _tidy(self, keep: str) -> None:
        found = sorted(self._sounds(), key=lambda each: each[1], reverse=True)
        total, now = 0, time.time()
        for number, (path, written, size) in enumerate(found):
            total += size
            over = number >= MAX_FILES or total > MAX_BYTES or now - written > KEPT_S
            if over and path.name != keep:
                path.unlink(missing_ok=True)
                path.with_name(f"{path.name}.json").unlink(missing_ok=True)

    def _sounds(self) -> Iterator[tuple[Path, float, int]]:
        for path in self._folder.iterdir():
            if path.suffix != ".json":
                try:
                    status = path.stat()
                except FileNotFoundError:  # another server of this volume was faster
                    continue
                yield path, status.st_mtime, status.st_size


class Keeper:
    """Watches speech on its way to a client, and keeps it once it is whole."""

    def __init__(
        self, downloads: Downloads, audio_format: str, wanted: str | None, text: str | None
    ) -> None:
        """``wanted`` is the format to keep, if another; with ``text`` its sentences have times."""
        self._downloads = downloads
        self._format = audio_format
        self._wanted = wanted or audio_format
        self._text = text
        self._parts: list[bytes] = []
        self._bytes = self._samples = 0
        self._words: list[Word] = []
        self.name = downloads.new(self._wanted)

    def add(self, piece: Encoded) -> None:
        """Take a piece as it is sent."""
        self._bytes += len(piece.data)
        self._words += piece.words
        self._samples = piece.samples or self._samples
        if self._bytes <= MAX_FILE:
            self._parts.append(piece.data)
        else:
            self._parts.clear()

    def finish(self) -> None:
        """Keep what was sent. Blocks."""
        if not self._parts:
            return
        data = with_length(b"".join(self._parts), self._samples)
        if self._wanted != self._format:
            raw = f"audio/pcm;rate={_RAW_RATE}" if self._format == "pcm" else None
            data = _encoded(decode(data, sample_rate=_RAW_RATE, media_type=raw), self._wanted)
        timing = None if self._text is None else {"chunks": chunks(self._text, self._words)}
        self._downloads.keep(self.name, data, timing)


def _encoded(audio: Audio, audio_format: str) -> bytes:
    encoder = Encoder(audio_format)
    return with_length(encoder.feed(audio) + encoder.finish(), encoder.samples)


def chunks(text: str, words: list[Word]) -> list[dict[str, object]]:
    """The sentences of a text, with the times of the words in each, and who speaks it.

    ``text`` is the one that the words have their places in. A voice is told where a tag names one.
    """
    from open_speech.text.sentences import SentenceSplitter

    splitter = SentenceSplitter(None)
    found: list[dict[str, object]] = []
    voice: str | None = None
    for sentence in (*splitter.feed(text), *splitter.finish()):
        end = sentence.start + len(sentence.text)
        inside = [word for word in words if word.span and sentence.start <= word.span[0] < end]
        voices = [match[1] for match in _TAG.finditer(sentence.text) if match[1]]
        voice = voices[-1].strip() if voices else voice
        if inside:
            bare = " ".join(_TAG.sub(" ", sentence.text).split())
            times = {"start": round(inside[0].start, 3), "end": round(inside[-1].end, 3)}
            found.append({"text": bare, **times, **({"voice": voice} if voice else {})})
    return found


def media_type(path: Path) -> str:
    """Of a kept file."""
    if path.suffix == ".json":
        return "application/json"
    return FORMATS[path.suffix[1:]].media_type
