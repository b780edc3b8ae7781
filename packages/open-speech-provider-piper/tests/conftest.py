from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from open_speech import LoadContext, ModelInfo
from open_speech_provider_piper import PiperBackend

if TYPE_CHECKING:
    from open_speech_provider_piper.model import PiperModel

Make = Callable[..., Path]

LESSAC = "en/en_US/lessac/medium"
"""Where the catalogue's repository keeps a voice."""


def _module() -> Any:
    path = Path(__file__).with_name("random_piper.py")
    spec = importlib.util.spec_from_file_location("random_piper", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def random_piper() -> Any:
    """The module that makes voices with random weights."""
    return _module()


@pytest.fixture(scope="session")
def make(random_piper: Any) -> Make:
    """Write a voice with random weights."""
    return random_piper.make  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def lessac(tmp_path_factory: pytest.TempPathFactory, make: Make) -> Path:
    """A copy of the catalogue's repository with one small voice in it."""
    folder = tmp_path_factory.mktemp("piper-voices")
    make(folder / LESSAC)
    (folder / LESSAC / "MODEL_CARD").write_text("random numbers")
    return folder


@pytest.fixture(scope="session")
def several(tmp_path_factory: pytest.TempPathFactory, make: Make) -> Path:
    """The folder of a voice with three speakers, at 16 kHz."""
    folder = tmp_path_factory.mktemp("several")
    make(
        folder,
        "en_GB-trio-low",
        speakers=("anna", "bert", "carl"),
        rate=16_000,
        espeak="en-gb-x-rp",
    )
    return folder


@pytest.fixture(scope="session")
def load() -> Callable[..., PiperModel]:
    """Load a voice from its folder, under a name of the catalogue or as what it is."""

    def load_(path: Path, name: str | None = None, **context: Any) -> PiperModel:
        backend = PiperBackend()
        known: dict[str, ModelInfo] = {info.id: info for info in backend.list_available()}
        info = known[name] if name else backend.inspect(path)
        assert info is not None
        return backend.load(info, LoadContext(paths={"model": path}, **context))

    return load_


@pytest.fixture(scope="session")
def model(lessac: Path, load: Callable[..., PiperModel]) -> Iterator[PiperModel]:
    """A small voice under a published name."""
    loaded = load(lessac, "piper/en_US-lessac-medium")
    yield loaded
    loaded.close()
