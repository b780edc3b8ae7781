"""One model's folder in the store, and its locks.

::

    <root>/.locks/stt/Systran+faster-whisper-base.lock     held by whoever changes the folder
    <root>/.locks/stt/Systran+faster-whisper-base.lease    shared by whoever uses the weights
    <root>/stt/Systran+faster-whisper-base/
        current.json                the record of the revision that updates move
        at-v1.0.json                the record of a revision that was asked for by name
        model@<commit>/             the files of the source ``model``
        packaged-<digest>/          links to the files of installed packages, and joined ones
        .partial/                   downloads under way

The ``+`` stands for ``/``: it is in no model's name, so no two names share a folder, and no folder
lies in another. Lock files are never deleted; deleting one while another process waits for it would
let both go on.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from .._files.lock import FileLock
from .._types.ids import ModelId
from .._types.models import Kind
from ..errors import DeleteRefused, InvalidModelId, ModelInUse
from ._files import is_intact, stopped, writing
from ._records import FileEntry, Record, read_record

PACKAGED = "packaged-"
"""Begins the names of folders that are put together out of packages' files."""
PARTS = ".parts"
"""The folder in such a one with links to everything that it is made of."""
_MAX_NAME = 200
_LEASE_WAIT_S = 10.0
"""A lease is waited for while another process deletes or sweeps, which is quick."""


