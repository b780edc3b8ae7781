"""Modules that upstream imports at its top and that speaking never uses.

torchaudio's is an extension built for one build of torch and fails beside another; the others are
large, or for training. While the codec is imported each of them is a module whose every name is an
empty class.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

ABSENT = (
    "librosa",
    "randomname",
    "scipy",
    "soundfile",
    "torch.utils.tensorboard",
    "torchaudio",
)


class _Absent(MetaPathFinder, Loader):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def is_absent(self, name: str) -> bool:
        return any(name == each or name.startswith(f"{each}.") for each in self._names)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(name, self, is_package=True) if self.is_absent(name) else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the making to the import system."""

    def exec_module(self, module: ModuleType) -> None:
        module.__getattr__ = _nothing  # type: ignore[method-assign]


def _nothing(name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})


@contextmanager
def without(names: Sequence[str] = ABSENT) -> Iterator[None]:
    """Have these modules be empty while something is imported; afterwards they are as before."""
    absent = _Absent(names)
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if absent.is_absent(name)}
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)
        for name in [name for name in sys.modules if absent.is_absent(name)]:
            del sys.modules[name]
        sys.modules.update(before)
