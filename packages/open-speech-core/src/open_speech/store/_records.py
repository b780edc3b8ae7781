"""What the store knows of a model: a small file of JSON beside its weights.

A model counts as downloaded when its record says so, and a record is written only after every
file was verified. Records come from volumes and from other machines, so reading one trusts
nothing: whatever is not as it should be makes it no record.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from .._files.records import is_later
from .._types.ids import ModelId
from .._types.models import Kind, ModelInfo, ModelSource
from ..errors import InvalidModelId

VERSION = 1
NO_COMMIT = "0" * 24
"""Begins what stands for the commit of files that came with packages which name none."""
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MAX_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class StoredModel:
    """One downloaded model, for lists."""

    id: str
    kind: Kind
    revision: str | None
    """The commit of its main repository; None for files of packages that name none."""
    requested: str | None
    """The revision that it was asked for by, or None for the one that follows updates."""
    size_bytes: int
    path: Path
    """Where the files of its main repository lie."""
    in_user_cache: bool
    """Whether they lie in the user's own hub cache, and are not the store's to delete."""
    packages: tuple[str, ...] = ()
    """Installed packages that they lie in, as ``name==version``; not the store's to delete."""
    record: Record = field(repr=False)
    """What exactly is here."""

    def serves(self, model: ModelInfo) -> bool:
        """Whether these are the files that a model of this name asks for now."""
        return self.record.serves(model)


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """One file as the hub lists it: where, how long, and what its content hashes to."""

    path: str
    size: int
    digest: str
    """SHA-256 (64 digits), or git's SHA-1 of a small file (40 digits), in hexadecimal."""
    modified_ns: int | None = None
    """In the user's own hub cache: when the file that was verified had been written."""

    def __post_init__(self) -> None:
        if not is_safe_path(self.path):
            raise ValueError(f"unsafe path {self.path[:128]!a}")
        if type(self.size) is not int or self.size < 0:
            raise ValueError(f"no size for {self.path}")
        if not _DIGEST.fullmatch(str(self.digest)):
            raise ValueError(f"no checksum for {self.path}")


@dataclass(frozen=True, kw_only=True)
class SourceEntry:
    """The files of one source at one commit."""

    key: str
    repo_id: str
    commit: str
    patterns: tuple[str, ...]
    files: tuple[FileEntry, ...]
    folder: str | None = None
    """Where they lie in the user's own hub cache, or None: in the store."""

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"the key {self.key[:64]!a} of a source is no plain word")
        if not _COMMIT.fullmatch(self.commit):
            raise ValueError(f"{self.commit[:64]!a} is not a commit")

    @property
    def revision(self) -> str | None:
        """The commit, where it is known: one that the hub can be asked for."""
        return None if self.commit.startswith(NO_COMMIT) else self.commit

    @property
    def folder_name(self) -> str:
        """Of the folder in the store."""
        return f"{self.key}@{self.commit}"

    def serves(self, source: ModelSource) -> bool:
        """Whether it holds what a source asks for now, at whatever revision."""
        return self.repo_id == source.repo_id and self.patterns == source.files


@dataclass(frozen=True, kw_only=True)
class Record:
    """A model's verified files."""

    model: str
    kind: Kind
    requested: str | None
    sources: tuple[SourceEntry, ...]

    def source(self, key: str) -> SourceEntry | None:
        """The source of a key."""
        return next((entry for entry in self.sources if entry.key == key), None)

    def serves(self, model: ModelInfo) -> bool:
        """Whether it holds what every source of a model asks for now, at whatever revision."""
        found = ((self.source(source.key), source) for source in model.sources)
        return all(entry is not None and entry.serves(source) for entry, source in found)

    @property
    def main(self) -> SourceEntry:
        """The source whose commit is the model's revision."""
        return self.source("model") or self.sources[0]

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size for entry in self.sources for file in entry.files)

    def write(self, path: Path) -> None:
        """Put it on disk, whole or not at all."""
        text = json.dumps({"version": VERSION, **asdict(self)}, indent=1)
        write_atomically(path, text.encode())


def read_record(path: Path) -> Record | None:
    """The record in a file, or None if there is none that can be trusted."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_MAX_BYTES))
        if is_later(data["version"], VERSION, path) or data["version"] != VERSION:
            return None
        sources = tuple(_source(entry) for entry in data["sources"])
        if not sources:
            return None
        return Record(
            model=ModelId.parse(data["model"]).name,
            kind=Kind(data["kind"]),
            requested=data["requested"],
            sources=sources,
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError, InvalidModelId):
        return None


def _source(data: Mapping[str, Any]) -> SourceEntry:
    return SourceEntry(
        key=data["key"],
        repo_id=data["repo_id"],
        commit=data["commit"],
        patterns=tuple(data["patterns"]),
        files=tuple(
            FileEntry(
                path=file["path"],
                size=file["size"],
                digest=file["digest"],
                modified_ns=file.get("modified_ns"),
            )
            for file in data["files"]
        ),
        folder=data["folder"],
    )


def is_safe_path(path: object) -> bool:
    """Whether a hub's name for a file stays below the folder that it is put in."""
    if not isinstance(path, str) or not path or len(path) > 1024:
        return False
    if any(character in path for character in "\\\0\r\n:") or not path.isprintable():
        return False
    parts = path.split("/")
    return not PurePosixPath(path).is_absolute() and all(
        part not in {"", ".", ".."} and len(part.encode()) <= 255 for part in parts
    )


def matches(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether a source's patterns ask for a file; no patterns ask for every file."""
    return not patterns or any(fnmatchcase(path, pattern) for pattern in patterns)


def unmatched(paths: list[str], patterns: tuple[str, ...]) -> list[str]:
    """The patterns that no path matches."""
    return [p for p in patterns if not any(fnmatchcase(path, p) for path in paths)]


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside the file, to the disk, and rename."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