class Slot:
    """Where one model lies. Any thread."""

    def __init__(self, root: Path, kind: Kind, model: str) -> None:
        name = ModelId.parse(model).name
        if name != model or len(name) > _MAX_NAME:
            raise InvalidModelId(
                f"{model[:64]!a} is not a plain model name of at most {_MAX_NAME} characters."
            )
        self.root = root
        self.kind = kind
        self.model = name
        folder = name.replace("/", "+")
        self.folder = root / kind.value / folder
        self.partial = self.folder / ".partial"
        self._locks = root / ".locks" / kind.value / folder

    # -- records ---------------------------------------------------------------------------------

    def record_path(self, revision: str | None) -> Path:
        """Of the record for a revision that was asked for; None is the one that updates move."""
        if revision is None:
            return self.folder / "current.json"
        parsed = ModelId.parse(f"{self.model}@{revision}").revision
        return self.folder / f"at-{parsed}.json"

    def record(self, revision: str | None) -> Record | None:
        """What was downloaded for a revision."""
        record = read_record(self.record_path(revision))
        if record is None and revision is not None:
            # The commit that is here anyway, asked for by its name.
            current = read_record(self.record_path(None))
            if current is not None and current.main.commit == revision:
                return current
        return record

    def records(self) -> dict[Path, Record]:
        """Every record in the folder."""
        try:
            found = {path: read_record(path) for path in sorted(self.folder.glob("*.json"))}
        except FileNotFoundError:  # deleted while we looked
            return {}
        return {path: record for path, record in found.items() if record is not None}

    def unread(self) -> list[Path]:
        """Files that should be records and cannot be read, say those of a later version."""
        known = self.records()
        return [path for path in sorted(self.folder.glob("*.json")) if path not in known]

    def path_of(self, record: Record, key: str) -> Path:
        """Where the files of a source lie."""
        entry = record.source(key)
        if entry is None:
            raise KeyError(key)
        return Path(entry.folder) if entry.folder else self.folder / entry.folder_name

    def is_here(self, record: Record) -> bool:
        """Whether every file of a record is there with its length.

        One in the user's own cache that was written since it was verified is read again.
        """
        for entry in record.sources:
            folder = self.path_of(record, entry.key)
            for file in entry.files:
                try:
                    status = (folder / file.path).stat()
                except OSError:
                    return False
                if status.st_size != file.size:
                    return False
                unchanged = file.modified_ns in (None, status.st_mtime_ns) or not entry.folder
                if not (unchanged or _is_still(folder / file.path, file, status.st_mtime_ns)):
                    return False
        return True

    # -- locks -----------------------------------------------------------------------------------

    @contextmanager
    def changing(self, cancelled: threading.Event) -> Iterator[None]:
        """Be the only one that changes the folder; wait for others that do."""
        with FileLock(self._locks.with_name(f"{self._locks.name}.lock")) as lock:
            with writing(self.root):
                acquired = lock.acquire(cancelled)
            if not acquired:
                raise stopped()
            yield

    @contextmanager
    def changing_now(self) -> Iterator[bool]:
        """Be the only one that changes the folder, if nobody else does: yields whether."""
        with FileLock(self._locks.with_name(f"{self._locks.name}.lock")) as lock:
            with writing(self.root):
                acquired = lock.try_acquire()
            yield acquired

    def lease(self) -> FileLock:
        """The shared lock that keeps the files from being deleted, acquired."""
        lock = self._lease_lock(shared=True)
        with writing(self.root):
            acquired = lock.acquire(threading.Event(), _LEASE_WAIT_S)
        if not acquired:
            raise ModelInUse(f"The model {self.model!r} is being deleted.", model=self.model)
        return lock

    @contextmanager
    def unleased(self) -> Iterator[bool]:
        """Keep everybody from using the files, if nobody does: yields whether."""
        with self._lease_lock(shared=False) as lock:
            with writing(self.root):
                acquired = lock.try_acquire()
            yield acquired

    def _lease_lock(self, *, shared: bool) -> FileLock:
        return FileLock(self._locks.with_name(f"{self._locks.name}.lease"), shared=shared)

    # -- removing --------------------------------------------------------------------------------

    def remove_everything(self) -> None:
        """Delete the folder. Both locks are held, and the store has decided that it may go."""
        for path in self.folder.glob("*.json"):
            path.unlink()  # first: whatever interrupts this, half a model never counts as one
        self._remove(self.folder)

    def remove_record(self, revision: str) -> None:
        """Forget a revision that was asked for by name; ``sweep`` then deletes its files."""
        self.record_path(revision).unlink(missing_ok=True)

    def sweep(self, *, keep_partial_s: float) -> int:
        """Delete what no record needs and nobody touched for so long; the lock is held.

        Returns how many bytes that were.
        """
        if not self.folder.is_dir() or self.folder.is_symlink():
            return 0
        freed = 0
        limit = time.time() - keep_partial_s
        for path in [*self.folder.glob(".*.tmp"), *self.partial.glob("*")]:
            status = path.stat()
            if status.st_mtime <= limit:
                path.unlink(missing_ok=True)
                freed += status.st_size
        fetched = self.record(None) is not None  # which goes before packages
        lost = [path for path in self.folder.glob(f"{PACKAGED}*") if fetched or _is_lost(path)]
        if self.unread():  # they may need any of the files
            return freed
        needed = {entry.folder_name for r in self.records().values() for entry in r.sources}
        unneeded = lost + [
            path
            for path in self.folder.glob("*@*")
            if path.name not in needed and path.is_dir() and path.stat().st_mtime <= limit
        ]
        if unneeded:
            with self.unleased() as free:
                for path in unneeded if free else ():
                    freed += size_of(path)
                    self._remove(path)
        return freed

    def _remove(self, path: Path) -> None:
        """Delete a folder of this slot, and nothing else, whatever links there may be."""
        home = self.root.resolve() / self.kind.value
        resolved = path.resolve()
        if path.is_symlink() or resolved.parent not in {home, home / self.folder.name}:
            raise DeleteRefused(
                f"{path} is a link or leads out of {home}; it was not deleted.",
                hint="Delete it by hand.",
            )
        if path.is_dir():
            shutil.rmtree(path)


def _is_lost(folder: Path) -> bool:
    """Whether what a folder was put together of was uninstalled."""
    return any(not link.exists() for link in folder.glob(f"{PARTS}/*"))


def size_of(folder: Path) -> int:
    """The bytes of the files below a folder."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


@lru_cache(maxsize=1024)
def _is_still(path: Path, file: FileEntry, modified_ns: int) -> bool:  # noqa: ARG001 - the key
    """Whether a file has the content that it had; read once for each time that it was written."""
    return is_intact(path, file)
