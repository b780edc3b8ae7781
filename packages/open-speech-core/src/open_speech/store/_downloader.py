"""From what a model asks for to verified files and a record of them."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .._types.models import ModelInfo, ModelSource
from ..errors import DiskFull, DownloadFailed, Offline, OpenSpeechError
from ._files import check_free_space, is_intact, link_or_copy, stopped, writing
from ._policy import DownloadPolicy
from ._progress import ProgressCallback, ProgressMeter
from ._records import FileEntry, Record, SourceEntry, matches, unmatched
from ._retry import trying
from ._slot import Slot
from ._user_cache import Snapshot, find_snapshot

if TYPE_CHECKING:
    from ._hub import Hub

_T = TypeVar("_T")
_logger = logging.getLogger(__name__)
_POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class DownloadSettings:
    """What a store was made with, as far as downloading is concerned."""

    endpoint: str | None
    token: str | None = field(repr=False)
    offline: bool
    user_cache: Path | None
    file_hosts: Collection[str]
    policy: DownloadPolicy
    locks_work: bool = True


@dataclass(frozen=True, kw_only=True)
class DownloadSpec:
    """A source and where it stands."""

    source: ModelSource
    revision: str | None
    """The commit, branch or tag; None is the newest."""
    prefer_user_cache: bool
    """Whether a commit that the user has will do, instead of asking which is the newest."""


def specs_of(model: ModelInfo, slot: Slot, revision: str | None) -> list[DownloadSpec]:
    """What to fetch: the commits that are recorded, where there are any, else what was asked."""
    main = next((s for s in model.sources if s.key == "model"), model.sources[0])
    own, current = slot.record(revision), slot.record(None)
    found = []
    for source in model.sources:
        records = [own] if source is main else [own, current]
        entries = [record.source(source.key) for record in records if record is not None]
        commits = [e.revision for e in entries if e is not None and e.repo_id == source.repo_id]
        asked = revision if revision is not None and source is main else source.revision
        commit = next(filter(None, commits), asked)
        found.append(DownloadSpec(source=source, revision=commit, prefer_user_cache=True))
    return found


def newest(model: ModelInfo) -> list[DownloadSpec]:
    """What to fetch for an update."""
    return [
        DownloadSpec(source=source, revision=source.revision, prefer_user_cache=False)
        for source in model.sources
    ]


class Downloader:
    """One download of one model. The slot's lock is held by the caller."""

    def __init__(
        self,
        settings: DownloadSettings,
        slot: Slot,
        others: Iterable[Slot],
        packaged: Mapping[str, Path],
        progress: ProgressCallback,
        cancelled: threading.Event,
    ) -> None:
        self._settings = settings
        self._slot = slot
        self._others = others
        self._packaged = packaged
        self._meter = ProgressMeter(progress)
        self._cancelled = cancelled

    def run(self, wanted: Sequence[DownloadSpec], requested: str | None) -> Record:
        """Have every file in place, verified; returns the record, which is on disk."""
        record = run_cancellable(self._run(wanted, requested), self._cancelled, self._meter.tick)
        with writing(self._slot.folder):
            self._slot.folder.mkdir(parents=True, exist_ok=True)
            record.write(self._slot.record_path(requested))
        self._meter.finish()
        return record

    async def _run(self, wanted: Sequence[DownloadSpec], requested: str | None) -> Record:
        if self._settings.offline:
            entries = [self._from_user_cache(spec) for spec in wanted]
            self._meter.expect(sum(f.size for entry in entries for f in entry.files))
            return self._record(entries, requested)
        from ._hub import Hub

        async with Hub(
            endpoint=self._settings.endpoint,
            token=self._settings.token,
            policy=self._settings.policy,
            file_hosts=self._settings.file_hosts,
        ) as hub:
            entries = [await self._resolve(hub, spec) for spec in wanted]
            self._meter.expect(sum(f.size for entry in entries for f in entry.files))
            with writing(self._slot.folder):
                self._slot.partial.mkdir(parents=True, exist_ok=True)
                missing = self._missing([e for e in entries if e.folder is None])
                self._check_space([file for _, file in missing])
            await self._fetch_all(hub, missing)
        return self._record(entries, requested)

    def _record(self, entries: list[SourceEntry], requested: str | None) -> Record:
        return Record(
            model=self._slot.model,
            kind=self._slot.kind,
            requested=requested,
            sources=tuple(entries),
        )

    # -- which files -----------------------------------------------------------------------------

    async def _resolve(self, hub: Hub, spec: DownloadSpec) -> SourceEntry:
        """The files of a source, in the user's cache if they are all there."""
        source = spec.source
        own = self._snapshot(spec) if spec.prefer_user_cache else None
        revision = own.commit if own is not None else spec.revision
        what = f"Looking up {source.repo_id}"
        try:
            listing = await trying(
                self._settings.policy, what, lambda: hub.list(source.repo_id, revision)
            )
        except OpenSpeechError:
            if own is None:
                raise
            _logger.warning("%s failed; the user's cache is trusted to be whole", what)
            return self._from_user_cache(spec)
        wanted = (*source.files, *source.optional) if source.files else ()
        files = tuple(file for file in listing.files if matches(file.path, wanted))
        lacking = unmatched([file.path for file in listing.files], source.files)
        if lacking or not files:
            raise DownloadFailed(
                f"The repository {source.repo_id} at {listing.commit} has no file "
                f"{', '.join(lacking) or 'at all'}.",
                hint="It is not of the format that the model's provider reads.",
            )
        theirs = find_snapshot(self._settings.user_cache, source.repo_id, listing.commit)
        if theirs is not None and theirs.has(files, self._cancelled):
            return _entry(source, listing.commit, files, str(theirs.folder))
        if own is not None and spec.revision is None:  # theirs is not whole: then the newest
            return await self._resolve(hub, replace(spec, prefer_user_cache=False))
        return _entry(source, listing.commit, files, None)

    def _from_user_cache(self, spec: DownloadSpec) -> SourceEntry:
        """The files of a source without asking a hub: in the store already, or the user's."""
        own = self._snapshot(spec)
        if own is not None:
            wanted = spec.source.files
            files = own.entries((*wanted, *spec.source.optional) if wanted else ())
            whole = files and not unmatched([f.path for f in files], spec.source.files)
            if whole and own.has(files, self._cancelled):
                return _entry(spec.source, own.commit, files, str(own.folder))
        unread = self._slot.unread()
        said = f"cannot be used, as {unread[0]} cannot be read" if unread else "are not here"
        raise Offline(
            f"The weights of {self._slot.model!r} {said}, and offline mode is on.",
            model=self._slot.model,
            hint="Switch it off for the first download, or import the weights from a machine "
            "that has them.",
        )

    def _snapshot(self, spec: DownloadSpec) -> Snapshot | None:
        return find_snapshot(self._settings.user_cache, spec.source.repo_id, spec.revision)

    # -- fetching them ---------------------------------------------------------------------------

    def _missing(self, entries: list[SourceEntry]) -> list[tuple[SourceEntry, FileEntry]]:
        """What has to be fetched; what lies in the store under another name is linked."""
        missing: list[tuple[SourceEntry, FileEntry]] = []
        elsewhere = self._elsewhere()
        for entry in entries:
            for file in entry.files:
                target = self._slot.folder / entry.folder_name / file.path
                if is_intact(target, file, self._cancelled) or self._link(
                    elsewhere.get(file.digest), target, file
                ):
                    self._meter.at(target, file.size)
                else:
                    missing.append((entry, file))
        return missing

    def _link(self, twin: Path | None, target: Path, file: FileEntry) -> bool:
        if twin is None or not is_intact(twin, file, self._cancelled):
            return False
        try:
            link_or_copy(twin, target, self._slot.partial)
        except FileNotFoundError:  # its model was deleted just now
            return False
        return True

    def _elsewhere(self) -> dict[str, Path]:
        """Files by their checksum: of installed packages, of other models, of other revisions."""
        found: dict[str, Path] = dict(self._packaged)
        for slot in [self._slot, *self._others]:
            for record in slot.records().values():
                for entry in record.sources:
                    folder = slot.path_of(record, entry.key)
                    if entry.folder is None:
                        found |= {file.digest: folder / file.path for file in entry.files}
        return found

    def _check_space(self, missing: list[FileEntry]) -> None:
        begun = sum(path.stat().st_size for path in self._slot.partial.glob("*.part"))
        left = max(0, sum(file.size for file in missing) - begun)
        check_free_space(self._slot.folder, left, self._settings.policy.free_space_factor)

    async def _fetch_all(self, hub: Hub, missing: list[tuple[SourceEntry, FileEntry]]) -> None:
        by_digest: dict[str, list[tuple[SourceEntry, FileEntry]]] = {}
        for entry, file in missing:
            by_digest.setdefault(file.digest, []).append((entry, file))
        places = asyncio.Semaphore(self._settings.policy.parallel)
        first: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for same in by_digest.values():
                    group.create_task(self._fetch(hub, places, same))
        except BaseExceptionGroup as errors:
            first = errors.exceptions[0]
        if isinstance(first, DiskFull):  # give back what we took: others need the disk as well
            for path in self._slot.partial.glob("*"):
                path.unlink(missing_ok=True)
        if first is not None:
            raise first

    async def _fetch(
        self, hub: Hub, places: asyncio.Semaphore, same: list[tuple[SourceEntry, FileEntry]]
    ) -> None:
        """Fetch a content once, and give it to every place that wants it."""
        from ._fetch import Fetch

        (entry, file), *further = same
        target = self._slot.folder / entry.folder_name / file.path
        async with places:
            await Fetch(
                hub,
                self._settings.policy,
                self._meter,
                repo_id=entry.repo_id,
                commit=entry.commit,
                entry=file,
                partial_folder=self._slot.partial,
                take_over=self._settings.locks_work,
            ).run(target)
        for other, twin in further:
            place = self._slot.folder / other.folder_name / twin.path
            with writing(self._slot.folder):
                link_or_copy(target, place, self._slot.partial)
            self._meter.at(place, twin.size)


