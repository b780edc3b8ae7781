"""What an installed provider offers, as data: made where the provider lives, read elsewhere."""

from __future__ import annotations

import platform
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata

from .backends import Backend
from .errors import ProviderBroken
from .models import Kind, ModelInfo, ModelPattern
from .patterns import placeholders
from .plugins import InstalledProvider, broken, load_backends


@dataclass(frozen=True, kw_only=True)
class BackendManifest:
    """One backend of a provider."""

    name: str
    kind: Kind
    models: tuple[ModelInfo, ...] = ()
    patterns: tuple[ModelPattern, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProviderManifest:
    """One provider: what it offers, or why it cannot be used."""

    name: str
    distribution: str
    version: str
    backends: tuple[BackendManifest, ...] = ()
    error: str | None = None
    """One sentence, if the provider is broken."""
    detail: str | None = None
    """The traceback, if there is one."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of Python and of what the provider requires, as installed beside it."""
    summary: str = ""
    license: str = ""


def describe(provider: InstalledProvider) -> ProviderManifest:
    """Import one provider and write down what it offers; never raises for a broken one."""
    backends: tuple[BackendManifest, ...] = ()
    error = detail = None
    try:
        backends = tuple(_backend(each) for each in load_backends(provider))
    except Exception as problem:  # a stranger's code: anything may come
        if not isinstance(problem, ProviderBroken):
            problem = broken(provider, f"{type(problem).__name__}: {problem}")
        error = str(problem)
        detail = traceback.format_exc()
    return ProviderManifest(
        name=provider.name,
        distribution=provider.distribution,
        version=provider.version,
        backends=backends,
        error=error,
        detail=detail,
        versions=installed_versions(provider),
        summary=provider.summary,
        license=provider.license,
    )


def _backend(backend: Backend) -> BackendManifest:
    for pattern in backend.patterns:
        placeholders(pattern)  # raises for a shape that cannot be
    return BackendManifest(
        name=backend.name,
        kind=backend.kind,
        models=tuple(backend.list_available()),
        patterns=tuple(backend.patterns),
    )


def installed_versions(provider: InstalledProvider | None) -> dict[str, str]:
    """Versions of Python, core and the provider's requirements in this interpreter."""
    versions = {"python": platform.python_version()}
    names = [*(provider.requires if provider else ()), "open-speech-core"]
    if provider:
        versions[provider.distribution] = provider.version
    for requirement in names:
        name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
