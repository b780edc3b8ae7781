"""Metadata are read as onnx reads them, and whatever is no ONNX file is told apart."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech_provider_sherpa.onnx_metadata import (
    NotOnnx,
    metadata_or_nothing,
    read_metadata,
)


def test_they_are_those_that_onnx_reads(offline_folder, speaker_folders) -> None:
    folders = [offline_folder(name) for name in ("zipformer", "sense_voice", "nemo_tdt")]
    paths = [path for folder in folders for path in folder.glob("*.onnx")]
    paths += [folder / "model.onnx" for folder in speaker_folders.values()]
    assert len(paths) == 9
    for path in paths:
        expected = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
        assert read_metadata(path) == expected


def test_weights_outside_of_the_file_make_no_difference(tmp_path, offline_folder) -> None:
    model = onnx.load(offline_folder("nemo_tdt") / "encoder.int8.onnx")
    path = tmp_path / "encoder.onnx"
    onnx.save(model, path, save_as_external_data=True, location="encoder.data", size_threshold=0)
    assert read_metadata(path)["pred_rnn_layers"] == "2"


SPOILT = {
    "nothing": b"",
    "zeros": bytes(4096),
    "text": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 75538270\n",
    "a page": b"<!DOCTYPE html><html></html>",
    "no graph": b"\x08\x08",
    "an endless number": b"\xff" * 64,
}


@pytest.mark.parametrize("data", SPOILT.values(), ids=list(SPOILT))
def test_other_files_are_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    with pytest.raises(NotOnnx):
        read_metadata(path)
    assert metadata_or_nothing(path) == {}


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotOnnx, match="cannot be read"):
        read_metadata(tmp_path / "model.onnx")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_cut_short_is_none(tmp_path: Path, offline_folder, share: float) -> None:
    whole = (offline_folder("nemo_ctc") / "model.onnx").read_bytes()
    path = tmp_path / "model.onnx"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(NotOnnx):
        read_metadata(path)


@given(data=st.binary(max_size=400))
def test_chance_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "chance.onnx"
    path.write_bytes(data)
    assert isinstance(metadata_or_nothing(path), dict)
