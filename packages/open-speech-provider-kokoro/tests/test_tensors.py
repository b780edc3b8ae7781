"""Torch files read as data: what is there is found, what is no tensor is refused."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from open_speech_provider_kokoro._archive import Malformed
from open_speech_provider_kokoro._tensors import read_tensors


class Touch:
    """Unpickled, it leaves a file behind."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.canary),)


def saved(path: Path, value: object, **options: Any) -> Path:
    torch.save(value, path, **options)
    return path


def test_a_dictionary_of_dictionaries_is_read(tmp_path: Path) -> None:
    module = torch.nn.LSTM(5, 3, bidirectional=True)
    given_state = {"a": module.state_dict(), "b": torch.nn.BatchNorm1d(4).state_dict()}
    read = read_tensors(saved(tmp_path / "x.pth", given_state))
    assert {part: set(state) for part, state in read.items()} == {
        part: set(state) for part, state in given_state.items()
    }
    for part, state in given_state.items():
        for name, tensor in state.items():
            np.testing.assert_array_equal(read[part][name], tensor.numpy())


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(24.0).reshape(2, 3, 4)[:, 1:, ::2],
        torch.randn(1, 4).expand(6, 4),
        torch.zeros(0, 3),
        torch.tensor(2.5),
        torch.randn(3).half(),
        torch.nn.Parameter(torch.randn(2, 2)),
    ],
    ids=["view", "repeated", "empty", "scalar", "half", "parameter"],
)
def test_views_are_read_as_torch_reads_them(tmp_path: Path, tensor: torch.Tensor) -> None:
    read = read_tensors(saved(tmp_path / "x.pt", tensor))
    np.testing.assert_array_equal(read.reshape(tensor.shape), tensor.detach().numpy())


@pytest.mark.parametrize("protocol", [2, 4])
def test_what_would_run_code_is_refused_and_does_not_run(tmp_path: Path, protocol: int) -> None:
    canary = tmp_path / "canary"
    path = saved(tmp_path / "x.pt", {"a": Touch(canary)}, pickle_protocol=protocol)
    with pytest.raises(Malformed):
        read_tensors(path)
    assert not canary.exists()
    torch.load(path, weights_only=False)
    assert canary.exists(), "the file is harmless, so the test shows nothing"


@pytest.mark.parametrize(
    "value", [[1, 2], {"a": {1, 2}}, {1: torch.zeros(1)}, torch.zeros(2, dtype=torch.complex64)]
)
def test_other_things_than_tensors_are_refused(tmp_path: Path, value: object) -> None:
    path = saved(tmp_path / "x.pt", value)
    with pytest.raises(Malformed):
        read_tensors(path)


def test_a_tensor_of_two_terabytes_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.pt", torch.zeros(300, 300))
    size = struct.pack("<H", 300)
    data = path.read_bytes()
    assert data.count(b"M" + size) >= 2
    path.write_bytes(data.replace(b"M" + size, b"M\xff\xff"))
    with pytest.raises(Malformed, match=r"larger|beyond"):
        read_tensors(path)


@pytest.mark.parametrize("data", [b"", b"PK", b"x" * 1000, b"PK\5\6" + bytes(18)])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(data)
    with pytest.raises(Malformed):
        read_tensors(path)


def test_old_files_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.pt", torch.zeros(3), _use_new_zipfile_serialization=False)
    with pytest.raises(Malformed):
        read_tensors(path)


def test_a_name_with_an_unknown_escape_is_refused(tmp_path: Path, sound_file: bytes) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(sound_file.replace(b"_rebuild_tensor_v2", b"_\\obuild_tensor_v2"))
    with pytest.raises(Malformed):
        read_tensors(path)


@pytest.fixture(scope="module")
def sound_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("tensors") / "x.pt"
    return saved(path, {"a": {"b": torch.arange(12.0).reshape(3, 4)}}).read_bytes()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 255)), max_size=8),
    length=st.integers(0, 5_000),
)
def test_broken_files_are_read_or_refused(
    tmp_path: Path, sound_file: bytes, changes: list[tuple[int, int]], length: int
) -> None:
    data = bytearray(sound_file[: max(length, len(sound_file) - length)])
    for place, value in changes:
        if place < len(data):
            data[place] = value
    path = tmp_path / "x.pt"
    path.write_bytes(data)
    with contextlib.suppress(Malformed):
        read_tensors(path)
