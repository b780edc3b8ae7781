"""For tests of providers: the conformance suite, test providers and a model hub.

``TTSConformance`` and its siblings, one for each kind, are what a provider's tests derive from.
Needs the extra ``[testing]``. Names are imported when they are first asked for: pytest loads this
package in every environment that has core, and rewrites the assertions of what is imported later.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conformance import (
        DiarizationConformance,
        STTConformance,
        TTSConformance,
        TurnConformance,
        VADConformance,
    )
    from .hostile import HOSTILE, hostile_source, provider_source
    from .install import build_library_wheel, build_wheel, install_provider, remove_provider
    from .sound import assert_similar, join, noise, read_wav, silence, sine, wav_bytes

__all__ = [
    "HOSTILE",
    "DiarizationConformance",
    "STTConformance",
    "TTSConformance",
    "TurnConformance",
    "VADConformance",
    "assert_similar",
    "build_library_wheel",
    "build_wheel",
    "hostile_source",
    "install_provider",
    "join",
    "noise",
    "provider_source",
    "read_wav",
    "remove_provider",
    "silence",
    "sine",
    "wav_bytes",
]

_HOMES = {
    "conformance": (
        "DiarizationConformance",
        "STTConformance",
        "TTSConformance",
        "TurnConformance",
        "VADConformance",
    ),
    "hostile": ("HOSTILE", "hostile_source", "provider_source"),
    "install": ("build_library_wheel", "build_wheel", "install_provider", "remove_provider"),
    "sound": ("assert_similar", "join", "noise", "read_wav", "silence", "sine", "wav_bytes"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
