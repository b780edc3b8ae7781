"""The environment Open Speech itself runs in: what layers stand on, and installing into it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidRequest
from ._failures import InstallClash, InstallFailed
from ._interpreter import (
    Installed,
    bring_pip,
    has_pip,
    inventory,
    make_layer,
    needed_by,
    site_folders,
)
from ._needs import read_needs, requiring
from ._pip import Pip, Planned
from ._records import Change, Clash, Environment, distributions
from ._requests import Request


@dataclass(frozen=True, kw_only=True)
class BaseEnvironment:
    """An environment that other ones are layered on."""

    python: Path
    group: str
    """Entry point group that makes a distribution a provider."""
    uv: str | None

    @property
    def folders(self) -> tuple[str, ...]:
        """Its package folders."""
        return site_folders(self.python)

    def installed(self, sized: Sequence[str] = ()) -> dict[str, Installed]:
        """What is installed in it, with the bytes of those in ``sized``."""
        return inventory(self.python, self.group, sized)

    def layer(self, folder: Path) -> tuple[Pip, Path]:
        """Make a layer in a folder: a pip that installs into it, and its interpreter."""
        python = make_layer(folder, self.python, self.folders)
        if not has_pip(python) and not bring_pip(python, self.uv):
            raise InstallFailed(
                f"Nothing can be installed: there is no pip for {self.python}.",
                hint="Install pip for it (Debian and Ubuntu: python3-pip), or uv.",
            )
        return Pip([python, "-I", "-m", "pip"], python), python

    def resolve(self, request: Request) -> list[Planned]:
        """What an installation would put into it.

        Asked in a passing layer: pip answers the same there, and a base without pip will do.
        """
        with self._passing_layer() as (pip, _):
            return pip.resolve(request)

    def left_out(self, request: Request) -> tuple[str, ...]:
        """What an installation would leave to an environment of the provider's own.

        Only the provider tells, so it alone is put into a passing layer.
        """
        with self._passing_layer() as (pip, python):
            name = requested(pip.install(request, "--no-deps")) or request.name
            return read_needs(python, name).lines if name else ()

    def clash(self, requirement: str, planned: Sequence[Planned]) -> Clash | None:
        """What a planned installation would replace; None if nothing."""
        here = self.installed()
        changes = []
        asking = {item.name: item.requires for item in planned}
        resting = {name: entry.lines for name, entry in here.items() if name not in asking}
        for item in planned:
            users = needed_by(item.name, here)
            # A provider that nothing needs may be replaced by what was asked for.
            if item.name in here and (users or not item.requested):
                changes.append(
                    Change(
                        name=item.name,
                        installed=here[item.name].version,
                        wanted=item.version,
                        needed_by=users,
                        wanting=requiring(item.name, asking),
                        keeping=requiring(item.name, resting, extras=True),
                    )
                )
        return Clash(requirement=requirement, changes=tuple(changes)) if changes else None

    def install(self, request: Request, *, force: bool) -> Environment:
        """Install into it; raises InstallClash if that replaces something, unless forced."""
        with self._passing_layer() as (layer_pip, layer_python):
            clash = self.clash(request.requirement, layer_pip.resolve(request))
            if clash is not None and not force:
                raise InstallClash(clash)
            before = self.installed()
            pip = self._own_pip(layer_python)
            try:
                return self._described(request, pip.install(request))
            except BaseException:
                with suppress(InstallFailed):  # the first error says more
                    pip.uninstall(sorted(self.installed().keys() - before.keys()))
                raise

    def remove(self, name: str) -> None:
        """Uninstall a provider, not what it required."""
        here = self.installed()
        if name not in here or not here[name].provider:
            known = sorted(other for other, entry in here.items() if entry.provider)
            raise InvalidRequest(
                f"There is no provider {name!r} to remove.",
                hint=f"Installed here are: {', '.join(known) or 'none'}.",
                param="name",
            )
        with self._passing_layer() as (_, layer_python):
            self._own_pip(layer_python).uninstall([name])

    def not_a_provider(self, name: str) -> InstallFailed:
        """The error for something installed by mistake."""
        return InstallFailed(
            f"{name} is no provider: it declares no entry point in group {self.group!r}.",
            hint="Check its name.",
        )

    def _described(self, request: Request, planned: Sequence[Planned]) -> Environment:
        here = self.installed([item.name for item in planned])
        name = requested(planned) or request.name
        if name is None or name not in here or not here[name].provider:
            raise self.not_a_provider(name or request.requirement)
        return Environment(
            name=None,
            python=self.python,
            requirement=request.requirement,
            distributions=distributions({item.name: item.version for item in planned}),
            size_bytes=sum(here[item.name].size_bytes for item in planned if item.name in here),
            left_out=read_needs(self.python, name).lines,
        )

    def _own_pip(self, layer_python: Path) -> Pip:
        """Its own pip, or that of a layer pointed at it."""
        if has_pip(self.python):
            return Pip([self.python, "-m", "pip"], self.python)
        return Pip([layer_python, "-I", "-m", "pip", "--python", self.python], self.python)

    @contextmanager
    def _passing_layer(self) -> Iterator[tuple[Pip, Path]]:
        with tempfile.TemporaryDirectory(prefix="open-speech-") as folder:
            yield self.layer(Path(folder) / "layer")


def requested(planned: Sequence[Planned]) -> str | None:
    """The name of what was asked for, if it was among what had to be installed."""
    return next((item.name for item in planned if item.requested), None)
