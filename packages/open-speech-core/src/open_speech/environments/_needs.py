"""What a provider's own environment holds beside the provider, and who requires what."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from .._plugins.discovery import OWN_ENVIRONMENT
from ._failures import InstallFailed
from ._interpreter import package_data
from ._records import normalise

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"\bextra\s*==")


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What only an environment of the provider's own is given.

    So an engine with pins that nothing else could live with hinders nobody who installs the
    provider beside others.
    """

    requires: tuple[str, ...] = ()
    """Resolved as usual, with what they require in turn."""
    alone: tuple[str, ...] = ()
    """Installed as they are, without what they require in turn: for an engine that asks for much
    more than its inference imports."""

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it, the engine first."""
        return (*self.alone, *self.requires)

    @property
    def names(self) -> set[str]:
        """The distributions named, normalised."""
        return {name for line in self.lines if (name := _name(line))}


def read_needs(python: Path, name: str) -> Needs:
    """What the provider of an environment asks for; raises InstallFailed if it cannot be read."""
    text = package_data(python, name, OWN_ENVIRONMENT)
    if text is None:
        return Needs()
    try:
        tables = tomllib.loads(text)
        given = {field.name: _lines(tables.pop(field.name, [])) for field in fields(Needs)}
        if tables:
            raise ValueError(f"it has {', '.join(tables)}")
    except ValueError as error:
        raise InstallFailed(
            f"{name} has a {OWN_ENVIRONMENT} that cannot be used: {error}.",
            hint="This is a fault of the provider: please report it there.",
        ) from error
    return Needs(**given)


def requiring(
    name: str, lines: Mapping[str, Iterable[str]], *, extras: bool = False
) -> tuple[str, ...]:
    """Requirements of one distribution, each as ``who requires what``.

    ``lines`` are requirements as metadata writes them, by the name of who requires. Those of
    ``extras`` count only on demand: which of them were asked for is not written down.
    """
    return tuple(
        f"{who} requires {line.partition(';')[0].strip()}"
        for who, required in sorted(lines.items())
        for line in required
        if _name(line) == name and (extras or not _EXTRA.search(line))
    )


def _name(line: str) -> str | None:
    found = _NAME.match(line)
    return normalise(found[0]) if found else None


def _lines(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
        raise ValueError("its entries are no lists of texts")
    for line in value:
        if _name(line) is None:
            raise ValueError(f"{line!r} is no requirement")
    return tuple(value)
