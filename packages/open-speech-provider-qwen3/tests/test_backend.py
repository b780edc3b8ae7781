"""Registering, loading from a folder, recognising one."""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from open_speech import LoadContext, ModelInfo
from open_speech.errors import InvalidRequest, ModelLoadFailed
from open_speech_provider_qwen3 import Qwen3Backend, open_speech_backends

Checkpoint = Callable[..., Path]
WEIGHTS = "model.safetensors"


def info() -> ModelInfo:
    return Qwen3Backend().list_available()[1]


def load(folder: Path, **context: Any) -> Any:
    return Qwen3Backend().load(info(), LoadContext(paths={"model": folder}, threads=1, **context))


@pytest.fixture
def copied(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    """A folder with a checkpoint that a test may spoil."""
    return Path(shutil.copytree(checkpoint("custom_voice"), tmp_path / "model"))


def header(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def write(path: Path, head: dict[str, Any], body: bytes) -> None:
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def test_entry_point_leads_to_the_hook() -> None:
    (entry,) = metadata.entry_points(group="open_speech", name="qwen3")
    assert [type(backend) for backend in entry.load().open_speech_backends()] == [Qwen3Backend]


def test_the_hook_gives_one_backend() -> None:
    (backend,) = open_speech_backends()
    assert backend.name == "qwen3"


@pytest.mark.parametrize("kind", ["custom_voice", "base", "voice_design"])
def test_a_folder_is_recognised(kind: str, checkpoint: Checkpoint, tmp_path: Path) -> None:
    found = Qwen3Backend().inspect(checkpoint(kind))
    assert found is not None
    assert found.id == checkpoint(kind).name
    assert bool(found.voices) == (kind == "custom_voice")
    assert Qwen3Backend().inspect(tmp_path) is None


@pytest.mark.parametrize("paths", [{}, {"model": Path("/nowhere")}, {"model": Path(__file__)}])
def test_no_folder_is_said_so(paths: dict[str, Path]) -> None:
    with pytest.raises(ModelLoadFailed, match="no folder"):
        Qwen3Backend().load(info(), LoadContext(paths=paths))


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "generation_config.json",
        "vocab.json",
        "merges.txt",
        WEIGHTS,
        "speech_tokenizer/config.json",
        f"speech_tokenizer/{WEIGHTS}",
    ],
)
def test_a_missing_file_is_named_and_not_fetched(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(ModelLoadFailed, match=name.rpartition("/")[2]):
        load(copied)


@pytest.mark.parametrize(
    ("context", "param"),
    [
        ({"device": "cuda:9"}, "device"),
        ({"device": "tpu"}, "device"),
        ({"compute_type": "int3"}, "compute_type"),
        ({"options": {"speed": 2}}, "options"),
    ],
)
def test_what_this_machine_lacks_is_refused(
    checkpoint: Checkpoint, context: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        load(checkpoint("custom_voice"), **context)
    assert caught.value.param == param


def test_only_safetensors_are_read(copied: Path, tmp_path: Path) -> None:
    """Pickles and Python files in the folder stay what they are: files."""
    canary = tmp_path / "canary"
    bomb = b"cposix\nsystem\n(S'touch " + str(canary).encode() + b"'\ntR."
    code = f"open({str(canary)!r}, 'w')".encode()
    for folder in (copied, copied / "speech_tokenizer"):
        for name in ("pytorch_model.bin", "model.pt", "model.bin", "training_args.bin"):
            (folder / name).write_bytes(bomb)
        for name in ("modeling_qwen3_tts.py", "__init__.py", "sitecustomize.py"):
            (folder / name).write_bytes(code)
    config = json.loads((copied / "config.json").read_bytes())
    config |= {"auto_map": {"AutoModel": "modeling_qwen3_tts.M"}, "trust_remote_code": True}
    (copied / "config.json").write_text(json.dumps(config))
    load(copied).close()
    (copied / WEIGHTS).write_bytes(bomb)
    with pytest.raises(ModelLoadFailed):
        load(copied)
    (copied / WEIGHTS).unlink()  # nothing else steps in
    with pytest.raises(ModelLoadFailed):
        load(copied)
    assert not canary.exists()


def _longer(head: dict[str, Any]) -> None:
    head["talker.codec_head.weight"]["data_offsets"][1] = 2**60


def _huge(head: dict[str, Any]) -> None:
    head["talker.codec_head.weight"]["shape"] = [2**40, 2**10]


def _other_shape(head: dict[str, Any]) -> None:
    head["talker.codec_head.weight"]["shape"].reverse()


def _renamed(head: dict[str, Any]) -> None:
    head["talker.model.norm.weigh"] = head.pop("talker.model.norm.weight")


def _other_layer(head: dict[str, Any]) -> None:
    name = "talker.model.layers.{}.mlp.up_proj.weight"
    head[name.format(9)] = head.pop(name.format(1))


@pytest.mark.parametrize("lie", [_longer, _huge, _other_shape, _renamed, _other_layer])
def test_a_header_that_lies_is_refused(copied: Path, lie: Callable[[dict[str, Any]], None]) -> None:
    head, body = header(copied / WEIGHTS)
    lie(head)
    write(copied / WEIGHTS, head, body)
    with pytest.raises(ModelLoadFailed, match=r"has|lacks"):
        load(copied)


@pytest.mark.parametrize("name", [WEIGHTS, f"speech_tokenizer/{WEIGHTS}"])
@pytest.mark.parametrize("spoil", [lambda d: d[:-100], lambda d: b"", lambda d: b"\xff" * 9 + d])
def test_a_torn_file_is_refused(copied: Path, name: str, spoil: Callable[[bytes], bytes]) -> None:
    (copied / name).write_bytes(spoil((copied / name).read_bytes()))
    with pytest.raises(ModelLoadFailed):
        load(copied)


def test_weights_in_several_files_are_one(copied: Path) -> None:
    from safetensors.torch import load_file, save_file

    whole = load_file(copied / WEIGHTS)
    names = sorted(whole)
    for place, part in enumerate((names[::2], names[1::2]), 1):
        tensors = {name: whole[name] for name in part}
        save_file(tensors, copied / f"model-{place:05}-of-00002.safetensors")
    (copied / WEIGHTS).unlink()
    load(copied).close()
