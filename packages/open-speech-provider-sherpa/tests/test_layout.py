"""Folders are told apart by their files, and what the engine could not survive is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import onnx
import pytest
from onnx import helper

from open_speech import Capability, LoadContext, ModelInfo
from open_speech.errors import InvalidRequest, ModelLoadFailed
from open_speech_provider_sherpa import SherpaBackend, SherpaDiarizationBackend, layout
from open_speech_provider_sherpa.families import CAPABILITIES, NEEDED, Family

FAMILIES = {
    "zipformer": Family.TRANSDUCER,
    "nemo_ctc": Family.NEMO_CTC,
    "nemo_tdt": Family.NEMO_TRANSDUCER,
    "nemo_rnnt": Family.NEMO_TRANSDUCER,
    "gigaam": Family.NEMO_TRANSDUCER,
    "sense_voice": Family.SENSE_VOICE,
    "moonshine": Family.MOONSHINE,
    "paraformer": Family.PARAFORMER,
    "canary": Family.CANARY,
    "zipformer_ctc": Family.ZIPFORMER_CTC,
    "moonshine_v2": Family.MOONSHINE_V2,
}
STREAMING = {
    "zipformer": Family.STREAMING_TRANSDUCER,
    "zipformer_ctc": Family.STREAMING_ZIPFORMER_CTC,
    "nemo": Family.STREAMING_NEMO_TRANSDUCER,
    "nemo_ctc": Family.STREAMING_NEMO_CTC,
    "paraformer": Family.STREAMING_PARAFORMER,
}


@pytest.mark.parametrize(("name", "family"), FAMILIES.items())
def test_a_folder_is_of_its_family(offline_folder, name: str, family: Family) -> None:
    found = layout.find(offline_folder(name))
    assert found is not None
    assert found.family is family
    layout.check(found, name)


@pytest.mark.parametrize(("name", "family"), STREAMING.items())
def test_a_streaming_folder_is_of_its_family(streaming_folder, name: str, family: Family) -> None:
    found = layout.find(streaming_folder(name))
    assert found is not None
    assert found.family is family
    info = SherpaBackend().inspect(streaming_folder(name))
    assert info is not None
    assert Capability.LISTENING in info.capabilities
    assert info.sessions > 8


def write(path: Path, **metadata: object) -> None:
    graph = helper.make_graph([], "empty", [], [])
    model = helper.make_model(graph, ir_version=8)
    helper.set_model_props(model, {key: str(value) for key, value in metadata.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())


TRIPLE = ("encoder.onnx", "decoder.onnx", "joiner.onnx")
TABLE = [
    (TRIPLE, {"model_type": "zipformer2"}, Family.TRANSDUCER),
    (TRIPLE, {}, Family.TRANSDUCER),
    (TRIPLE, {"model_type": "zipformer2", "decode_chunk_len": 32}, Family.STREAMING_TRANSDUCER),
    (TRIPLE, {"model_type": "lstm", "decode_chunk_len": 4}, Family.STREAMING_TRANSDUCER),
    (TRIPLE, {"model_type": "EncDecRNNTBPEModel"}, Family.NEMO_TRANSDUCER),
    (
        TRIPLE,
        {"model_type": "EncDecHybridRNNTCTCBPEModel", "chunk_shift": 56, "window_size": 65},
        Family.STREAMING_NEMO_TRANSDUCER,
    ),
    (TRIPLE, {"model_type": "something new"}, None),
    (("tiny-encoder.onnx", "tiny-decoder.onnx"), {"model_type": "whisper-tiny"}, None),
    (("encoder.onnx", "decoder.onnx"), {"model_type": "EncDecMultiTaskModel"}, Family.CANARY),
    (("encoder_model.ort", "decoder_model_merged.ort"), {}, Family.MOONSHINE_V2),
    (("model.onnx",), {"model_type": "EncDecCTCModelBPE", "window_size": 65}, "streaming_nemo_ctc"),
    (("model.int8.onnx",), {"model_type": "EncDecHybridRNNTCTCBPEModel"}, Family.NEMO_CTC),
    (("model.onnx",), {"model_type": "zipformer2_ctc"}, Family.ZIPFORMER_CTC),
    (
        ("ctc-epoch-20-avg-1-chunk-16-left-128.onnx",),
        {"model_type": "zipformer2", "decode_chunk_len": 32},
        Family.STREAMING_ZIPFORMER_CTC,
    ),
    (("model.onnx",), {"model_type": "wenet_ctc"}, Family.WENET_CTC),
    (("model.onnx",), {"model_type": "kokoro"}, None),
    (("model.onnx",), {}, None),
    ((), {}, None),
]


@pytest.mark.parametrize(("files", "metadata", "family"), TABLE)
def test_metadata_and_names_tell_families_apart(
    tmp_path: Path, files: tuple[str, ...], metadata: dict[str, object], family: Family | None
) -> None:
    (tmp_path / "tokens.txt").write_text("a 0\n")
    for file in files:
        write(tmp_path / file, **metadata)
    found = layout.find(tmp_path)
    assert (found and found.family) == family
    if not any((tmp_path / file).exists() for file in files):
        assert found is None


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("sherpa-onnx-non-streaming-zipformer", Family.TRANSDUCER),
        ("sherpa-onnx-streaming-zipformer", Family.STREAMING_TRANSDUCER),
    ],
)
def test_without_metadata_the_folder_tells(tmp_path: Path, name: str, family: Family) -> None:
    for file in TRIPLE:
        write(tmp_path / name / file)
    (tmp_path / name / "tokens.txt").write_text("a 0\n")
    found = layout.find(tmp_path / name)
    assert found is not None
    assert found.family is family


def test_eight_bits_are_taken_unless_asked_otherwise(tmp_path: Path) -> None:
    for part in ("encoder", "joiner"):
        write(tmp_path / f"{part}-epoch-99-avg-1.int8.onnx", model_type="zipformer2")
        write(tmp_path / f"{part}-epoch-99-avg-1.onnx", model_type="zipformer2")
    write(tmp_path / "decoder-epoch-99-avg-1.onnx")
    (tmp_path / "tokens.txt").write_text("a 0\n")

    def chosen(compute_type: str | None) -> dict[str, str]:
        found = layout.find(tmp_path, compute_type)
        assert found is not None
        assert found.compute_types == ("int8", "float32")
        return {part: path.name for part, path in found.files.items()}

    small = "-epoch-99-avg-1.int8.onnx"
    plain = "-epoch-99-avg-1.onnx"
    expected = {"encoder": small, "joiner": small, "decoder": plain}
    for kind in (None, "int8"):
        assert chosen(kind) == {k: k + v for k, v in expected.items()} | {"tokens": "tokens.txt"}
    assert set(chosen("float32").values()) == {
        *(f"{part}{plain}" for part in expected),
        "tokens.txt",
    }


def test_of_several_sets_the_one_with_the_highest_numbers_is_taken(tmp_path: Path) -> None:
    for part in ("encoder", "decoder", "joiner"):
        for left in (64, 128, 32):
            write(tmp_path / f"{part}-epoch-99-avg-1-chunk-16-left-{left}.onnx")
    (tmp_path / "tokens.txt").write_text("a 0\n")
    found = layout.find(tmp_path)
    assert found is not None
    weights = [path.name for part, path in found.files.items() if part != "tokens"]
    assert len(weights) == 3
    assert all(name.endswith("-left-128.onnx") for name in weights)


def without(path: Path, key: str) -> None:
    model = onnx.load(path)
    left = {each.key: each.value for each in model.metadata_props if each.key != key}
    del model.metadata_props[:]
    helper.set_model_props(model, left)
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("name", "part", "key"),
    [
        (name, part, key)
        for name, family in FAMILIES.items()
        for part, keys in NEEDED.get(family, {}).items()
        for key in keys
        if key != "model_type"
    ],
)
def test_missing_metadata_are_refused(
    offline_folder, tmp_path: Path, name: str, part: str, key: str
) -> None:
    # The engine would end this process.
    folder = Path(shutil.copytree(offline_folder(name), tmp_path / name))
    found = layout.find(folder)
    assert found is not None
    without(found.files[part], key)
    with pytest.raises(ModelLoadFailed, match=rf"without the metadata {key}"):
        SherpaBackend().load(ModelInfo(id=name), LoadContext(paths={"model": folder}))


@pytest.mark.parametrize("text", ["one two three\n", "one\n", "<blk> 0\none x\n", ""])
def test_tokens_that_are_none_are_refused(offline_folder, tmp_path: Path, text: str) -> None:
    folder = Path(shutil.copytree(offline_folder("zipformer"), tmp_path / "model"))
    (folder / "tokens.txt").write_text(text)
    with pytest.raises(ModelLoadFailed, match=r"line [12]"):
        SherpaBackend().load(ModelInfo(id="org/model"), LoadContext(paths={"model": folder}))


def test_a_file_cut_short_is_refused(offline_folder, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(offline_folder("zipformer"), tmp_path / "model"))
    path = folder / "joiner-epoch-99-avg-1.onnx"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ModelLoadFailed, match=r"joiner.*cut short"):
        SherpaBackend().load(ModelInfo(id="org/model"), LoadContext(paths={"model": folder}))


@pytest.mark.parametrize("backend", [SherpaBackend, SherpaDiarizationBackend])
def test_another_device_is_refused(backend, tmp_path: Path) -> None:
    context = LoadContext(paths={"model": tmp_path}, device="cuda")
    with pytest.raises(InvalidRequest, match="CPU"):
        backend().load(ModelInfo(id="org/model"), context)


@pytest.mark.parametrize("backend", [SherpaBackend, SherpaDiarizationBackend])
def test_a_missing_folder_is_refused(backend, tmp_path: Path) -> None:
    for paths in ({}, {"model": tmp_path / "nowhere"}):
        with pytest.raises(ModelLoadFailed, match="no folder"):
            backend().load(ModelInfo(id="org/model"), LoadContext(paths=paths))


def test_a_local_folder_is_described(offline_folder) -> None:
    found = SherpaBackend().inspect(offline_folder("sense_voice"))
    assert found is not None
    assert found.languages == ("zh", "en", "yue", "ja", "ko")
    assert found.compute_types == ("float32",)
    assert found.capabilities == CAPABILITIES[Family.SENSE_VOICE]
    assert found.id == "sense_voice"


def test_speakers_are_found_in_one_folder(speaker_folders, offline_folder, tmp_path: Path) -> None:
    backend = SherpaDiarizationBackend()
    for key in speaker_folders:
        assert backend.inspect(speaker_folders[key]) is None
    assert backend.inspect(offline_folder("zipformer")) is None
    for key, folder in speaker_folders.items():
        shutil.copytree(folder, tmp_path / "both" / key)
    found = backend.inspect(tmp_path / "both")
    assert found is not None
    assert Capability.EMBEDDING in found.capabilities
    backend.load(found, LoadContext(paths={"model": tmp_path / "both"})).close()
    assert SherpaBackend().inspect(tmp_path / "both") is None


def test_a_part_in_place_of_the_other_is_refused(speaker_folders) -> None:
    segmentation, embedding = (speaker_folders[key] for key in ("segmentation", "embedding"))
    for paths, missing in (
        ({"segmentation": embedding, "embedding": embedding}, "segmentation model"),
        ({"segmentation": segmentation, "embedding": segmentation}, "model of voices"),
    ):
        with pytest.raises(ModelLoadFailed, match=missing):
            SherpaDiarizationBackend().load(ModelInfo(id="a/b"), LoadContext(paths=paths))