def _entry(
    source: ModelSource, commit: str, files: tuple[FileEntry, ...], folder: str | None
) -> SourceEntry:
    if folder is not None:
        files = tuple(
            replace(file, modified_ns=(Path(folder) / file.path).stat().st_mtime_ns)
            for file in files
        )
    try:
        return SourceEntry(
            key=source.key,
            repo_id=source.repo_id,
            commit=commit,
            patterns=source.files,
            files=files,
            folder=folder,
        )
    except ValueError as error:
        raise DownloadFailed(f"The source {source.repo_id} cannot be stored: {error}.") from error


def run_cancellable(
    work: Coroutine[Any, Any, _T], cancelled: threading.Event, tick: Callable[[], None]
) -> _T:
    """Run a coroutine on an event loop of its own; DownloadCancelled soon after the event is set.

    The loop's threads are not waited for: a name server that does not answer would hold them.
    """
    loop = asyncio.new_event_loop()
    task = loop.create_task(work)

    def watch() -> None:
        loop.call_later(_POLL_S, watch)
        if cancelled.is_set():
            task.cancel()
        else:
            tick()

    try:
        loop.call_soon(watch)
        return loop.run_until_complete(task)
    except asyncio.CancelledError:
        raise stopped() from None
    finally:
        if not task.done():  # interrupted from the keyboard
            task.cancel()
            with suppress(KeyboardInterrupt, SystemExit):
                loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
