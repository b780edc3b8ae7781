"""The store: models' weights in one folder, fetched, verified, used and deleted the same way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .._files.lock import work_below
from .._types.models import Kind, ModelInfo
from ..errors import (
    DownloadFailed,
    InvalidModelId,
    InvalidRequest,
    ModelInUse,
    NotDownloaded,
    Offline,
)
from . import _progress, _transfer
from ._downloader import Downloader, DownloadSettings, DownloadSpec, newest, specs_of
from ._files import is_intact, writing
from ._licenses import Licenses
from ._packaged import Packaged, Packages, record_of, stored_model
from ._policy import DownloadPolicy
from ._progress import ProgressCallback
from ._records import Record, StoredModel
from ._redirects import is_http
from ._slot import Slot
from ._user_cache import refuse_users_own


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
        package_folders: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        """Nothing is read, made or contacted yet.

        ``endpoint`` None is the hub client's own; ``token`` None sends none, whatever the user is
        logged in as. ``user_cache`` is the user's own hub cache: what it holds is used in place.
        ``file_hosts`` are further hosts (``host`` or ``host:port``) that the hub may send us to for
        the bytes of files; public ones need no mention. ``licenses`` None keeps what was accepted
        beside the weights. ``package_folders`` lists where else packages with weights may be
        installed, beside the environment that we run in.
        """
        if endpoint is not None and not is_http(endpoint):
            raise InvalidRequest(
                f"{endpoint!a} cannot be the endpoint of a hub.",
                hint="An endpoint looks like https://hub.example.",
            )
        self.root = root.absolute()
        self._settings = DownloadSettings(
            endpoint=endpoint,
            token=token,
            offline=offline,
            user_cache=user_cache,
            file_hosts=tuple(file_hosts),
            policy=policy or DownloadPolicy(),
        )
        self._packages = Packages(package_folders)
        self._licenses = licenses or Licenses(self.root / "licenses")
        self._locks_work: bool | None = None

    # -- looking ---------------------------------------------------------------------------------

    def is_downloaded(self, model: ModelInfo, revision: str | None = None) -> bool:
        """Whether every file is here and was verified; reads one small file and some lengths.

        Files of packages are read by the first call of a process, and when they changed.
        """
        return not model.sources or self._find(self._slot(model), model, revision) is not None

    def paths(self, model: ModelInfo, revision: str | None = None) -> dict[str, Path]:
        """The folder of each source by its key; NotDownloaded if they are not all here."""
        if not model.sources:
            return {}
        slot = self._slot(model)
        return self._paths(slot, self._require(slot, model, revision))

    def revision(self, model: ModelInfo, revision: str | None = None) -> str | None:
        """The commit of the model's main repository that is here, if any is."""
        if not model.sources:
            return None
        slot = self._slot(model)
        record = slot.record(revision)
        if record is not None:
            return record.main.revision
        packaged = self._packaged(slot, model, revision)
        return packaged.revision if packaged is not None else None

    def size_bytes(self, model: ModelInfo, revision: str | None = None) -> int | None:
        """The bytes of the model's files that are here; None if it is not downloaded."""
        found = self._find(self._slot(model), model, revision) if model.sources else None
        return record_of(found).size_bytes if found is not None else None

    def find(self, model: ModelInfo, revision: str | None = None) -> StoredModel | None:
        """What is here of a model, all of it verified; None if it is not downloaded."""
        slot = self._slot(model)
        found = self._find(slot, model, revision)
        return stored_model(slot, found) if found is not None else None

    def list(self) -> tuple[StoredModel, ...]:
        """Every downloaded model, whichever provider it is for; not those of packages."""
        return tuple(
            stored_model(slot, record)
            for slot in self._slots()
            for record in slot.records().values()
            if slot.is_here(record)
        )

    def verify(self, model: ModelInfo, revision: str | None = None) -> tuple[Path, ...]:
        """Read every file again and return those that are missing or wrong.

        If there are any, the model no longer counts as downloaded, and ``ensure`` fetches them; of
        installed packages, it says what to do.
        """
        slot = self._slot(model)
        if model.sources and self._in_store(slot, model, revision) is None:
            packaged = self._packages.find(slot, model, revision)
            if packaged is not None:
                return packaged.faults(again=True)
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
        fetched whose licence has to be accepted and was not. DownloadFailed, too, where installed
        packages carry the files and one of those is damaged.
        """
        if not model.sources:
            return {}
        slot = self._slot(model)
        stop = cancelled or threading.Event()
        record = self._in_store(slot, model, revision)
        if record is None:
            self._licenses.require(model)
            if packaged := self._packages.find(slot, model, revision):
                packaged.check()
                return packaged.put_together(stop)
            self._probe_locks()
            with slot.changing(stop):
                record = self._in_store(slot, model, revision)  # another may have fetched it
                if record is None:
                    wanted = specs_of(model, slot, revision)
                    record = self._fetch(slot, model, wanted, revision, progress, stop)
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
            record = self._fetch(slot, model, newest(model), None, progress, stop)
            return record.main.commit

    def delete(self, model: ModelInfo, revision: str | None = None) -> None:
        """Delete a model's files, or those of one revision that was asked for by name.

        NotDownloaded if there are none, DeleteRefused if they lie in the user's own hub cache or in
        installed packages, ModelInUse while anybody on this volume holds or fetches them.
        """
        slot = self._slot(model)
        own = slot.records() if revision is None else slot.record(revision)
        if not own and (packaged := self._packages.find(slot, model, revision)):
            raise packaged.refuse_delete()
        if not slot.folder.is_dir() or (revision is not None and slot.record(revision) is None):
            raise NotDownloaded(f"The model {model.id!r} is not in the store.", model=model.id)
        for record in slot.records().values():
            refuse_users_own(model, record)
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
        found = self._find(slot, model, revision)
        if isinstance(found, Packaged) and found.writes_nothing:  # nor do we delete any of it
            yield self._paths(slot, found)
            return
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
            record = record_of(self._require(slot, model, revision))
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

    def _find(self, slot: Slot, model: ModelInfo, revision: str | None) -> Record | Packaged | None:
        """What serves a model's sources, all of it here: in the store, or else in packages."""
        return self._in_store(slot, model, revision) or self._packaged(slot, model, revision)

    def _packaged(self, slot: Slot, model: ModelInfo, revision: str | None) -> Packaged | None:
        """The packages that carry a model's files, all of them as they should be."""
        if not model.sources or self._licenses.pending(model):
            return None
        packaged = self._packages.find(slot, model, revision)
        return packaged if packaged is not None and not packaged.faults() else None

    @staticmethod
    def _in_store(slot: Slot, model: ModelInfo, revision: str | None) -> Record | None:
        """The record that serves a model's sources, all files of which are here."""
        record = slot.record(revision)
        here = record is not None and record.serves(model) and slot.is_here(record)
        return record if here else None

    def _require(self, slot: Slot, model: ModelInfo, revision: str | None) -> Record | Packaged:
        found = self._find(slot, model, revision)
        if found is None:
            raise NotDownloaded(
                f"The model {model.id!r} is not downloaded.",
                model=model.id,
                hint="Download it first.",
            )
        return found

    @staticmethod
    def _paths(slot: Slot, found: Record | Packaged) -> dict[str, Path]:
        if isinstance(found, Packaged):
            return found.put_together(threading.Event())
        return {entry.key: slot.path_of(found, entry.key) for entry in found.sources}

    def _fetch(
        self,
        slot: Slot,
        model: ModelInfo,
        wanted: Sequence[DownloadSpec],
        revision: str | None,
        progress: ProgressCallback,
        cancelled: threading.Event,
    ) -> Record:
        others = (other for other in self._slots() if other.folder != slot.folder)
        packaged = self._packages.find(slot, model)
        downloader = Downloader(
            self._settings, slot, others, packaged.files if packaged else {}, progress, cancelled
        )
        try:
            record = downloader.run(wanted, revision)
        except (DownloadFailed, Offline) as error:
            error.hint = " ".join(filter(None, (error.hint, self._packages.advice(model))))
            raise
        policy = self._settings.policy
        with writing(self.root):
            slot.sweep(keep_partial_s=0.0 if self._locks_work else policy.keep_partial_s)
        return record

    def _probe_locks(self) -> None:
        if self._locks_work is None:
            with writing(self.root):
                self.root.mkdir(parents=True, exist_ok=True)
                self._locks_work = work_below(self.root)


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
