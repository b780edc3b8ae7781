"""Pytest plugin for a peer's tests, loaded in their environment: engines that are not there.

Their tests import their server's modules for names and constants. Those import engines that take
gigabytes, and that no request reaches here, since requests go to our server.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence
from unittest.mock import MagicMock

ENGINES = frozenset(
    {
        "GPUtil", "aiortc", "aiostream", "ctranslate2", "espeakng_loader", "gradio", "inflect",
        "kokoro", "kokoro_onnx", "misaki", "nemo", "onnx_asr", "onnxruntime", "opentelemetry",
        "phonemizer", "piper", "pyannote", "pydub", "spacy", "torch", "torchaudio", "tqdm",
        "uvicorn",
    }
)  # fmt: skip


class _Module(types.ModuleType):
    """Has whatever it is asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        found = MagicMock(name=f"{self.__name__}.{name}")
        setattr(self, name, found)
        return found


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] in ENGINES:
            return importlib.util.spec_from_loader(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""


sys.meta_path.append(_Finder())  # last: what is installed is the real thing
