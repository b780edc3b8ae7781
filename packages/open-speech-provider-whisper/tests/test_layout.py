"""A model file that lies about itself is refused before the engine makes room for it."""

from __future__ import annotations

import io
import math
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech.errors import ModelLoadFailed
from open_speech_provider_whisper import _layout

WEIGHTS = (Path(__file__).parent / "data" / "whisper-digits" / "model.bin").read_bytes()
HEADER = struct.pack("<IH12sII", 6, 12, b"WhisperSpec\0", 3, 1)
NAME = struct.pack("<H5s", 5, b"bias\0")

Spoilt = Callable[[bytes], Path]


@pytest.fixture
def spoilt(digits: Path, tmp_path: Path) -> Spoilt:
    """Write a folder whose weights are these bytes."""

    def write(weights: bytes) -> Path:
        folder = Path(shutil.copytree(digits, tmp_path / "model", dirs_exist_ok=True))
        (folder / "model.bin").write_bytes(weights)
        return folder

    return write


def variable(shape: tuple[int, ...], kind: int, length: int) -> bytes:
    return NAME + struct.pack(f"<B{len(shape)}IBI", len(shape), *shape, kind, length)


LIES = {
    "two terabytes": HEADER + variable((2**20, 2**19), 0, 0),
    "more than its shape": HEADER + variable((4,), 0, 64) + bytes(64),
    "less than its shape": HEADER + variable((4,), 0, 4) + bytes(4),
    "more than the file": HEADER + variable((2**28,), 0, 2**30),
    "a product beyond 64 bits": HEADER + variable((2**31, 2**31, 2**31), 0, 0),
    "many dimensions": HEADER + NAME + b"\xff" + bytes(2000),
    "an unknown type": HEADER + variable((1,), 99, 4) + bytes(4),
    "four billion variables": HEADER[:-4] + b"\xff\xff\xff\xff" + bytes(4096),
    "a name beyond the end": HEADER + struct.pack("<H", 60_000) + b"name",
    "another model": struct.pack("<IH16s", 6, 16, b"TransformerSpec\0") + bytes(64),
    "an old format": struct.pack("<I", 3) + WEIGHTS[4:],
    "nothing": b"",
    "zeros": bytes(4096),
    "text": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 75538270\n",
}


@pytest.mark.parametrize("weights", LIES.values(), ids=list(LIES))
def test_a_lie_is_refused(spoilt: Spoilt, weights: bytes) -> None:
    with pytest.raises(ModelLoadFailed, match=r"model\.bin that") as caught:
        _layout.check(spoilt(weights), "org/model")
    assert caught.value.model == "org/model"


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.3, 0.9])
def test_a_truncated_file_is_refused(spoilt: Spoilt, share: float) -> None:
    with pytest.raises(ModelLoadFailed, match="cut short"):
        _layout.check(spoilt(WEIGHTS[: int(share * len(WEIGHTS))]), "org/model")


def test_good_models_pass(digits: Path, multilingual_folder: Path) -> None:
    _layout.check(digits, "digits")
    _layout.check(multilingual_folder, "multilingual")
    assert _layout.is_whisper(digits)


def test_a_later_format_is_left_to_a_later_engine(spoilt: Spoilt) -> None:
    _layout.check(spoilt(struct.pack("<I", 7) + bytes(100)), "org/model")


class Reader:
    """Reads weights as the engine does: room is made by shape, and filled by length."""

    SIZES = (4, 1, 2, 4, 2, 2)

    def __init__(self, weights: bytes) -> None:
        self.weights = weights
        self.place = 0
        self.fields: list[int] = []
        """Where the numbers stand that say how much there is of anything."""

    def number(self, form: str) -> int:
        size = struct.calcsize(form)
        assert self.place + size <= len(self.weights), "read beyond the end"
        self.fields.extend(range(self.place, self.place + size))
        (found,) = struct.unpack_from(form, self.weights, self.place)
        self.place += size
        return int(found)

    def skip(self, length: int) -> None:
        self.place += length
        assert self.place <= len(self.weights), "read beyond the end"

    def read(self) -> None:
        """Fail where the engine would write outside of its room or read beyond the file."""
        if self.number("<I") != 6:
            return  # the engine refuses it by itself
        self.skip(self.number("<H"))
        self.number("<I")
        for _ in range(self.number("<I")):
            self.skip(self.number("<H"))
            shape = [self.number("<I") for _ in range(self.number("<B"))]
            kind, length = self.number("<B"), self.number("<I")
            room = math.prod(shape) * self.SIZES[kind]
            assert length <= room < 2**63, "more is read than there is room for"
            self.skip(length)


def fields() -> list[int]:
    reader = Reader(WEIGHTS)
    reader.read()
    return reader.fields


def passes(weights: bytes) -> bool:
    try:
        _layout._check_weights(io.BytesIO(weights), len(weights))
    except _layout._Broken:
        return False
    return True


def test_the_reader_finds_what_the_check_refuses() -> None:
    with pytest.raises(AssertionError, match="room"):
        Reader(LIES["more than its shape"]).read()
    with pytest.raises(AssertionError, match="beyond the end"):
        Reader(LIES["more than the file"]).read()


changes = st.tuples(st.sampled_from(fields()) | st.integers(0, 8_000), st.integers(0, 255))


@given(st.lists(changes, min_size=1, max_size=3))
def test_what_passes_has_room_for_all_that_is_read(changes: list[tuple[int, int]]) -> None:
    weights = bytearray(WEIGHTS)
    for place, value in changes:
        weights[place] = value
    if passes(bytes(weights)):
        Reader(bytes(weights)).read()


@given(
    st.lists(st.integers(0, 4), max_size=3),
    st.integers(0, 7),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_a_variable_of_any_shape_and_length_is_refused_or_harmless(
    shape: list[int], kind: int, length: int, there: int
) -> None:
    weights = HEADER + variable(tuple(shape), kind, length) + bytes(there)
    if passes(weights):
        Reader(weights).read()


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_harmless(data: bytes) -> None:
    if passes(HEADER + data):
        Reader(HEADER + data).read()


def test_the_size_of_a_vocabulary(tmp_path: Path) -> None:
    assert _layout.vocabulary_size(tmp_path) == 0
    (tmp_path / "vocabulary.txt").write_text("a\nb\nc\n")
    assert _layout.vocabulary_size(tmp_path) == 3
    (tmp_path / "vocabulary.json").write_text('["a", "b"]')
    assert _layout.vocabulary_size(tmp_path) == 2
    for text in ("3", "{", "[" * 100_000):
        (tmp_path / "vocabulary.json").write_text(text)
        assert _layout.vocabulary_size(tmp_path) == 0
