"""What an installation is asked for."""

from __future__ import annotations

import os
import re
import threading
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InvalidRequest
from ._failures import InstallCancelled
from ._records import normalise

PipOutput = Callable[[str], None]

_NAME = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:[\[(@;<>=!~]|$)")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to install and under which conditions."""

    requirement: str
    """What was asked for, in the words that errors use."""
    parts: tuple[str, ...] = ()
    """What pip is given instead, where it is more than one thing."""
    constraints: tuple[str, ...] = ()
    upgrade: bool = False
    progress: PipOutput | None = None
    cancelled: threading.Event | None = None
    held: tuple[int, ...] = ()
    """File descriptors that the installing processes keep open, such as a lock's."""

    def tell(self, line: str) -> None:
        """Show a step to whoever watches."""
        if self.progress is not None:
            self.progress(line)

    def stop_if_cancelled(self) -> None:
        """Raise InstallCancelled once the caller has changed their mind."""
        if self.cancelled is not None and self.cancelled.is_set():
            raise InstallCancelled(f"The installation of {self.requirement} was cancelled.")

    @property
    def arguments(self) -> tuple[str, ...]:
        """What pip is asked to install."""
        return self.parts or (self.requirement,)

    @property
    def name(self) -> str | None:
        """The distribution's normalised name, where it can be told before pip has looked."""
        path = Path(self.requirement)
        if not path.is_absolute():
            found = _NAME.match(self.requirement)
            return normalise(found[1]) if found else None
        if path.suffix == ".whl":
            return normalise(path.name.split("-")[0])
        try:
            project = tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))
            return normalise(str(project["project"]["name"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def make_request(
    requirement: str,
    *,
    constraints: Sequence[str] = (),
    upgrade: bool = False,
    progress: PipOutput | None = None,
    cancelled: threading.Event | None = None,
) -> Request:
    """Check and complete what a caller asked for; raises InvalidRequest."""
    asked = _checked(requirement)
    return Request(
        requirement=asked,
        constraints=tuple(constraints),
        upgrade=upgrade,
        progress=progress,
        cancelled=cancelled,
    )


def together(requests: Sequence[Request]) -> Request:
    """One request for what several ask for, on the conditions of the first."""
    parts = tuple(part for each in requests for part in each.arguments)
    return replace(requests[0], requirement=" and ".join(parts), parts=parts)


def _checked(requirement: str) -> str:
    asked = requirement.strip()
    if not asked or asked.startswith("-") or not asked.isprintable():
        raise InvalidRequest(
            f"{requirement!r} is no requirement.",
            hint="It is a name, name==version, or the path of a wheel or project.",
            param="requirement",
        )
    path = Path(asked).expanduser()
    return str(path.resolve()) if os.sep in asked and path.exists() else asked
