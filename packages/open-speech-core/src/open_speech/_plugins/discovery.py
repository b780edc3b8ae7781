"""Finding providers: entry points are read one by one, and each is loaded under guard.

pluggy's own loader lets one broken plugin take all down, and a misspelt hook passes silently.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path

import pluggy

from ..errors import ProviderBroken
from . import hookspecs
from .backends import Backend

GROUP = hookspecs.PROJECT
"""The entry point group that providers register in."""
OWN_ENVIRONMENT = "open-speech-environment.toml"
"""A provider's package may hold such a file: what only an environment of its own is given, as
``requires`` and ``alone``, lists of requirements."""


@dataclass(frozen=True, kw_only=True)
class InstalledProvider:
    """What the metadata says of an installed provider, without importing it."""

    name: str
    """Name of the entry point."""
    module: str
    distribution: str
    version: str
    location: Path
    """The folder on ``sys.path`` that holds it."""
    summary: str = ""
    license: str = ""
    requires: tuple[str, ...] = ()
    """Requirements as the metadata writes them, and those for an environment of its own."""


def installed_providers(path: Sequence[str] | None = None) -> list[InstalledProvider]:
    """List the providers on a path, ``sys.path`` if there is none; the first wins for each name.

    Distributions with unreadable metadata are skipped: nothing of them could be shown.
    """
    found: dict[str, InstalledProvider] = {}
    for provider in _entry_points(sys.path if path is None else path):
        found.setdefault(provider.name, provider)
    return sorted(found.values(), key=lambda provider: provider.name)


def _entry_points(path: Sequence[str]) -> Iterator[InstalledProvider]:
    for distribution in metadata.distributions(path=list(path)):
        # Most distributions have no entry points of ours; reading this one file decides.
        text = distribution.read_text("entry_points.txt")
        if text is None or GROUP not in text:
            continue
        for point in distribution.entry_points:
            if point.group == GROUP and _field(distribution.metadata, "Name"):
                yield _provider(point, distribution)


def _provider(point: metadata.EntryPoint, distribution: metadata.Distribution) -> InstalledProvider:
    about = distribution.metadata
    return InstalledProvider(
        name=point.name,
        module=point.value,
        distribution=_field(about, "Name"),
        version=_field(about, "Version") or "0",
        location=Path(str(distribution.locate_file(""))),
        summary=_field(about, "Summary"),
        license=_field(about, "License-Expression") or _field(about, "License"),
        requires=(*(distribution.requires or ()), *_own_environment(distribution)),
    )


def _own_environment(distribution: metadata.Distribution) -> list[str]:
    """What the provider asks for in an environment of its own, whether it lives in one or not."""
    for path in distribution.files or ():
        if path.name == OWN_ENVIRONMENT:
            try:
                tables = tomllib.loads(Path(str(path.locate())).read_text("utf-8"))
                return [str(line) for lines in tables.values() for line in lines]
            except (OSError, ValueError, TypeError):  # said where it is installed
                return []
    return []


def _field(about: metadata.PackageMetadata, name: str) -> str:
    """A field of the metadata, or an empty text; Python 3.12 warns of asking for a missing one."""
    return about[name] if name in about else ""  # noqa: SIM401 - the protocol has no get


def load_backends(provider: InstalledProvider) -> list[Backend]:
    """Import one provider and make its backends.

    Its entry point names a backend's class, or a module (or object) with the hook. Raises
    ProviderBroken, with the original error as its cause, for whatever goes wrong.
    """
    try:
        module_name, _, attribute = provider.module.partition(":")
        plugin: object = import_module(module_name)
        for part in filter(None, attribute.split(".")):
            plugin = getattr(plugin, part)
        if isinstance(plugin, type) and issubclass(plugin, Backend):
            backends: list[Backend] = [plugin()]
        else:
            backends = _ask(provider, plugin)
    except ProviderBroken:
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        raise broken(provider, f"{type(error).__name__}: {error}") from error
    for backend in backends:
        _check(provider, backend)
    return backends


def _ask(provider: InstalledProvider, plugin: object) -> list[Backend]:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, provider.name)
    manager.check_pending()
    if not manager.hook.open_speech_backends.get_hookimpls():
        raise broken(provider, "it implements none of the hooks")
    answers = manager.hook.open_speech_backends()
    if not answers:  # pluggy leaves out an answer that is None
        raise broken(provider, "its hook returned None instead of a list of backends")
    return [backend for answer in answers for backend in answer]


def _check(provider: InstalledProvider, backend: object) -> None:
    if not isinstance(backend, Backend):
        raise broken(provider, f"it registers {type(backend).__name__}, which is not a Backend")
    if not can_load(backend):
        raise broken(provider, f"{type(backend).__name__} has neither `model_class` nor `load`")
    if not 1 <= backend.api_version <= hookspecs.API_VERSION:
        raise broken(
            provider,
            f"it is written for version {backend.api_version} of the provider API, and this core "
            f"has version {hookspecs.API_VERSION}",
            hint="Upgrade open-speech-core, or install a release of the provider that fits it.",
        )


def can_load(backend: Backend) -> bool:
    """Whether a backend names the class of its model, or loads it in its own way."""
    owner = getattr(type(backend).load, "__module__", None)
    return owner != Backend.__module__ or hasattr(backend, "model_class")


def broken(provider: InstalledProvider, reason: str, hint: str | None = None) -> ProviderBroken:
    """The error that says why a provider cannot be used."""
    return ProviderBroken(
        f"The provider {provider.name!r} ({provider.distribution} {provider.version}) cannot be "
        f"used: {reason}.",
        provider=provider.name,
        hint=hint or f"Reinstall or remove {provider.distribution}.",
    )
