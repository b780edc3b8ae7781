"""Words to expect, as the engine takes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from open_speech_provider_sherpa.hotwords import MAX_CHARS, MAX_WORDS, Vocabulary

BPE = ["<blk>", "<sos/eos>", "<unk>", "\u2581the", "\u2581a", "s", "\u2581", "e", "#0"]
UPPER = ["<blk>", "\u2581THE", "S", "E"]
CHARS = ["<blk>", "\u4e00", "\u4e8c", "a"]
MIXED = ["<blk>", "\u2581HE", "LLO", *map(chr, range(0x4E00, 0x4E40))]
BYTES = ["<blk>", "\u2581\u0188\u01af", "\u0186", "\u01af"]


def vocabulary(folder: Path, pieces: list[str]) -> Vocabulary:
    lines = (f"{piece} {number}\n" for number, piece in enumerate(pieces))
    (folder / "tokens.txt").write_text("".join(lines), encoding="utf-8")
    return Vocabulary(folder / "tokens.txt")


@pytest.mark.parametrize(
    ("pieces", "unit"),
    [
        (BPE, "bpe"),
        (UPPER, "bpe"),
        (CHARS, "cjkchar"),
        (MIXED, "cjkchar+bpe"),
        (BYTES, "bbpe"),
    ],
)
def test_the_unit_is_that_of_the_tokens(tmp_path: Path, pieces: list[str], unit: str) -> None:
    assert vocabulary(tmp_path, pieces).unit == unit


def test_the_vocabulary_is_that_of_sentencepiece(tmp_path: Path) -> None:
    path = tmp_path / "bpe.vocab"
    vocabulary(tmp_path, BPE).write(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines == ["\u2581the\t0", "\u2581a\t-1", "s\t-2", "\u2581\t-3", "e\t-4"]


@pytest.mark.parametrize(
    ("pieces", "keywords", "written"),
    [
        (BPE, ["The Cat", "a/b"], "the cat/a b"),
        (UPPER, ["The Cat"], "THE CAT"),
        (MIXED, ["hello \u4e00"], "HELLO \u4e00"),
        (CHARS, ["\u4e00\u4e8c"], "\u4e00\u4e8c"),
        (BPE, ["seven :5", ":9", "#1 @two", "  ", "line\nbreak"], "seven 5/9/1 two/line break"),
        (BPE, [], ""),
    ],
)
def test_words_are_written_as_the_engine_takes_them(
    tmp_path: Path, pieces: list[str], keywords: list[str], written: str
) -> None:
    assert vocabulary(tmp_path, pieces).written(keywords) == written


def test_there_is_a_bound(tmp_path: Path) -> None:
    known = vocabulary(tmp_path, BPE)
    assert known.written(["e" * (MAX_CHARS + 1)]) == ""
    assert known.written(["e"] * (MAX_WORDS + 5)).count("e") == MAX_WORDS
