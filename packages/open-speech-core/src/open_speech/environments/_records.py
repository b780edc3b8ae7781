"""Data about environments, and its form on disk."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._files.records import is_later

FORMAT = 1
"""Version of the record on disk."""
_SHOWN = 3
"""Requirements told of each kind."""


def normalise(name: str) -> str:
    """The one spelling of a distribution's name (the packaging specification's rule)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One installed distribution."""

    name: str
    """Normalised."""
    version: str


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Where a provider is installed, and the interpreter that runs it."""

    name: str | None
    """The provider's normalised distribution name; None for the environment we run in."""
    python: Path
    """The interpreter; run it with ``-m``, the scripts beside it may name another folder."""
    root: Path | None = None
    """Its folder; None for the environment we run in."""
    requirement: str | None = None
    """What was asked for: a name, ``name==version``, or a path."""
    distributions: tuple[Distribution, ...] = ()
    """What was installed into it."""
    shared: tuple[Distribution, ...] = ()
    """What the provider uses of the base environment, as it was at installation."""
    size_bytes: int = 0
    """Bytes that the installation added."""
    problem: str | None = None
    """Why it cannot be used, with the next step; None when it can."""
    left_out: tuple[str, ...] = ()
    """What it would be given in an environment of its own alone: an engine that fits in no other,
    and its requirements."""

    @property
    def version(self) -> str | None:
        """The provider's version, where it was installed here rather than found in the base."""
        found = (d.version for d in (*self.distributions, *self.shared) if d.name == self.name)
        return next(found, None)


@dataclass(frozen=True, kw_only=True)
class Change:
    """An installed distribution that an installation would replace."""

    name: str
    installed: str
    """The version that is there."""
    wanted: str
    """The version that would be put in its place."""
    needed_by: tuple[str, ...] = ()
    """Installed distributions that require it, sorted."""
    wanting: tuple[str, ...] = ()
    """Requirements of the installation that it would be replaced for: ``new requires it<2``."""
    keeping: tuple[str, ...] = ()
    """Requirements of what is installed: ``old requires it>=2``."""

    def __str__(self) -> str:
        said = f"{self.name} {self.installed} by {self.wanted}"
        if self.wanting:
            said += f", since {_some(self.wanting)}"
        if self.keeping:
            said += f"; here {_some(self.keeping)}"
        elif self.needed_by:
            said += f" (used by {', '.join(self.needed_by)})"
        return said


def _some(lines: tuple[str, ...]) -> str:
    more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f"{', '.join(lines[:_SHOWN])}{more}"


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A requirement that the base environment cannot take as it is."""

    requirement: str
    changes: tuple[Change, ...]

    def __str__(self) -> str:
        changes = "; and ".join(str(change) for change in self.changes)
        return (
            f"Installing {self.requirement} here would replace {changes}. "
            "Install it with --isolated, in an environment of its own."
        )


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is written beside an environment once it is complete."""

    name: str
    directory: str
    """Name of its folder in the store."""
    requirement: str
    distributions: tuple[Distribution, ...]
    shared: tuple[Distribution, ...]
    size_bytes: int
    base: tuple[str, ...]
    """The base environment's package folders that it is layered on."""

    def to_json(self) -> str:
        """The record as text."""
        return json.dumps(
            {
                "format": FORMAT,
                "name": self.name,
                "directory": self.directory,
                "requirement": self.requirement,
                "distributions": {d.name: d.version for d in self.distributions},
                "shared": {d.name: d.version for d in self.shared},
                "size_bytes": self.size_bytes,
                "base": self.base,
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str, path: Path) -> Record | None:
        """Read the record of a file; None if it is damaged or from another version."""
        try:
            data: dict[str, Any] = json.loads(text)
            if is_later(data["format"], FORMAT, path) or data["format"] != FORMAT:
                return None
            if Path(data["directory"]).name != data["directory"]:
                return None
            return cls(
                name=str(data["name"]),
                directory=str(data["directory"]),
                requirement=str(data["requirement"]),
                distributions=distributions(data["distributions"]),
                shared=distributions(data["shared"]),
                size_bytes=int(data["size_bytes"]),
                base=tuple(str(folder) for folder in data["base"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def to_environment(self, store: Path) -> Environment:
        """The environment it describes, checked for being still there (a few stat calls)."""
        root = store / self.directory
        python = interpreter_of(root)
        gone = next((p for p in (str(python), *self.base) if not Path(p).exists()), None)
        problem = None
        if gone is not None:
            problem = (
                f"The environment of {self.name} relies on {gone}, which is gone. Run "
                f"'open-speech providers install --isolated --upgrade {self.requirement}'."
            )
        return Environment(
            name=self.name,
            python=python,
            root=root,
            requirement=self.requirement,
            distributions=self.distributions,
            shared=self.shared,
            size_bytes=self.size_bytes,
            problem=problem,
        )


def interpreter_of(root: Path) -> Path:
    """The interpreter of a virtual environment."""
    return root / "bin" / "python"


def distributions(versions: dict[str, str]) -> tuple[Distribution, ...]:
    """Distributions out of a table of versions by name, sorted."""
    return tuple(Distribution(name=str(n), version=str(v)) for n, v in sorted(versions.items()))
