from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from open_speech import Audio, LoadContext
from open_speech.testing import read_wav
from open_speech_provider_whisper import WhisperBackend

if TYPE_CHECKING:
    from open_speech_provider_whisper.model import WhisperModel

# As in a worker: decoders side by side must not wait for each other by spinning.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def digits() -> Path:
    """The folder of the tiny model that understands digits and some commands."""
    return DATA / "whisper-digits"


@pytest.fixture(scope="session")
def recording() -> Callable[[str], Audio]:
    """Read one of the recordings by its name."""
    return lambda name: read_wav(DATA / "audio" / name)


@pytest.fixture(scope="session")
def spoken() -> dict[str, str]:
    """What is said in each recording with speech."""
    clips = json.loads((DATA / "audio" / "manifest.json").read_bytes())
    return {clip["file"]: clip["text"] for clip in clips if clip["text"]}


@pytest.fixture(scope="session")
def model(digits: Path) -> Iterator[WhisperModel]:
    """The digits model under a published name."""
    info = next(m for m in WhisperBackend().list_available() if m.id.endswith("whisper-tiny"))
    loaded = WhisperBackend().load(info, LoadContext(paths={"model": digits}))
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def bare(digits: Path) -> Any:
    """The library's own model over the same weights."""
    from faster_whisper import WhisperModel as BareModel

    return BareModel(str(digits), device="cpu", compute_type="int8")


@pytest.fixture(scope="session")
def random_whisper() -> Any:
    """The module that makes models with random weights."""
    path = Path(__file__).with_name("random_whisper.py")
    spec = importlib.util.spec_from_file_location("random_whisper", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def multilingual_folder(random_whisper: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a multilingual model with random weights."""
    return Path(random_whisper.make(tmp_path_factory.mktemp("models") / "multilingual"))


@pytest.fixture(scope="session")
def multilingual(multilingual_folder: Path) -> Iterator[WhisperModel]:
    """A model that tells languages apart, at random."""
    (info,) = (m for m in WhisperBackend().list_available() if m.id.endswith("whisper-base"))
    # Random weights never end a text by themselves and fail every check of the library.
    options = {"beam_size": 1, "best_of": 1}
    context = LoadContext(paths={"model": multilingual_folder}, options=options)
    loaded = WhisperBackend().load(info, context)
    yield loaded
    loaded.close()
