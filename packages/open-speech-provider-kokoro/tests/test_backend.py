"""Finding a model in a folder, and loading what is none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from open_speech import LoadContext
from open_speech.errors import InvalidRequest, ModelLoadFailed
from open_speech_provider_kokoro import KokoroBackend
from open_speech_provider_kokoro.catalogue import KOKORO


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "mine"))


def load(folder: Path, **context: object) -> None:
    paths = {"model": folder}
    KokoroBackend().load(KOKORO, LoadContext(paths=paths, **context)).close()  # type: ignore[arg-type]


def test_a_folder_is_recognised_with_its_voices(copy: Path) -> None:
    for path in copy.glob("voices/a*.pt"):
        path.unlink()
    (copy / "voices" / "..pt").touch()
    found = KokoroBackend().inspect(copy)
    assert found is not None
    assert found.id == "mine"
    assert found.sources == ()
    assert len(found.voices) == 34
    assert found.default_voice == "bf_alice"
    assert "alloy" not in found.voice_aliases
    assert found.voice_aliases["onyx"] == "bm_george"


@pytest.mark.parametrize("gone", ["config.json", "kokoro-v1_0.pth", "voices"])
def test_other_folders_are_not(copy: Path, gone: str) -> None:
    path = copy / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert KokoroBackend().inspect(copy) is None


class Touch:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.canary),)


def test_weights_run_no_code(copy: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    torch.save({"bert": {"module.x": Touch(canary)}}, copy / "kokoro-v1_0.pth")
    with pytest.raises(ModelLoadFailed, match=r"kokoro-v1_0\.pth"):
        load(copy)
    assert not canary.exists()


def _edited(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    def edit(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text())
        change(config)
        path.write_text(json.dumps(config))

    return edit


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "kokoro-v1_0.pth").write_bytes(b"PK"),
        lambda folder: os.truncate(folder / "kokoro-v1_0.pth", 500_000),
        lambda folder: torch.save({"bert": {}}, folder / "kokoro-v1_0.pth"),
        lambda folder: torch.save([], folder / "kokoro-v1_0.pth"),
        lambda folder: (folder / "config.json").write_text("[]"),
        lambda folder: (folder / "config.json").unlink(),
        _edited(lambda config: config.update(n_layer=2)),
        _edited(lambda config: config.update(vocab={"a": 4_000})),
        _edited(lambda config: config.pop("vocab")),
    ],
)
def test_files_that_lie_are_refused(copy: Path, spoil: Callable[[Path], object]) -> None:
    spoil(copy)
    with pytest.raises(ModelLoadFailed) as raised:
        load(copy)
    assert raised.value.hint


def test_a_device_that_is_not_there_is_refused(folder: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    with pytest.raises(InvalidRequest, match="no device 'cuda'"):
        load(folder, device="cuda")
    with pytest.raises(InvalidRequest, match="runs on a CPU"):
        load(folder, device="cuda", options={"engine": "onnx"})


@pytest.mark.parametrize("options", [{"engine": "tensorflow"}, {"threads": 3}])
def test_settings_that_are_none_are_refused(folder: Path, options: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest) as raised:
        load(folder, options=options)
    assert raised.value.param == "options"


_ON_A_CPU = """
import socket, sys
from pathlib import Path

def refuse(*_):
    raise AssertionError("it asked for the network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from open_speech import LoadContext, SpeechRequest
from open_speech_provider_kokoro import KokoroBackend
from open_speech_provider_kokoro.catalogue import KOKORO
paths = {"model": Path(sys.argv[1]), "tagger": Path(sys.argv[2])}
model = KokoroBackend().load(KOKORO, LoadContext(paths=paths, threads=2))
for voice in ("af_heart", "bf_emma", "ef_dora", "ff_siwis", "hf_alpha", "if_sara", "pf_dora"):
    (audio,) = model.synthesize(SpeechRequest(text="Zblo", voice=voice))
    assert audio.seconds > 0
for name in ("torch", "kokoro", "transformers", "huggingface_hub"):
    assert name not in sys.modules, name
"""


def test_offline_and_without_torch_it_speaks_every_language(folder: Path, tagger: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", _ON_A_CPU, str(folder), str(tagger)], check=True, timeout=300
    )
