"""Recordings of people on disk: a WAV file each, and a record beside it that makes it count.

``<id>.wav`` is written first, ``<id>.json`` last and atomically, so a recording is there whole or
not at all, whenever a process is killed. Records come from volumes and other machines: reading one
trusts nothing, and whatever is not as it should be makes it no record. Files are readable for
their owner alone. Nothing here locks; see ``VoiceLibrary``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import secrets
import time
import unicodedata
import wave
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NewType

import numpy as np

from .._files.records import is_later
from .._types.audio import Audio
from ..errors import InvalidAudio, InvalidRequest, RecordingNotFound

__all__ = [
    "Recording",
]


RecordingId = NewType("RecordingId", str)
"""``voice_`` or ``cons_`` and 24 hexadecimal digits: safe as the name of a file."""
RecordingName = NewType("RecordingName", str)
"""At most 64 printable characters of one line, without slashes. Never part of a path."""

VERSION = 1
MAX_NAME = 64
MAX_TEXT = 2_000
"""Characters of a transcript, or of a consent."""
MAX_BYTES = 64 << 20
"""Of one WAV file; more is never written."""
ORPHAN_AGE_S = 3_600.0
"""Files without a record that are older were left behind by a killed process."""
_ID = re.compile(r"[a-z]{1,16}_[0-9a-f]{24}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_MAX_RECORD = 64 << 10
_END_OF_TIME = 253_402_300_800
"""The last second that has a date."""
_FULL_SCALE = 32_767.0


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What is known of one recording; its sound is read on its own."""

    id: RecordingId
    name: RecordingName
    created_at: int
    """Seconds since 1970."""
    seconds: float
    """How long it sounds."""
    size_bytes: int
    """Of the WAV file."""
    sha256: str
    """Of the WAV file, in hexadecimal."""
    language: str | None = None
    """BCP-47, as its owner says."""
    transcript: str | None = None
    """What it says, if its owner told."""
    consent: str | None = None
    """The id of the consent that it rests on, or the words in which it was given."""


_FIELDS = frozenset(field.name for field in fields(Recording))


def parse_name(text: str) -> RecordingName:
    """Read a name; spaces around it are dropped. Raises InvalidRequest."""
    name = unicodedata.normalize("NFC", text.strip()) if len(text) <= 4 * MAX_NAME else ""
    wrong = not name or len(name) > MAX_NAME or not name.isprintable() or set(name) & set("/\\")
    if wrong or name in {".", ".."} or _ID.fullmatch(name):
        raise InvalidRequest(
            f"The name {text[:32]!a} cannot be given to a recording.",
            param="name",
            hint=f"Choose up to {MAX_NAME} printable characters without slashes.",
        )
    return RecordingName(name)


def parse_id(text: str, kind: str) -> RecordingId | None:
    """Read an id of one kind; None for anything else."""
    fits = len(text) <= MAX_NAME and _ID.fullmatch(text) and text.startswith(f"{kind}_")
    return RecordingId(text) if fits else None


