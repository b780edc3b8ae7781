"""The folder in which environments live."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from .._plugins.hookspecs import PROJECT
from ..errors import InvalidRequest
from ._base_environment import BaseEnvironment, requested
from ._interpreter import inventory, shared_with_base
from ._lock import tried_lock, usable, waited_lock
from ._needs import Needs, read_needs
from ._pip import Pip, Planned, find_uv
from ._records import Change, Clash, Environment, Record, distributions, normalise
from ._requests import PipOutput, Request, make_request, together

_LOCK = ".lock"
_BASE_STAMP = ".base"
_DIRECTORY = re.compile(r".+-[0-9a-f]{8}")


class EnvironmentStore:
    """Installs providers into environments of their own, or into the one we run in.

    Every method may be called from any thread and any process: installations wait for each
    other through a lock file. A folder counts only once its record, written last, names it, so
    what a failure or a kill leaves behind is never used, and ``sweep()`` deletes it.
    """

    def __init__(
        self,
        root: Path,
        *,
        base_python: Path | None = None,
        group: str = PROJECT,
        use_uv: bool = True,
    ) -> None:
        self.root = root
        # Not resolved: a virtual environment is found through the link's own place.
        python = Path(base_python or sys.executable)
        self._base = BaseEnvironment(
            python=python, group=group, uv=find_uv(python) if use_uv else None
        )

    def list(self) -> list[Environment]:
        """Every complete environment, by name. Cheap: one small file each."""
        return [record.to_environment(self.root) for record in self._records()]

    def get(self, name: str) -> Environment | None:
        """The environment of a distribution, however its name is spelt."""
        return next((e for e in self.list() if e.name == normalise(name)), None)

    def package_folders(self) -> tuple[Path, ...]:
        """Where the packages of complete environments are, the base one's aside; for ``Store``."""
        roots = (environment.root for environment in self.list() if environment.root is not None)
        return tuple(chain.from_iterable(root.glob("lib/python*/site-packages") for root in roots))

    def fingerprint(self) -> tuple[tuple[str, int, int], ...]:
        """Changes whenever something is installed, upgraded or removed, by any process."""
        found = []
        for path in (*self.root.glob("*.json"), self.root / _BASE_STAMP):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found.append((path.name, status.st_mtime_ns, status.st_ino))
        return tuple(sorted(found))

    def check(
        self,
        requirement: str,
        *more: str,
        upgrade: bool = False,
        constraints: Sequence[str] = (),
        progress: PipOutput | None = None,
        cancelled: threading.Event | None = None,
    ) -> Clash | None:
        """What installing into the base environment would replace there; None if nothing.

        ``more`` is what would be installed along with it. Installs nothing. Raises InstallFailed
        if the requirements cannot be met at all, one by one or together.
        """
        requests = [
            make_request(
                each,
                constraints=constraints,
                upgrade=upgrade,
                progress=progress,
                cancelled=cancelled,
            )
            for each in (requirement, *more)
        ]
        request = together(requests) if more else requests[0]
        return self._base.clash(request.requirement, self._base.resolve(request))

    def left_out(
        self,
        requirement: str,
        *,
        upgrade: bool = False,
        constraints: Sequence[str] = (),
        progress: PipOutput | None = None,
        cancelled: threading.Event | None = None,
    ) -> tuple[str, ...]:
        """What a provider is given in an environment of its own alone; for most, nothing.

        Requirements, those of its engine first. Fetches the provider, as nothing else tells, and
        installs nothing. Raises InstallFailed.
        """
        request = make_request(
            requirement,
            constraints=constraints,
            upgrade=upgrade,
            progress=progress,
            cancelled=cancelled,
        )
        return self._base.left_out(request)

    def install(
        self,
        requirement: str,
        *,
        isolated: bool,
        upgrade: bool = False,
        force: bool = False,
        constraints: Sequence[str] = (),
        progress: PipOutput | None = None,
        cancelled: threading.Event | None = None,
    ) -> Environment:
        """Install a provider: a name, ``name==version``, a wheel or a project's folder.

        ``isolated``: into an environment of its own; one that is there already is kept as it is
        if it was made for the same requirement, unless ``upgrade``. Otherwise into the base one,
        which InstallClash refuses where it would replace what is there, unless ``force``.
        Blocks for seconds to minutes; ``progress`` gets a line now and then. Raises InstallFailed
        or InstallCancelled, and then leaves nothing behind.
        """
        request = make_request(
            requirement,
            constraints=constraints,
            upgrade=upgrade,
            progress=progress,
            cancelled=cancelled,
        )
        with waited_lock(self.root / _LOCK, request) as held:
            request = replace(request, held=(held,))
            if isolated:
                return self._install_isolated(request)
            environment = self._base.install(request, force=force)
            self._stamp_base()
        return environment

    def remove(self, name: str) -> None:
        """Remove a provider, by name or path: its environment, or its distribution in the base one.

        Unload its models first. What it required stays in the base environment.
        """
        request = make_request(name)
        wanted = request.name or normalise(name)
        with waited_lock(self.root / _LOCK, request):
            environment = self.get(wanted)
            if environment is None or environment.root is None:
                self._remove_from_base(wanted)
                return
            with usable(self.root):
                self._marker(wanted).unlink(missing_ok=True)
            shutil.rmtree(environment.root, ignore_errors=True)

    def sweep(self) -> int:
        """Delete what no record names: replaced generations, killed installations.

        Call it when no worker runs from an older generation, such as at start. Skipped while an
        installation runs. Returns the number of folders deleted.
        """
        if not self.root.is_dir():
            return 0
        with tried_lock(self.root / _LOCK) as locked:
            unused = self._unused() if locked else ()
            for path in unused:
                shutil.rmtree(path, ignore_errors=True)
        return len(unused)

    def drifted(self, environment: Environment) -> tuple[Change, ...]:
        """What the environment uses of the base one and is not there any more as it was.

        An upgrade of the base (a new image over an old data folder) can do that; installing the
        provider again with ``upgrade`` puts it right. ``wanted`` is the version it was made with.
        """
        here = self._base.installed()
        changes = []
        for then in environment.shared:
            now = here[then.name].version if then.name in here else "nothing"
            if now != then.version:
                changes.append(Change(name=then.name, installed=now, wanted=then.version))
        return tuple(changes)

    def _install_isolated(self, request: Request) -> Environment:
        name = request.name
        existing = self.get(name) if name else None
        wanted = existing is None or existing.problem or request.upgrade
        if existing and not wanted and existing.requirement == request.requirement:
            return existing
        folder = self.root / f"{name or 'unnamed'}-{secrets.token_hex(4)}"
        try:
            pip, python = self._base.layer(folder)
            planned = list(self._fill(pip, request))
            name = self._provider(python, requested(planned) or request.name, request)
            needs = read_needs(python, name)
            planned += self._add(pip, request, needs)
            record = self._describe(request, folder, python, planned, (name, *needs.names))
            request.stop_if_cancelled()
            self._write(record)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return record.to_environment(self.root)

    def _fill(self, pip: Pip, request: Request) -> Sequence[Planned]:
        """Install into a new layer, with uv where it is there and everything is a wheel."""
        if request.name in self._base.installed():
            # pip would take the base's copy for the one asked for, and leave the layer empty.
            first = pip.install(request, "--force-reinstall", "--no-deps")
            return [*first, *pip.install(replace(request, upgrade=False))]
        return self._put(pip, request)

    def _put(self, pip: Pip, request: Request, *options: str) -> Sequence[Planned]:
        if self._base.uv is not None:
            planned = pip.resolve(request, *options)
            if not planned or pip.install_with_uv(self._base.uv, planned, request):
                return planned
        return pip.install(request, *options)

    def _add(self, pip: Pip, request: Request, needs: Needs) -> Sequence[Planned]:
        """Install what the provider asks for in an environment of its own."""
        planned: list[Planned] = []
        for parts, options in ((needs.requires, ()), (needs.alone, ("--no-deps",))):
            if parts:
                planned += self._put(pip, replace(request, parts=parts, upgrade=False), *options)
        return planned

    def _provider(self, python: Path, name: str | None, request: Request) -> str:
        """The provider in a new layer; raises InstallFailed if there is none."""
        installed = inventory(python, self._base.group)
        if name is None or name not in installed or not installed[name].provider:
            raise self._base.not_a_provider(name or request.requirement)
        return name

    def _describe(
        self,
        request: Request,
        folder: Path,
        python: Path,
        planned: Sequence[Planned],
        roots: Sequence[str],
    ) -> Record:
        own = {item.name: item.version for item in planned}
        installed = inventory(python, self._base.group)
        return Record(
            name=roots[0],
            directory=folder.name,
            requirement=request.requirement,
            distributions=distributions(own),
            shared=shared_with_base(roots, own, installed),
            size_bytes=_size(folder),
            base=self._base.folders,
        )

    def _remove_from_base(self, name: str) -> None:
        try:
            self._base.remove(name)
        except InvalidRequest as error:
            apart = ", ".join(e.name or "" for e in self.list())
            error.hint = f"{error.hint} In environments of their own: {apart or 'none'}."
            raise
        self._stamp_base()

    def _records(self) -> tuple[Record, ...]:
        found = (_read(path) for path in sorted(self.root.glob("*.json")))
        return tuple(record for record in found if record is not None)

    def _unused(self) -> tuple[Path, ...]:
        used = {record.directory for record in self._records()}
        # A record that we cannot read, say of a later version, may name any folder of its name.
        unread = tuple(f"{p.stem}-" for p in self.root.glob("*.json") if _read(p) is None)
        return tuple(
            path
            for path in self.root.iterdir()
            if _DIRECTORY.fullmatch(path.name)
            and path.name not in used
            and not path.name.startswith(unread)
        )

    def _marker(self, name: str) -> Path:
        return self.root / f"{name}.json"

    def _write(self, record: Record) -> None:
        """Make an environment count, in the place of an earlier one of the name, at once."""
        partial = self.root / ".record.partial"  # the lock is ours, so the name is too
        with usable(self.root):
            with partial.open("w", encoding="utf-8") as file:
                file.write(record.to_json())
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._marker(record.name))

    def _stamp_base(self) -> None:
        stamp = self.root / _BASE_STAMP
        with usable(self.root):
            stamp.unlink(missing_ok=True)
            stamp.touch()


def _read(path: Path) -> Record | None:
    try:
        record = Record.from_json(path.read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError):
        return None
    return record if record is not None and record.name == path.stem else None


def _size(folder: Path) -> int:
    """Bytes of the files below, links not followed."""
    return sum(
        (Path(parent) / name).lstat().st_size
        for parent, _, names in os.walk(folder)
        for name in names
    )
