from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from open_speech import LoadContext
from open_speech_provider_kokoro import KokoroBackend
from open_speech_provider_kokoro.catalogue import KOKORO
from open_speech_provider_kokoro.model import KokoroModel

# As in a worker: threads side by side must not wait for each other by spinning.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(scope="session")
def random_kokoro() -> ModuleType:
    """The script that writes models."""
    return _script("random_kokoro")


def _script(name: str) -> ModuleType:
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def folder(random_kokoro: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official files, with random weights that take little room on disk."""
    return Path(random_kokoro.make(tmp_path_factory.mktemp("kokoro")))


@pytest.fixture(scope="session")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a spaCy pipeline, which knows how this one text is tagged."""
    return Path(_script("small_tagger").make(tmp_path_factory.mktemp("tagger")))


@pytest.fixture(scope="session")
def context(folder: Path, tagger: Path) -> LoadContext:
    """Where both sources of the model are."""
    return LoadContext(paths={"model": folder, "tagger": tagger}, threads=2)


@pytest.fixture(scope="session")
def model(context: LoadContext) -> Iterator[KokoroModel]:
    """The model on a CPU."""
    loaded: Any = KokoroBackend().load(KOKORO, context)
    yield loaded
    loaded.close()
