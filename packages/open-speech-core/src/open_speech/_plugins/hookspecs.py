"""How a provider registers: an entry point of the group ``open_speech``.

The entry point names the backend's class. A provider with several backends names a module instead,
which implements the hook below.
"""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from .backends import Backend

PROJECT = "open_speech"
"""Name of the pluggy project and of the entry point group."""

API_VERSION = 1
"""Raised when a provider written for an older core could not work any more."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def open_speech_backends() -> Sequence[Backend]:  # type: ignore[empty-body]
    """The provider's backends: data only, no I/O, no engine import."""
