# ruff: noqa: RUF001 - signs of many scripts are what this is about
from __future__ import annotations

import dataclasses
import subprocess
import sys
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._synthesis.utterances import Pause, Utterance
from open_speech._types.models import Capability, Kind, ModelInfo, Voice
from open_speech._types.speech import SpeechRequest
from open_speech._types.tokens import TokenKind
from open_speech.errors import InvalidRequest
from open_speech.text import (
    NormalizationOptions,
    Pronunciation,
    Pronunciations,
    TextOptions,
)
from open_speech.text.prepare import prepare

PLAIN = ModelInfo(id="plain", kind=Kind.TTS, languages=("en",))
ABLE = ModelInfo(
    id="able",
    kind=Kind.TTS,
    languages=("en", "de"),
    voices=(Voice(id="anna", languages=("de-DE",)), Voice(id="bob", languages=("en-US",))),
    voice_aliases={"nova": "bob"},
    capabilities=frozenset({Capability.PHONEMES}),
    reads={"*": frozenset(TokenKind)},
)
AS_IT_IS = TextOptions(normalization=NormalizationOptions(normalize=False))


def asked(text: str, **fields: object) -> SpeechRequest:
    return SpeechRequest(**{"text": text, "voice": "v", **fields})  # type: ignore[arg-type]


def texts(script: list[Utterance | Pause]) -> list[str]:
    return [item.text for item in script if isinstance(item, Utterance)]


def undone(piece: Utterance, original: str) -> str:
    """The piece with what each edit stands for put back."""
    parts, position = [], 0
    for edit in piece.edits:
        parts += [piece.text[position : edit.start], original[edit.source_start : edit.source_end]]
        position = edit.end
    return "".join([*parts, piece.text[position:]])


def end_of(piece: Utterance) -> int:
    last = piece.edits[-1] if piece.edits else None
    shift = last.source_end - last.end if last else piece.start
    return len(piece.text) + shift


def check(script: list[Utterance | Pause], original: str) -> None:
    """What holds for any script: its pieces know where they come from."""
    pieces = [item for item in script if isinstance(item, Utterance)]
    for piece in pieces:
        assert piece.text == piece.text.strip()
        assert any(character.isalnum() for character in piece.text)
        assert undone(piece, original) == original[piece.start : end_of(piece)]
        for edit in piece.edits:
            assert 0 <= edit.start <= edit.end <= len(piece.text)
            assert 0 <= edit.source_start <= edit.source_end <= len(original)
        for one, other in pairwise(piece.edits):
            assert one.end <= other.start
            assert one.source_end <= other.source_start
    assert all(one.start <= other.start for one, other in pairwise(pieces))


def test_sentences_become_pieces_at_their_places():
    text = "Hello there.  How\nare you?\n\nFine"
    script = prepare(asked(text), PLAIN)
    assert texts(script) == ["Hello there.", "How are you?", "Fine"]
    assert [text[piece.start : end_of(piece)] for piece in script] == [
        *("Hello there.", "How\nare you?", "Fine")
    ]
    check(script, text)


@pytest.mark.parametrize("text", ["", "  \n ", "...", "— ! ?", "\0", "\ud800", "😀"])
def test_nothing_to_speak_is_nothing(text):
    assert prepare(asked(text), PLAIN) == []


def test_a_pronunciation_that_is_cut_at_a_space_leaves_none_at_the_end():
    text = "0" * 29 + "[0 ](/0/)"
    script = prepare(asked(text), ABLE, dataclasses.replace(AS_IT_IS, max_chars=16))
    assert all(piece == piece.strip() for piece in texts(script))


def test_an_engine_that_reads_symbols_gets_them():
    assert texts(prepare(asked("😀 !"), ABLE)) == ["😀 !"]


def test_a_piece_of_signs_alone_is_left_out():
    script = prepare(asked("One. — ! [pause:1s] Two."), PLAIN, AS_IT_IS)
    assert [getattr(item, "text", item) for item in script] == [
        *("One.", Pause(seconds=1.0), "Two.")
    ]


