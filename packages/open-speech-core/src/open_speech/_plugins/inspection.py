"""What providers say of a folder or file: asked where they live, read elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .._types.models import ModelInfo
from .._worker.serialization import pack, unpack
from ..errors import ProviderBroken
from .backends import Backend, with_kind
from .discovery import InstalledProvider, load_backends


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A backend that recognises a path, and what it holds."""

    backend: str
    model: ModelInfo


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What one provider says of one path."""

    path: Path
    claims: tuple[Claim, ...] = ()
    problem: str | None = None
    """What went wrong, as the end of a sentence that begins with the provider."""


def inspections(provider: InstalledProvider, paths: Sequence[Path]) -> Iterator[Inspection]:
    """Import a provider and show it paths, one by one; never raises for what it does wrong."""
    try:
        backends = load_backends(provider)
    except ProviderBroken as error:
        for path in paths:
            yield Inspection(path=path, problem=f"cannot be used: {error.message}")
        return
    for path in paths:
        yield _inspection(backends, path)


def _inspection(backends: Sequence[Backend], path: Path) -> Inspection:
    claims, problem = [], None
    for backend in backends:
        try:
            model = backend.inspect(path)
            if model is not None:
                claims.append(Claim(backend=backend.name, model=_checked(backend, model)))
        except BaseException as error:  # a stranger's code: anything may come, SystemExit too
            if isinstance(error, KeyboardInterrupt):
                raise
            problem = f"could not look at it: {type(error).__name__}: {error}"
    return Inspection(path=path, claims=tuple(claims), problem=problem)


def _checked(backend: Backend, model: object) -> ModelInfo:
    """The answer, if it is one, down to the types of its fields."""
    if not isinstance(model, ModelInfo):
        raise TypeError(f"inspect() returned {type(model).__name__} instead of ModelInfo")
    model = with_kind(backend, model)
    if model.kind is not backend.kind:
        raise TypeError(f"inspect() returned a model of the kind {model.kind!r}")
    checked: ModelInfo = unpack(ModelInfo, pack(model))
    return checked
