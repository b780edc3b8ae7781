"""The store: models' weights in one folder, fetched, verified, used and deleted the same way."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..errors import (
    DeleteRefused,
    InvalidModelId,
    InvalidRequest,
    ModelInUse,
    NotDownloaded,
    Offline,
)
from ..models import Kind, ModelInfo
from . import _progress, _transfer
from ._files import is_intact, writing
from ._licenses import Licenses
from ._locks import work_below
from ._obtain import Obtain, Settings, Wish, newest, wishes
from ._policy import DownloadPolicy
from ._progress import ProgressCallback
from ._records import Record, StoredModel
from ._redirects import is_http
from ._slot import Slot


class Store:
    """Weights on disk, by model and revision.

    Every method may be called from any thread and from several processes on one volume; those that
    fetch or read files take as long as that takes. A model without sources needs nothing and is
    always there. ``revision`` is what followed the ``@`` of a model's name: None is the revision
    that was the newest at the first download, and moves only by ``update``.
    """

    def __init__(
        self,
        root: Path,
        *,
        endpoint: str | None = None,
        token: str | None = None,
        offline: bool = False,
        user_cache: Path | None = None,
        file_hosts: Collection[str] = (),
        policy: DownloadPolicy | None = None,
        licenses: Licenses | None = None,
    ) -> None:
        """Nothing is read, made or contacted yet.

        ``endpoint`` None is the hub client's own; ``token`` None sends none, whatever the user is
        logged in as. ``user_cache`` is the user's own hub cache: what it holds is used in place.
        ``file_hosts`` are further hosts (``host`` or ``host:port``) that the hub may send us to for
        the bytes of files; public ones need no mention. ``licenses`` None keeps what was accepted
        beside the weights.
        """
        if endpoint is not None and not is_http(endpoint):
            raise InvalidRequest(
                f"{endpoint!a} cannot be the endpoint of a hub.",
                hint="An endpoint looks like https://hub.example.",
            )
        self.root = root.absolute()
        self._settings = Settings(
            endpoint=endpoint,
            token=token,
            offline=offline,
            user_cache=user_cache,
            file_hosts=tuple(file_hosts),
            policy=policy or DownloadPolicy(),
        )
        self._licenses = licenses or Licenses(self.root / "licenses")
        self._locks_work: bool | None = None

    # -- looking ---------------------------------------------------------------------------------

    def is_downloaded(self, model: ModelInfo, revision: str | None = None) -> bool:
        """Whether every file is here and was verified; reads one small file and some lengths."""
        return not model.sources or self._find(self._slot(model), model, revision) is not None

    def paths(self, model: ModelInfo, revision: str | None = None) -> dict[str, Path]:
        """The folder of each source by its key; NotDownloaded if they are not all here."""
        if not model.sources:
            return {}
        slot = self._slot(model)
        return self._paths(slot, self._require(slot, model, revision))

    def revision(self, model: ModelInfo, revision: str | None = None) -> str | None:
        """The commit of the model's main repository that is here, if any is."""
        record = self._slot(model).record(revision) if model.sources else None
        return record.main.commit if record is not None else None

    def size_bytes(self, model: ModelInfo, revision: str | None = None) -> int | None:
        """The bytes of the model's files that are here; None if it is not downloaded."""
        record = self._find(self._slot(model), model, revision) if model.sources else None
        return record.size_bytes if record is not None else None

    def find(self, model: ModelInfo, revision: str | None = None) -> StoredModel | None:
        """What is here of a model, all of it verified; None if it is not downloaded."""
        slot = self._slot(model)
        record = self._find(slot, model, revision)
        return _stored(slot, record) if record is not None else None

    def list(self) -> tuple[StoredModel, ...]:
        """Every downloaded model, whichever provider it is for."""
        return tuple(
            _stored(slot, record)
            for slot in self._slots()
            for record in slot.records().values()
            if slot.is_here(record)
        )

    def verify(self, model: ModelInfo, revision: str | None = None) -> tuple[Path, ...]:
        """Read every file again and return those that are missing or wrong.

        If there are any, the model no longer counts as downloaded, and ``ensure`` fetches them.
        """
        slot = self._slot(model)
        record = slot.record(revision) if model.sources else None
        if record is None:
            return ()
        bad = tuple(
            slot.path_of(record, entry.key) / file.path
            for entry in record.sources
            for file in entry.files
            if not is_intact(slot.path_of(record, entry.key) / file.path, file)
        )
        if bad:
            with slot.changing(threading.Event()), writing(self.root):
                for path in bad:
                    if path.is_relative_to(slot.folder):
                        path.unlink(missing_ok=True)
                    else:  # the user's own: forget it, and fetch a copy
                        slot.record_path(record.requested).unlink(missing_ok=True)
        return bad

    def license_pending(self, model: ModelInfo) -> bool:
        """Whether the model's licence has to be accepted before anything is fetched."""
        return self._licenses.pending(model)

    # -- changing --------------------------------------------------------------------------------

    def accept_license(self, model: ModelInfo) -> None:
        """Accept the licence of a model's weights, for this and every other model under it."""
        self._licenses.accept(model)

    def ensure(
        self,
        model: ModelInfo,
        *,
        revision: str | None = None,
        progress: ProgressCallback = _progress.ignore,
        cancelled: threading.Event | None = None,
    ) -> dict[str, Path]:
        """Have every file here and verified, and return the folder of each source by its key.

        What is here already contacts nothing. Two callers that want the same fetch it once: the
        other waits. DownloadCancelled soon after ``cancelled`` is set; a later call goes on where
        this one stopped, also after a killed process. LicenseNotAccepted before anything is
        fetched whose licence has to be accepted and was not.
        """
        if not model.sources:
            return {}
        slot = self._slot(model)
        record = self._find(slot, model, revision)
        if record is None:
            self._licenses.require(model)
            stop = cancelled or threading.Event()
            self._probe_locks()
            with slot.changing(stop):
                record = self._find(slot, model, revision)  # another may have fetched it
                if record is None:
                    wanted = wishes(model, slot, revision)
                    record = self._obtain(slot, wanted, revision, progress, stop)
        return self._paths(slot, record)

    def update(
        self,
        model: ModelInfo,
        *,
        progress: ProgressCallback = _progress.ignore,
        cancelled: threading.Event | None = None,
    ) -> str | None:
        """Move to the newest revision, or to the one that the catalogue names; return its commit.

        Files that did not change are not fetched again. Whoever has the old ones loaded keeps them;
        they are deleted when nobody does.
        """
        if not model.sources:
            return None
        if self._settings.offline:
            raise Offline(
                f"The model {model.id!r} cannot be updated: offline mode is on.", model=model.id
            )
        self._licenses.require(model)
        slot = self._slot(model)
        stop = cancelled or threading.Event()
        self._probe_locks()
        with slot.changing(stop):
            return self._obtain(slot, newest(model), None, progress, stop).main.commit

    def delete(self, model: ModelInfo, revision: str | None = None) -> None:
        """Delete a model's files, or those of one revision that was asked for by name.

        NotDownloaded if there are none, DeleteRefused if they lie in the user's own hub cache,
        ModelInUse while anybody on this volume holds or fetches them.
        """
        slot = self._slot(model)
        if not slot.folder.is_dir() or (revision is not None and slot.record(revision) is None):
            raise NotDownloaded(f"The model {model.id!r} is not in the store.", model=model.id)
        for record in slot.records().values():
            self._refuse_users_own(model, record)
        with slot.changing_now() as alone:
            if not alone:
                raise ModelInUse(
                    f"The model {model.id!r} is being downloaded.",
                    model=model.id,
                    hint="Cancel the download first.",
                )
            with slot.unleased() as free:
                if not free:
                    raise ModelInUse(
                        f"The model {model.id!r} is in use by a server on this volume.",
                        model=model.id,
                        hint="Unload it there first.",
                    )
                with writing(self.root):
                    if revision is None or len(slot.records()) == 1:
                        slot.remove_everything()
                        return
                    slot.remove_record(revision)
            slot.sweep(keep_partial_s=0.0)

    @contextmanager
    def hold(self, model: ModelInfo, revision: str | None = None) -> Iterator[dict[str, Path]]:
        """Keep the files from being deleted, by other processes too; the folders as in ``paths``.

        NotDownloaded if they are not all here once they are held.
        """
        if not model.sources:
            yield {}
            return
        slot = self._slot(model)
        with slot.lease():
            yield self._paths(slot, self._require(slot, model, revision))

    def sweep(self) -> int:
        """Delete what downloads and updates left behind; returns the bytes freed.

        Parts that a later download can go on from are kept for a week.
        """
        freed = 0
        for slot in self._slots():
            with writing(self.root), slot.changing_now() as alone:
                if alone:
                    freed += slot.sweep(keep_partial_s=self._settings.policy.keep_partial_s)
        return freed

    # -- carrying --------------------------------------------------------------------------------

    def export(self, model: ModelInfo, folder: Path, revision: str | None = None) -> None:
        """Copy a model below a folder, from which ``import_`` reads; several may share one.

        The folder is itself a store: a server may be pointed at it as it is.
        """
        with self.hold(model, revision):
            slot = self._slot(model)
            record = self._require(slot, model, revision)
            _transfer.export(slot, record, folder.absolute())

    def import_(self, folder: Path) -> tuple[StoredModel, ...]:
        """Take over every model below an exported folder, verified; plain files only."""
        taken = []
        for source in _slots_below(folder.absolute()):
            slot = Slot(self.root, source.kind, source.model)
            for record in source.records().values():
                with slot.changing(threading.Event()):
                    _transfer.import_(source, record, slot)
                taken.append((record.model, record.kind, record.requested))
        return tuple(m for m in self.list() if (m.id, m.kind, m.requested) in taken)

    # -- inside ----------------------------------------------------------------------------------

    def _slot(self, model: ModelInfo) -> Slot:
        return Slot(self.root, model.kind, model.id)

    def _slots(self) -> Iterator[Slot]:
        return _slots_below(self.root)

    @staticmethod
    def _find(slot: Slot, model: ModelInfo, revision: str | None) -> Record | None:
        """The record that serves a model's sources, all files of which are here."""
        record = slot.record(revision)
        here = record is not None and record.serves(model) and slot.is_here(record)
        return record if here else None

    def _require(self, slot: Slot, model: ModelInfo, revision: str | None) -> Record:
        record = self._find(slot, model, revision)
        if record is None:
            raise NotDownloaded(
                f"The model {model.id!r} is not downloaded.",
                model=model.id,
                hint="Download it first.",
            )
        return record

    @staticmethod
    def _paths(slot: Slot, record: Record) -> dict[str, Path]:
        return {entry.key: slot.path_of(record, entry.key) for entry in record.sources}

    def _obtain(
        self,
        slot: Slot,
        wanted: Sequence[Wish],
        revision: str | None,
        progress: ProgressCallback,
        cancelled: threading.Event,
    ) -> Record:
        others = (other for other in self._slots() if other.folder != slot.folder)
        record = Obtain(self._settings, slot, others, progress, cancelled).run(wanted, revision)
        policy = self._settings.policy
        with writing(self.root):
            slot.sweep(keep_partial_s=0.0 if self._locks_work else policy.keep_partial_s)
        return record

    def _probe_locks(self) -> None:
        if self._locks_work is None:
            with writing(self.root):
                self.root.mkdir(parents=True, exist_ok=True)
                self._locks_work = work_below(self.root)

    @staticmethod
    def _refuse_users_own(model: ModelInfo, record: Record) -> None:
        for entry in record.sources:
            if entry.folder is not None:
                raise DeleteRefused(
                    f"The weights of {model.id!r} lie in your own hub cache, at {entry.folder}.",
                    model=model.id,
                    hint="Delete them there.",
                )


def _stored(slot: Slot, record: Record) -> StoredModel:
    return StoredModel(
        id=record.model,
        kind=record.kind,
        revision=record.main.commit,
        requested=record.requested,
        size_bytes=record.size_bytes,
        path=slot.path_of(record, record.main.key),
        in_user_cache=any(entry.folder for entry in record.sources),
        record=record,
    )


def _slots_below(root: Path) -> Iterator[Slot]:
    for kind in Kind:
        folder = root / kind.value
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
                try:
                    slot = Slot(root, kind, path.name.replace("+", "/"))
                except InvalidModelId:  # somebody else's folder
                    continue
                yield slot