def test_the_models_limit_holds_after_writing_out():
    model = ModelInfo(id="m", kind=Kind.TTS, languages=("en",), max_text_chars=40)
    text = "Call 555-123-4567 or 555-765-4321 until 12:45 on 2024-05-17, please, or never at all."
    script = prepare(asked(text), model)
    assert max(map(len, texts(script))) <= 40
    check(script, text)


def test_the_first_piece_is_short_and_only_the_first():
    text = "A first clause is here, and a long one follows it, " + "so it goes on " * 5 + "to here."
    script = prepare(asked(text), PLAIN, TextOptions(first_max_chars=30))
    assert texts(script)[0] == "A first clause is here,"
    assert len(script) == 2
    whole = prepare(asked(text), PLAIN, TextOptions(first_max_chars=None))
    assert texts(whole) == [text]


def test_what_was_written_out_stays_whole_where_it_fits():
    text = "Call 555-123-4567, now, for it is late and we have to go home at last."
    first = texts(prepare(asked(text), PLAIN, TextOptions(first_max_chars=40)))[0]
    assert first.endswith(("seven,", "last."))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"voice": "bob", "language": "de-DE"}, "fünfundzwanzig"),
        ({"voice": "anna"}, "fünfundzwanzig"),
        ({"voice": "bob"}, "twenty-five"),
        ({"voice": "nova"}, "twenty-five"),
        ({"voice": "bob(2)+anna"}, "twenty-five"),
        ({"voice": "stranger"}, "25"),
    ],
)
def test_the_language_is_the_requests_or_the_voices(fields, expected):
    model = ModelInfo(
        id="m",
        kind=Kind.TTS,
        languages=("en", "de"),
        voices=ABLE.voices,
        voice_aliases=ABLE.voice_aliases,
    )
    assert texts(prepare(asked("25", **fields), model)) == [expected]


def test_what_looks_like_a_pronunciation_is_none_without_markup():
    options = TextOptions(markup=False)
    assert texts(prepare(asked("a [b](/c/)"), ABLE, options)) == ["a [b] (/c/)"]


def test_control_characters_never_reach_an_engine():
    text = "a\0b\ud800c\x07 d"
    script = prepare(asked(text, language="xx"), ABLE)
    assert texts(script) == ["abc d"]
    check(script, text)


WORDS = Pronunciations(
    {"any": {"ab": Pronunciation(say="a bee"), "cd": Pronunciation(ipa="si", say="see dee")}}
)
FRAGMENTS = [
    *("Hello there. ", "Dr. Smith ", "3.14", "$5.25 ", "10KB ", "me@b.co ", "www.a.com/x?y=1. "),
    *("555-123-4567 ", "12:30 p.m. ", "1999", "1990s ", "file(s) ", "AT&T ", "50% ", "**b** "),
    *("2024-05-17 ", "ab cd ", "etc. ", "No. 5", "-", "–", " ", "  ", "\r\n", "\n\n", "\t", "\0"),
    *("[pause:1s]", "[voice:x]", "[rate:2]", "[a b](/c d/)", "[a](http://b.c)", "[", "]", "(", ")"),
    *(
        "你好。",
        "مرحبا؟ ",
        "e\u0301",
        "😀",
        "\ud800",
        "x" * 30,
        "a",
        "ß",
        "İ",
        "1",
        ".",
        ",",
        "1,000",
    ),
]
hostile = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(FRAGMENTS)).map("".join))
chosen = st.builds(
    TextOptions,
    markup=st.booleans(),
    voice_tags=st.booleans(),
    normalization=st.builds(
        NormalizationOptions,
        normalize=st.booleans(),
        unit_normalization=st.booleans(),
        replace_remaining_symbols=st.booleans(),
    ),
    pronunciations=st.sampled_from([None, WORDS]),
    max_chars=st.sampled_from([None, 16, 40]),
)


