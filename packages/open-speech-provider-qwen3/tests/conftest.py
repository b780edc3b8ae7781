from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from open_speech import LoadContext
from open_speech_provider_qwen3 import Qwen3Backend

# As in a worker: threads that wait must not spin.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

TESTS = Path(__file__).parent
KINDS = {
    "custom_voice": "qwen3-tts-1.7b",
    "base": "qwen3-tts-1.7b-base",
    "voice_design": "qwen3-tts-1.7b-design",
}
"""What a checkpoint was trained for, and the model of that kind."""


def neighbour(name: str) -> ModuleType:
    """A module that lies beside the tests and is run by itself too."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, TESTS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def tiny_checkpoint() -> ModuleType:
    """The module that writes checkpoints."""
    return neighbour("tiny_checkpoint")


@pytest.fixture(scope="session")
def upstream_cases() -> ModuleType:
    """What upstream was asked as well."""
    return neighbour("upstream_cases")


@pytest.fixture(scope="session")
def checkpoint(
    tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: ModuleType
) -> Callable[[str], Path]:
    """The folder of a tiny checkpoint of a kind; ``frames`` bounds what it says."""
    folder = tmp_path_factory.mktemp("checkpoints")

    def made(kind: str, *, frames: int = 8192) -> Path:
        path = folder / f"{kind}-{frames}"
        return path if path.is_dir() else tiny_checkpoint.write(path, kind, frames=frames)

    return made


@pytest.fixture(scope="session")
def engine(checkpoint: Callable[[str], Path]) -> Callable[[str], Any]:
    """The engine over a tiny checkpoint of a kind."""
    import torch

    from open_speech_provider_qwen3.engine import Engine

    torch.set_num_threads(1)  # there is nothing to share in networks so small
    engines: dict[str, Engine] = {}

    def loaded(kind: str) -> Engine:
        if kind not in engines:
            engines[kind] = Engine(
                checkpoint(kind), device="cpu", dtype=torch.float32, graphs=False
            )
        return engines[kind]

    return loaded


@pytest.fixture(scope="session")
def model(checkpoint: Callable[..., Path]) -> Iterator[Callable[[str], Any]]:
    """A loaded model of a kind that says twelve frames."""
    models: dict[str, Any] = {}

    def loaded(kind: str) -> Any:
        if kind not in models:
            (info,) = (m for m in Qwen3Backend().list_available() if m.id == KINDS[kind])
            context = LoadContext(paths={"model": checkpoint(kind, frames=12)})
            models[kind] = Qwen3Backend().load(info, context)
        return models[kind]

    yield loaded
    for each in models.values():
        each.close()