class Recordings:
    """The recordings of one kind, in one folder. Blocks; for any thread."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.kind = kind
        """What their ids begin with."""

    def add(
        self,
        audio: Audio,
        *,
        name: str,
        language: str | None = None,
        transcript: str | None = None,
        consent: str | None = None,
    ) -> Recording:
        """Write a recording. Raises InvalidRequest for details that are not right, and OSError."""
        if language is not None and not _LANGUAGE.fullmatch(language):
            raise InvalidRequest(
                f"{language[:32]!a} is no language tag.",
                param="language",
                hint="Write it like 'en' or 'pt-BR'.",
            )
        data = _to_wav(audio)
        recording = Recording(
            id=RecordingId(f"{self.kind}_{secrets.token_hex(12)}"),
            name=parse_name(name),
            created_at=int(time.time()),
            seconds=round(float(audio.seconds), 3),
            size_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            language=language,
            transcript=_checked(transcript, "transcript"),
            consent=_checked(consent, "consent"),
        )
        self._write(self._sound(recording.id), data)
        self.save(recording)
        return recording

    def save(self, recording: Recording) -> None:
        """Write a record, in place of the one of the same id. Raises OSError."""
        record = {"version": VERSION, **self._unknown(recording.id), **asdict(recording)}
        self._write(self._record(recording.id), json.dumps(record, indent=1).encode())

    def list(self) -> list[Recording]:
        """All of them, the oldest first."""
        found = filter(None, map(self.get, self._ids("json")))
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def get(self, recording_id: RecordingId) -> Recording | None:
        """One of them, or None."""
        try:
            record = self._read(recording_id)
            if is_later(record["version"], VERSION, self._record(recording_id)):
                return None
            recording = _from_record(record)
            with_sound = self._sound(recording_id).is_file()
        except (OSError, ValueError, KeyError, TypeError, InvalidRequest, RecursionError):
            return None
        return recording if recording.id == recording_id and with_sound else None

    def read(self, recording: Recording) -> Audio:
        """The sound, at the rate it was stored with.

        Raises RecordingNotFound if it was deleted meanwhile, InvalidAudio if it is damaged.
        """
        try:
            with self._sound(recording.id).open("rb") as file:
                data = file.read(MAX_BYTES)
        except OSError as error:
            raise not_found(recording.name) from error
        audio = _from_wav(data) if hashlib.sha256(data).hexdigest() == recording.sha256 else None
        if audio is None:
            raise InvalidAudio(
                f"The recording {recording.name!r} is damaged on the disk.",
                hint="Delete it and add it again.",
            )
        return audio

    def delete(self, recording_id: RecordingId) -> None:
        """Delete one; whoever is reading its sound reads on. Raises OSError."""
        self._record(recording_id).unlink(missing_ok=True)
        _sync(self.folder)
        self._sound(recording_id).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete what killed processes left behind."""
        whole = set(self._ids("json"))
        paths = [self._sound(each) for each in self._ids("wav") if each not in whole]
        oldest = time.time() - ORPHAN_AGE_S
        for path in [*paths, *self.folder.glob("*.tmp")]:
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()

    def _read(self, recording_id: RecordingId) -> dict[str, Any]:
        """A record as it is; ValueError, RecursionError or OSError where there is none."""
        with self._record(recording_id).open("rb") as file:
            record = json.loads(file.read(_MAX_RECORD))
        if not isinstance(record, dict):
            raise ValueError("no record")  # noqa: TRY004 - of the file
        return record

    def _unknown(self, recording_id: RecordingId) -> dict[str, Any]:
        """What a record holds for other versions: it stays in it."""
        try:
            record = self._read(recording_id)
        except (OSError, ValueError, RecursionError):
            return {}
        return {name: record[name] for name in record.keys() - _FIELDS - {"version"}}

    def _ids(self, ending: str) -> Iterator[RecordingId]:
        for path in self.folder.glob(f"{self.kind}_*.{ending}"):
            if found := parse_id(path.stem, self.kind):
                yield found

    def _record(self, recording_id: RecordingId) -> Path:
        return self.folder / f"{recording_id}.json"

    def _sound(self, recording_id: RecordingId) -> Path:
        return self.folder / f"{recording_id}.wav"

    def _write(self, path: Path, data: bytes) -> None:
        """Make a file appear whole, for its owner alone."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self.folder / f"{secrets.token_hex(8)}.tmp"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(self.folder)


def not_found(name: str) -> RecordingNotFound:
    """The error for a recording that is not there."""
    return RecordingNotFound(f"There is no recording {name[:MAX_NAME]!r}.")


def _checked(text: str | None, param: str) -> str | None:
    """A text that can be kept, or None for an empty one."""
    text = text.strip() if text else ""
    if len(text) > MAX_TEXT or any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidRequest(
            f"The {param} is too long, or no text.",
            param=param,
            hint=f"At most {MAX_TEXT} characters are kept.",
        )
    return text or None


def _from_record(record: Mapping[str, Any]) -> Recording:
    """Read a record; ValueError, TypeError or InvalidRequest for what is none."""
    if record["version"] != VERSION:
        raise ValueError("a record of another version")
    recording = Recording(**{name: record[name] for name in record.keys() & _FIELDS})
    texts = (recording.id, recording.name, recording.sha256)
    optional = (recording.language, recording.transcript, recording.consent)
    if not all(isinstance(text, str) for text in (*texts, *(each or "" for each in optional))):
        raise ValueError("a field of another type")
    numbers = (recording.created_at, recording.size_bytes)
    if any(type(number) is not int for number in numbers) or type(recording.seconds) is not float:
        raise ValueError("a field of another type")
    if not (0 <= recording.created_at < _END_OF_TIME and 0 <= recording.seconds <= MAX_BYTES):
        raise ValueError("a number out of range")
    if parse_name(recording.name) != recording.name:
        raise ValueError("no name")
    return recording


def _to_wav(audio: Audio) -> bytes:
    memory = io.BytesIO()
    with wave.open(memory, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(audio.sample_rate)
        scaled = np.rint(np.clip(audio.samples, -1.0, 1.0) * _FULL_SCALE)
        file.writeframes(scaled.astype("<i2").tobytes())
    return memory.getvalue()


def _from_wav(data: bytes) -> Audio | None:
    try:
        with wave.open(io.BytesIO(data)) as file:
            shape, rate = (file.getnchannels(), file.getsampwidth()), file.getframerate()
            frames = file.readframes(file.getnframes())
    except (wave.Error, EOFError):
        return None
    if shape != (1, 2) or rate <= 0 or len(frames) % 2:
        return None
    samples = np.frombuffer(frames, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
    return Audio(samples=samples, sample_rate=rate)


def _sync(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
