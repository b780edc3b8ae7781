"""The hooks that a provider implements, found through entry points of group ``open_speech``."""

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
