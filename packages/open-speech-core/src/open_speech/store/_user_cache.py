"""The user's own hub cache, used as it is: nothing in it is changed, fetched again or deleted.

Its layout is the hub client's documented one: ``models--ORG--NAME/`` with ``refs/<name>`` holding a
commit, ``snapshots/<commit>/`` with links into ``blobs/``, whose files are named by their checksum.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path

from .._types.models import ModelInfo
from ..errors import DeleteRefused
from ._files import is_intact, sha256_of
from ._records import FileEntry, Record, is_safe_path, matches

_COMMIT = re.compile(r"[0-9a-f]{40}")
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A commit of a repository that the user has, in part or whole."""

    commit: str
    folder: Path

    def entries(self, patterns: tuple[str, ...]) -> tuple[FileEntry, ...]:
        """The files that patterns ask for, with the checksums that their blobs are named by.

        Where the cache has no links (some file systems) a file is taken for what it is.
        """
        found = []
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.is_file() and is_safe_path(name) and matches(name, patterns):
                blob = path.resolve()
                named = path.is_symlink() and _DIGEST.fullmatch(blob.name)
                digest = blob.name if named else sha256_of(path)
                found.append(FileEntry(path=name, size=blob.stat().st_size, digest=digest))
        return tuple(found)

    def has(self, files: tuple[FileEntry, ...], cancelled: threading.Event) -> bool:
        """Whether all of some files are here and intact; reads them."""
        lengths = all(_length(self.folder / file.path) == file.size for file in files)
        return lengths and all(is_intact(self.folder / f.path, f, cancelled) for f in files)


def find_snapshot(cache: Path | None, repo_id: str, revision: str | None) -> Snapshot | None:
    """The user's snapshot at a commit, a branch or a tag (None: ``main``)."""
    name = revision or "main"
    if cache is None or not _REVISION.fullmatch(name):
        return None
    folder = cache / f"models--{repo_id.replace('/', '--')}"
    commit = name
    if not _COMMIT.fullmatch(name):
        try:
            commit = (folder / "refs" / name).read_text().strip()
        except (OSError, ValueError):
            return None
    snapshot = folder / "snapshots" / commit
    if not _COMMIT.fullmatch(commit) or not snapshot.is_dir():
        return None
    return Snapshot(commit=commit, folder=snapshot)


def refuse_users_own(model: ModelInfo, record: Record) -> None:
    """Raise DeleteRefused for files that lie in the user's own cache."""
    for entry in record.sources:
        if entry.folder is not None:
            raise DeleteRefused(
                f"The weights of {model.id!r} lie in your own hub cache, at {entry.folder}.",
                model=model.id,
                hint="Delete them there.",
            )


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
