"""Registering, loading from a folder, recognising one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from open_speech import Capability, LoadContext, ModelInfo
from open_speech.errors import InvalidRequest, ModelLoadFailed
from open_speech_provider_whisper import WhisperBackend, open_speech_backends


def info() -> ModelInfo:
    return WhisperBackend().list_available()[0]


def load(folder: Path, **context: Any) -> Any:
    return WhisperBackend().load(info(), LoadContext(paths={"model": folder}, **context))


@pytest.fixture
def copied(digits: Path, tmp_path: Path) -> Path:
    """A folder with the model that a test may spoil."""
    return Path(shutil.copytree(digits, tmp_path / "model"))


def test_entry_point_leads_to_the_hook() -> None:
    (entry,) = metadata.entry_points(group="open_speech", name="whisper")
    assert [type(backend) for backend in entry.load().open_speech_backends()] == [WhisperBackend]


def test_importing_and_listing_loads_no_engine(digits: Path) -> None:
    code = f"""if True:
        import sys
        from pathlib import Path
        import open_speech_provider_whisper as provider
        (backend,) = provider.open_speech_backends()
        assert backend.list_available()
        assert backend.inspect(Path({str(digits)!r}))
        engine = {{"faster_whisper", "ctranslate2", "onnxruntime", "av", "tokenizers"}}
        assert not engine & set(sys.modules), engine & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_loading_asks_no_hub(copied: Path) -> None:
    """Where a file is missing the library would fetch it: that is said instead."""
    for name in ("tokenizer.json", "config.json", "vocabulary.json", "model.bin"):
        kept = (copied / name).read_bytes()
        (copied / name).unlink()
        with pytest.raises(ModelLoadFailed, match=name) as caught:
            load(copied)
        assert "ct2-transformers-converter" in str(caught.value)
        (copied / name).write_bytes(kept)
    load(copied).close()


@pytest.mark.parametrize("paths", [{}, {"model": Path("/nowhere")}, {"model": Path(__file__)}])
def test_no_folder_is_said_so(paths: dict[str, Path]) -> None:
    with pytest.raises(ModelLoadFailed, match="no folder"):
        WhisperBackend().load(info(), LoadContext(paths=paths))


@pytest.mark.parametrize("threads", [0, 1])
@pytest.mark.parametrize("compute_type", [None, "int8", "float32"])
def test_number_formats_of_the_machine_are_taken(
    digits: Path, compute_type: str | None, threads: int
) -> None:
    model = load(digits, compute_type=compute_type, threads=threads)
    used = model._engine._whisper.model.compute_type
    model.close()
    assert used == {None: "int8_float32", "int8": "int8_float32"}.get(compute_type, compute_type)


def test_a_number_format_that_the_device_lacks_is_refused(digits: Path) -> None:
    with pytest.raises(InvalidRequest, match="'float16' is not supported on 'cpu'") as caught:
        load(digits, compute_type="float16")
    assert caught.value.param == "compute_type"
    assert "int8" in str(caught.value)


def test_a_device_that_is_not_there_is_refused(digits: Path) -> None:
    with pytest.raises(InvalidRequest, match="cuda:9") as caught:
        load(digits, device="cuda:9")
    assert caught.value.param == "device"


def test_the_number_of_decoders_is_a_setting(digits: Path) -> None:
    model = load(digits, options={"workers": 3, "beam_size": 1})
    assert model.info.concurrency == 3
    model.close()
    for options in ({"workers": "many"}, {"workers": 99}, {"beam_size": 0}):
        with pytest.raises(InvalidRequest):
            load(digits, options=options)


def test_it_holds_no_device_memory_on_a_cpu(digits: Path) -> None:
    model = load(digits)
    assert model.device_memory_bytes() == 0
    model.close()


def test_a_folder_is_recognised(digits: Path, multilingual_folder: Path, tmp_path: Path) -> None:
    english = WhisperBackend().inspect(digits)
    assert english is not None
    assert (english.id, english.languages, english.sources) == ("whisper-digits", ("en",), ())
    many = WhisperBackend().inspect(multilingual_folder)
    assert many is not None
    assert len(many.languages) == 100
    assert Capability.LANGUAGE_DETECTION in many.capabilities
    other = tmp_path / "other"
    other.mkdir()
    for found in (other, tmp_path / "none", digits / "model.bin"):
        assert WhisperBackend().inspect(found) is None
    (other / "model.bin").write_bytes(b"\x06\0\0\0\x10\0TransformerSpec\0")
    assert WhisperBackend().inspect(other) is None


def test_the_hook_gives_one_backend() -> None:
    (backend,) = open_speech_backends()
    assert backend.name == "whisper"


def test_nothing_beside_the_weights_is_run(copied: Path, tmp_path: Path) -> None:
    """Pickles and Python files in the folder stay what they are: files."""
    canary = tmp_path / "canary"
    bomb = b"cposix\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR."
    code = f"open({str(canary)!r}, 'w')".encode()
    for name in ("pytorch_model.bin", "model.pt", "data.pkl", "training_args.bin"):
        (copied / name).write_bytes(bomb)
    for name in ("modeling_whisper.py", "__init__.py", "configuration.py", "sitecustomize.py"):
        (copied / name).write_bytes(code)
    config = (copied / "config.json").read_text().strip()
    (copied / "config.json").write_text(
        config[:-1]
        + ', "auto_map": {"AutoModel": "modeling_whisper.W"}, "trust_remote_code": true}'
    )
    load(copied).close()
    (copied / "model.bin").write_bytes(bomb)
    with pytest.raises(ModelLoadFailed):
        load(copied)
    assert not canary.exists()
