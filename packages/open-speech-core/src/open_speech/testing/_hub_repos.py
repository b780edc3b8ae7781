"""What the fake hub keeps: repositories, their files and commits, and the requests it met."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

LFS_BYTES = 1 << 20
"""Files from this size on are kept as large files, whose checksum is a SHA-256."""
LFS_SUFFIXES = frozenset({".bin", ".gguf", ".onnx", ".pt", ".pth", ".safetensors", ".zip"})
_BLOCK = 1 << 20


@dataclass(kw_only=True)
class Exchange:
    """One request, listed from the moment it arrives; the rest is filled in as it is served."""

    method: str
    key: str
    """``org/name/path`` for a file, ``api/org/name`` for everything else."""
    authorization: str | None
    status: int = 0
    start: int = 0
    """The first byte that was asked for."""
    sent: int = 0
    """Bytes of body that were handed to the socket."""
    ended: bool = False
    """Whether the answer is over."""


class RepoFile:
    """One file: bytes in memory or a path on disk. Digests are computed once, when asked for."""

    def __init__(self, path: str, source: bytes | Path) -> None:
        self.path = path
        self.source = source

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    @property
    def is_lfs(self) -> bool:
        """Whether it is kept as a large file."""
        return self.size >= LFS_BYTES or PurePosixPath(self.path).suffix in LFS_SUFFIXES

    @cached_property
    def sha256(self) -> str:
        """Of the content, in hexadecimal."""
        return self._digest(hashlib.sha256())

    @cached_property
    def blob_id(self) -> str:
        """The id that git gives to what it stores: the content, or a large file's pointer."""
        if not self.is_lfs:
            return self._digest(_sha1(f"blob {self.size}\0".encode()))
        pointer = (
            "version https://git-lfs.github.com/spec/v1\n"
            f"oid sha256:{self.sha256}\nsize {self.size}\n"
        ).encode()
        return _sha1(f"blob {len(pointer)}\0".encode() + pointer).hexdigest()

    @property
    def etag(self) -> str:
        """What the hub names the content by: SHA-256 of a large file, git's id of a small one."""
        return self.sha256 if self.is_lfs else self.blob_id

    def read(self, start: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``start``."""
        if isinstance(self.source, bytes):
            return self.source[start : start + length]
        with self.source.open("rb") as file:
            file.seek(start)
            return file.read(length)

    def describe(self) -> dict[str, object]:
        """As the routes that list a folder give it."""
        entry: dict[str, object] = {
            "type": "file",
            "path": self.path,
            "size": self.size,
            "oid": self.blob_id,
        }
        if self.is_lfs:
            entry["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": 134}
        return entry

    def describe_sibling(self, *, blobs: bool) -> dict[str, object]:
        """As the route that describes a repository gives it."""
        if not blobs:
            return {"rfilename": self.path}
        entry: dict[str, object] = {
            "rfilename": self.path,
            "size": self.size,
            "blobId": self.blob_id,
        }
        if self.is_lfs:
            entry["lfs"] = {"sha256": self.sha256, "size": self.size, "pointerSize": 134}
        return entry

    def _digest(self, state: hashlib._Hash) -> str:
        with self._open() as file:
            while block := file.read(_BLOCK):
                state.update(block)
        return state.hexdigest()

    def _open(self) -> BinaryIO:
        if isinstance(self.source, Path):
            return self.source.open("rb")
        return BytesIO(self.source)


class Repository:
    """Commits of one repository and the branches and tags that name them."""

    def __init__(self, repo_id: str) -> None:
        self.repo_id = repo_id
        self.commits: dict[str, dict[str, RepoFile]] = {}
        self.refs: dict[str, str] = {}

    def commit(self, files: Mapping[str, bytes | Path], revision: str = "main") -> str:
        """Add a state of the files, let ``revision`` point at it, and return its id."""
        tree = {path: RepoFile(path, source) for path, source in sorted(files.items())}
        names = "".join(f"{path}\0{file.etag}\n" for path, file in tree.items())
        commit = _sha1(f"{self.repo_id}\n{names}".encode()).hexdigest()
        self.commits.setdefault(commit, tree)
        self.refs[revision] = commit
        return commit

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, a tag or a commit names."""
        return self.refs.get(revision, revision if revision in self.commits else None)


def files_below(folder: Path) -> dict[str, bytes | Path]:
    """Every file below a folder by its path inside it, hidden ones left out."""
    return {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    }


def _sha1(start: bytes) -> hashlib._Hash:
    return hashlib.sha1(start, usedforsecurity=False)
