"""The suite that every provider runs, with a tiny graph in the real format."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Any, ClassVar

import pytest

from open_speech import LoadContext
from open_speech.testing import TurnConformance
from open_speech_provider_smart_turn import SmartTurnBackend

pytest.importorskip("onnx", reason="onnx makes the tiny graph")


class TestSmartTurn(TurnConformance):
    """Random weights in place of the published ones."""

    backend = SmartTurnBackend
    engine_modules = ("onnxruntime",)
    # The repository's commits cannot be seen from here; the file's sum is known, and which commit
    # is loaded is fixed by the store at the first download.
    allow_unpinned = True
    _folder: ClassVar[tempfile.TemporaryDirectory[str]]

    @classmethod
    def setup_class(cls) -> None:
        path = Path(__file__).with_name("tiny_graph.py")
        spec = importlib.util.spec_from_file_location("tiny_graph", path)
        assert spec is not None
        assert spec.loader is not None
        module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        cls._folder = tempfile.TemporaryDirectory()
        folder = module.write(Path(cls._folder.name))
        cls.context = LoadContext(paths={"model": folder}, threads=1)

    @classmethod
    def teardown_class(cls) -> None:
        super().teardown_class()
        cls._folder.cleanup()
