"""What an installed provider offers, as data: made where the provider lives, read elsewhere."""

from __future__ import annotations

import platform
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata

from .._types.models import Kind, ModelInfo, ModelPattern
from ..errors import ProviderBroken
from .backends import Backend, with_kind
from .discovery import InstalledProvider, broken, load_backends
from .patterns import placeholders


@dataclass(frozen=True, kw_only=True)
class BackendManifest:
    """One backend of a provider."""

    name: str
    kind: Kind
    operations: tuple[str, ...] = ()
    """Names of what its models can be asked to do; empty where that is not told."""
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
        backends = tuple(describe_backend(each) for each in load_backends(provider))
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


def describe_backend(backend: Backend) -> BackendManifest:
    """Write down what one backend offers; raises for what cannot be."""
    for pattern in backend.patterns:
        placeholders(pattern)  # raises for a shape that cannot be
    return BackendManifest(
        name=backend.name,
        kind=backend.kind,
        operations=tuple(operation.name for operation in backend.operations),
        models=tuple(with_kind(backend, model) for model in backend.list_available()),
        patterns=tuple(
            replace(pattern, template=with_kind(backend, pattern.template))
            for pattern in backend.patterns
        ),
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