@given(hostile, chosen, st.sampled_from(["en-US", "de", "zh", None]), st.booleans())
def test_any_text_gives_pieces_that_know_their_places(text, options, language, reads):
    model = ModelInfo(
        id="m",
        kind=Kind.TTS,
        capabilities=frozenset({Capability.PHONEMES}),
        reads={"*": frozenset(TokenKind)} if reads else {},
    )
    script = prepare(asked(text, language=language), model, options)
    for piece in script:
        if isinstance(piece, Utterance):
            assert piece.text == piece.text.strip() != ""
            assert undone(piece, text) == text[piece.start : end_of(piece)]
            assert len(piece.text) <= (options.max_chars or 400)


@given(hostile, st.sampled_from(["en-US", "de", None]))
def test_no_letter_is_lost(text, language):
    options = TextOptions(markup=False, pronunciations=WORDS)
    script = prepare(asked(text, language=language), PLAIN, options)
    check(script, text)
    covered = [False] * len(text)
    for piece in script:
        covered[piece.start : end_of(piece)] = [True] * (end_of(piece) - piece.start)
    assert not [
        letter for letter, seen in zip(text, covered, strict=True) if letter.isalnum() > seen
    ]


@given(hostile)
def test_without_changes_only_space_is_between_pieces(text):
    options = TextOptions(markup=False, normalization=NormalizationOptions(normalize=False))
    model = ModelInfo(id="m", kind=Kind.TTS)
    script = prepare(asked(text), model, options)
    spoken = "".join("".join(texts(script)).split())
    assert [each for each in spoken if each.isalnum()] == [each for each in text if each.isalnum()]


NASTY = {
    "prose": "Hello there, my friend. How are you today? ",
    "one word": "a",
    "emoji": "😀",
    "zalgo": "a\u0300\u0301\u0302\u0303",
    "digits": "1",
    "digits and commas": "1,",
    "thousands": ",111",
    "digits and stops": "1.",
    "digits and dashes": "1-",
    "digits and colons": "1:",
    "opening brackets": "[",
    "half tags": "[pause:",
    "half pronunciations": "[a](/",
    "closing halves": "](/",
    "angles": "<",
    "at signs": "a@",
    "half addresses": "a@a.",
    "labels": "a.",
    "long labels": "a" * 63 + ".",
    "schemes": "http://",
    "www": "www.",
    "paths": "a.io/.",
    "money": "$",
    "half phones": "555-",
    "country codes": "+1 ",
    "plurals": "(s)",
    "symbols": "%",
    "underscores": "_",
    "spaces": " ",
    "lines": "\n",
    "surrogates": "\ud800",
    "zeros": "\0",
}


@pytest.mark.parametrize("unit", NASTY.values(), ids=NASTY.keys())
def test_a_hostile_text_is_no_work(unit):
    size = 20_000
    text = (unit * size)[:size]
    options = TextOptions(
        normalization=NormalizationOptions(unit_normalization=True), pronunciations=WORDS
    )
    begin = time.process_time()
    script = prepare(asked(text), ModelInfo(id="m", kind=Kind.TTS, languages=("en",)), options)
    # Under a second; whatever is not linear takes minutes.
    assert time.process_time() - begin < 60
    for piece in script:
        assert isinstance(piece, Utterance)
        assert len(piece.text) <= 400


def test_a_million_characters_of_prose():
    text = NASTY["prose"] * 25_000
    assert sum(map(len, texts(prepare(asked(text), PLAIN)))) > 900_000


def test_pauses_are_bounded():
    with pytest.raises(InvalidRequest, match="pauses") as caught:
        prepare(asked("a [pause:30s]" * 11), PLAIN)
    assert caught.value.param == "input"


def test_naming_options_loads_no_library():
    code = "import sys, open_speech.text.options as _; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"regex", "sentencex", "unicode_rbnf"} & set(done.stdout.split())
