"""Which providers there are, without importing any of them into this process.

Each provider is described by a short-lived worker of the interpreter that has it, so that one
that crashes, hangs or meddles while it is imported harms nobody. What a provider said is kept in
a file until its distribution changes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from .._hosts import WorkerOptions
from .discovery import InstalledProvider, installed_providers
from .hookspecs import API_VERSION
from .local_models import LocalModels
from .manifest import ProviderManifest, describe
from .provider_probe import ask, digest, keep, kept
from .resolution import Hint, Router

_log = logging.getLogger(__name__)
DESCRIBE_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class ProviderEnvironment:
    """An interpreter that has providers."""

    name: str | None
    """None is the environment that this process runs in."""
    options: WorkerOptions
    fingerprint: str = ""
    """Changes whenever what is installed there changes; for the base this is found out."""
    providers: tuple[InstalledProvider, ...] = ()
    """What its metadata lists, read without running anything there; empty where that is unknown."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An installed provider: what it offers, and where it runs."""

    manifest: ProviderManifest
    environment: ProviderEnvironment
    fingerprint: str = ""
    """Changes whenever it, or what it runs in, does."""

    @property
    def name(self) -> str:
        """Name of the entry point."""
        return self.manifest.name

    @property
    def broken(self) -> bool:
        """Whether it cannot be used; ``manifest.error`` says why."""
        return self.manifest.error is not None


@dataclass(kw_only=True)
class Registry:
    """The providers of this and of other environments, and the routing over them.

    ``scan`` once before use and again whenever something was installed. One event loop only.
    """

    cache: Path | None = None
    """Folder for what providers said; None asks them anew each time."""
    options: WorkerOptions = field(default_factory=WorkerOptions)
    environments: Callable[[], Sequence[ProviderEnvironment]] = lambda: ()
    """Lists the environments beside the base one; called at each scan, in a thread."""
    isolated: bool = True
    """False imports providers into this process, for boards too small for workers."""
    hints: Sequence[Hint] = ()
    local: Mapping[str, Path] = field(default_factory=dict)
    """Folders and files of models by the names they are given: ``[provider:]name``."""
    only: Collection[str] | None = None
    """Names of the providers to look at; None is all that are installed."""
    providers: tuple[Provider, ...] = ()
    router: Router = field(default_factory=lambda: Router(()))
    _gone: dict[str, ProviderManifest] = field(default_factory=dict, repr=False)
    """What providers offered that were there at an earlier scan."""
    _asking: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(max(2, os.cpu_count() or 1)), repr=False
    )

    async def scan(self) -> None:
        """Find out what is installed now."""
        installed = [
            provider
            for provider in await asyncio.to_thread(installed_providers)
            if self.only is None or provider.name in self.only
        ]
        base = ProviderEnvironment(name=None, options=self.options)
        found = [self._describe_base(provider, base) for provider in installed]
        others = await asyncio.to_thread(self.environments)
        layers = [self._describe_environment(environment) for environment in others]
        described, layered = await asyncio.gather(asyncio.gather(*found), asyncio.gather(*layers))
        # An environment of its own was asked for by name, so it goes before the base.
        chosen = {provider.name: provider for provider in described}
        chosen.update({provider.name: provider for layer in layered for provider in layer})
        self._gone |= {provider.name: provider.manifest for provider in self.providers}
        self._gone = {name: lost for name, lost in self._gone.items() if name not in chosen}
        self.providers = tuple(sorted(chosen.values(), key=lambda provider: provider.name))
        local = await LocalModels(
            paths=self.local,
            cache=self.cache / "local" if self.cache else None,
            isolated=self.isolated,
            asking=self._asking,
        ).find(self.providers)
        manifests = [provider.manifest for provider in self.providers]
        self.router = Router(manifests, self.hints, list(self._gone.values()), local)
        for line in (*(manifest.error for manifest in manifests), *self.router.unserved.values()):
            if line:
                _log.warning("%s", line)

    def provider(self, name: str) -> Provider:
        """The provider of this name; KeyError if there is none."""
        for provider in self.providers:
            if provider.name == name:
                return provider
        raise KeyError(name)

    async def _describe_base(
        self, installed: InstalledProvider, base: ProviderEnvironment
    ) -> Provider:
        key = await asyncio.to_thread(_fingerprint, installed)
        if self.isolated:
            manifest = await self._describe_one(installed, base, key)
        else:
            manifest = await asyncio.to_thread(describe, installed)
        return Provider(manifest=manifest, environment=base, fingerprint=key)

    async def _describe_one(
        self, installed: InstalledProvider, environment: ProviderEnvironment, key: str
    ) -> ProviderManifest:
        manifests = await self._cached(f"{installed.name}-{key}", environment, [installed.name])
        # One that died before it could answer does not know these.
        return replace(
            manifests[0],
            distribution=installed.distribution,
            version=installed.version,
            summary=installed.summary,
            license=installed.license,
        )

    async def _describe_environment(self, environment: ProviderEnvironment) -> list[Provider]:
        core = await asyncio.to_thread(_core)
        key = digest(str(environment.options.python), environment.fingerprint, core)
        if environment.providers:
            # Each by a worker of its own: one that dies says nothing about the others.
            asked = (self._describe_one(each, environment, key) for each in environment.providers)
            manifests = await asyncio.gather(*asked)
        else:
            manifests = await self._cached(f"{environment.name}-{key}", environment, [])
        return [
            Provider(manifest=manifest, environment=environment, fingerprint=key)
            for manifest in manifests
        ]

    async def _cached(
        self, key: str, environment: ProviderEnvironment, names: list[str]
    ) -> list[ProviderManifest]:
        file = self.cache / f"{key}.json" if self.cache else None
        if file and (known := await asyncio.to_thread(kept, file, ProviderManifest)):
            return known
        async with self._asking:
            manifests = await describe_there(environment.options, names, environment.name)
        if file and manifests and not any(manifest.error for manifest in manifests):
            await asyncio.to_thread(keep, file, manifests)
        return manifests


