"""What ``--model`` says: the name of a model, or the path of one's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import click

from .connect import Server

_WRITTEN = re.compile(r"(?:(?P<provider>[a-z][a-z0-9_-]*):)?(?P<path>.+)", re.DOTALL)
_EXPLICIT = ("/", "./", "../", "~")
"""How a path may begin that can be nothing else."""


def named(written: str | None, server: Server) -> tuple[str | None, Mapping[str, Path]]:
    """The name to ask for and, where a path was written, what it stands for in this command.

    A path begins with ``/``, ``./``, ``../`` or ``~``, or has a ``/`` in it and is there. It may
    have a provider's name and a colon before it, as a model's name may.
    """
    match = _WRITTEN.fullmatch(written or "")
    if match is None:
        return written, {}
    explicit = match["path"].startswith(_EXPLICIT)
    path = Path(match["path"])
    with suppress(RuntimeError):  # a user without a home directory
        path = path.expanduser()
    path = path.absolute()
    if not explicit and (server.url or "/" not in match["path"] or not path.exists()):
        return written, {}
    if server.url:
        raise click.UsageError(
            "--model takes a path only without a server; a server is told of it by OS_LOCAL_MODELS"
        )
    if not path.exists():
        raise click.UsageError(f"--model: there is nothing at {path}")
    own = re.sub(r"[^A-Za-z0-9]+", "-", path.resolve().stem)[:64].strip("-") or "model"
    prefix = f"{match['provider']}:" if match["provider"] else ""
    name = f"{prefix}local/{own}"
    return name, {name: path}
