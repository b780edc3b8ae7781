"""Models that the operator has on disk and gave names to: which provider recognises each.

Providers look at the paths in short-lived workers, as they describe themselves, so that one that
crashes or hangs over a file harms nobody else. What they said is kept until a file changes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .._types.ids import ModelId
from .discovery import installed_providers
from .inspection import Claim, Inspection, inspections
from .provider_probe import ask, digest, keep, kept
from .resolution import LocalModel, ResolvedModel

if TYPE_CHECKING:
    from .registry import Provider

INSPECT_TIMEOUT_S = 30.0
"""For all paths that a provider is shown."""
MAX_FILES = 10_000
"""Of one folder are looked at for changes and counted for its size."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What lies at a path now, without reading it."""

    stamp: str
    """Differs wherever a name, a length or a time of a change does."""
    size_bytes: int

    @classmethod
    def of(cls, path: Path) -> Contents | None:
        """None if there is nothing; a file counts with those beside it that begin with its stem."""
        try:
            found = list(_folder(path)) if path.is_dir() else list(_file(path))
        except OSError:
            return None
        if not found:
            return None
        return cls(stamp=digest(sorted(found)), size_bytes=sum(size for _, size, _ in found))


_Entry = tuple[str, int, int]
"""Name, length, time of the last change."""


def _folder(path: Path) -> Iterator[_Entry]:
    left = MAX_FILES
    for parent, _, names in os.walk(path):
        for name in names[:left]:
            yield _entry(Path(parent, name), path)
        left -= min(left, len(names))


def _file(path: Path) -> Iterator[_Entry]:
    yield _entry(path, path.parent)
    for beside in path.parent.iterdir():
        if beside.name.startswith(path.stem) and beside.name != path.name and beside.is_file():
            yield _entry(beside, path.parent)


def _entry(path: Path, root: Path) -> _Entry:
    try:
        status = path.stat()
    except FileNotFoundError:  # a link that leads nowhere
        status = path.lstat()
    return str(path.relative_to(root)), status.st_size, status.st_mtime_ns


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """One entry of the operator's."""

    id: ModelId
    path: Path
    contents: Contents | None

    def may_ask(self, provider: Provider) -> bool:
        """Whether a provider is to be shown it."""
        names = {backend.name for backend in provider.manifest.backends}
        return self.contents is not None and (self.id.provider is None or self.id.provider in names)


@dataclass(frozen=True, kw_only=True)
class LocalModels:
    """Finds out who recognises the operator's paths."""

    paths: Mapping[str, Path]
    """By ``[provider:]name``; the prefix has that provider asked alone."""
    cache: Path | None
    isolated: bool
    asking: asyncio.Semaphore

    async def find(self, providers: Sequence[Provider]) -> list[LocalModel]:
        """Show every path to every provider that is not broken; raises InvalidModelId."""
        wanted = await asyncio.to_thread(self._look)
        usable = [provider for provider in providers if not provider.broken]
        answers = await asyncio.gather(*(self._inspect(each, wanted) for each in usable))
        said = list(zip(usable, answers, strict=True))
        return [_settled(each, said) for each in wanted]

    def _look(self) -> list[_Wanted]:
        return [
            _Wanted(id=ModelId.parse(name), path=path, contents=Contents.of(path))
            for name, path in self.paths.items()
        ]

    async def _inspect(
        self, provider: Provider, wanted: Sequence[_Wanted]
    ) -> Mapping[Path, Inspection]:
        shown = {each.path: each.contents for each in wanted if each.may_ask(provider)}
        if not shown:
            return {}
        paths = list(shown)
        if not self.isolated:
            said: Sequence[Inspection] = await asyncio.to_thread(
                _inspect_here, provider.name, paths
            )
        else:
            said = await self._cached(provider, paths, digest(provider.fingerprint, shown))
        return {each.path: each for each in said if each.path in shown}

    async def _cached(
        self, provider: Provider, paths: Sequence[Path], key: str
    ) -> Sequence[Inspection]:
        file = self.cache / f"{provider.name}-{key}.json" if self.cache else None
        if file and (known := await asyncio.to_thread(kept, file, Inspection)):
            return known
        async with self.asking:
            said = await _inspect_there(provider, paths)
        if file and not any(each.problem for each in said):
            await asyncio.to_thread(keep, file, said)
        return said


def _inspect_here(name: str, paths: Sequence[Path]) -> list[Inspection]:
    for provider in installed_providers():
        if provider.name == name:
            return list(inspections(provider, paths))
    return []


async def _inspect_there(provider: Provider, paths: Sequence[Path]) -> list[Inspection]:
    """Ask a worker; go on after a path that ends it, but not after one that hangs."""
    said: list[Inspection] = []
    rest = list(paths)
    while rest:
        answer = await ask(
            provider.environment.options,
            "inspect",
            [provider.name, *map(str, rest)],
            Inspection,
            doing="looking at it",
            timeout_s=INSPECT_TIMEOUT_S,
        )
        said += answer.said
        rest = rest[len(answer.said) :]
        failed, rest = (rest, []) if answer.timed_out else (rest[:1], rest[1:])
        said += [Inspection(path=path, problem=f"failed: {answer.reason}") for path in failed]
    return said


def _settled(
    wanted: _Wanted, said: Sequence[tuple[Provider, Mapping[Path, Inspection]]]
) -> LocalModel:
    resolved_models, problems = [], []
    for provider, answers in said:
        answer = answers.get(wanted.path)
        if answer is None:
            continue
        if answer.problem and not answer.claims:
            problems.append(f"{provider.name} {answer.problem}")
        resolved_models += [
            _offer(provider, claim, wanted)
            for claim in answer.claims
            if wanted.id.provider in (None, claim.backend)
        ]
    problem = None if resolved_models else _problem(wanted, problems)
    return LocalModel(
        id=wanted.id, path=wanted.path, resolved_models=tuple(resolved_models), problem=problem
    )


def _offer(provider: Provider, claim: Claim, wanted: _Wanted) -> ResolvedModel:
    size = wanted.contents.size_bytes if wanted.contents else None
    model = replace(claim.model, id=wanted.id.name, aliases=(), sources=(), size_bytes=size)
    return ResolvedModel(
        provider=provider.manifest, backend=claim.backend, model=model, path=wanted.path
    )


def _problem(wanted: _Wanted, problems: Sequence[str]) -> str:
    if wanted.contents is None:
        return f"there is nothing at {wanted.path}"
    one = wanted.id.provider
    nobody = (
        f"the provider {one!r} does not recognise" if one else "no installed provider recognises"
    )
    more = f" ({'; '.join(problems)})" if problems else ""
    return f"{nobody} {wanted.path}{more}"