async def describe_there(
    options: WorkerOptions, names: Sequence[str], environment: str | None = None
) -> list[ProviderManifest]:
    """Have an interpreter describe the named providers, or those of its own layer.

    Never raises: a provider that dies or hangs meanwhile is described as broken. If it was not
    named, nobody knows its name, and the environment's stands for it.
    """
    answer = await ask(
        options,
        "describe",
        names,
        ProviderManifest,
        doing="importing it",
        timeout_s=DESCRIBE_TIMEOUT_S,
    )
    seen = {manifest.name for manifest in answer.said}
    lost = [name for name in names if name not in seen]
    if not names and not answer.finished:
        lost = [environment or str(options.python)]
    return answer.said + [_broken(name, answer.reason, answer.detail) for name in lost]


def _broken(name: str, reason: str, detail: str) -> ProviderManifest:
    return ProviderManifest(
        name=name,
        distribution=name,
        version="0",
        error=f"The provider {name!r} cannot be used: {reason}. Reinstall or remove it.",
        detail=detail,
    )


def _fingerprint(installed: InstalledProvider) -> str:
    """Change with the distribution, and with its sources where it is installed for editing."""
    package = installed.module.partition(":")[0].partition(".")[0]
    spec = find_spec(package)  # of a top-level name: finds it without importing it
    folders = (spec.submodule_search_locations or ()) if spec else ()
    sources = [source for folder in folders for source in Path(folder).rglob("*.py")]
    if spec and spec.has_location and spec.origin:
        sources.append(Path(spec.origin))  # all there is of a provider in a single file
    newest = max((source.stat().st_mtime_ns for source in sources), default=0)
    origin = spec.origin if spec else None
    return digest(sys.executable, installed.module, origin, installed.version, newest, _core())


def _core() -> str:
    """Change with core: another version may have a provider say more."""
    newest = max(source.stat().st_mtime_ns for source in Path(__file__).parent.glob("*.py"))
    return f"{newest} {API_VERSION}"
