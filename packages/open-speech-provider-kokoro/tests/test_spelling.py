# ruff: noqa: RUF001 - phonetic letters
"""From text to symbols: what the tagger is good for, links, numbers, and what is missing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from open_speech.errors import InvalidRequest, ModelLoadFailed
from open_speech_provider_kokoro import _spelling
from open_speech_provider_kokoro._spelling import Plain, Spelling, clean
from open_speech_provider_kokoro._tokens import Token, symbols_of


@pytest.fixture(scope="module")
def spelling(tagger: Path) -> Spelling:
    return Spelling(tagger, "kokoro")


def spelt(spelling: Spelling, letter: str, text: str) -> dict[str, str]:
    return {token.text: token.symbols for token in spelling.spell(letter, text)}


def test_the_tagger_tells_homographs_and_years_apart(spelling: Spelling) -> None:
    verb = spelt(spelling, "a", "He lives here .")
    noun = spelt(spelling, "a", "Their lives ended in 1999 .")
    assert verb["lives"] == "lˈɪvz"
    assert noun["lives"] == "lˈIvz"
    assert "nˌIntˈin" in noun["1999"].replace(" ", "")
    plain = Spelling(None, "kokoro")
    assert spelt(plain, "a", "He lives here .")["lives"] == noun["lives"]


def test_both_englishes_differ(spelling: Spelling) -> None:
    american, british = (spelt(spelling, letter, "tomato")["tomato"] for letter in "ab")
    assert american != british


def test_a_link_says_how_a_word_is_spoken(spelling: Spelling) -> None:
    english = spelt(spelling, "a", "Say [Kokoro](/kˈOkəɹO/) now.")
    assert english["Kokoro"] == "kˈOkəɹO"
    italian = spelling.spell("i", "Dico [Kokoro](/kˈokoro/), ciao.")
    assert [token.text for token in italian] == ["Dico", "Kokoro", ",", "ciao."]
    assert italian[1].symbols == "kˈokoro"
    assert symbols_of(italian).startswith("dˈiko kˈokoro")


def test_a_word_in_no_lexicon_is_spelt_by_espeak(spelling: Spelling) -> None:
    assert spelt(spelling, "a", "blorptastic")["blorptastic"].startswith("bl")


@pytest.mark.parametrize(
    ("letter", "text"),
    [
        ("e", "Tengo 21 años, ¿y tú?"),
        ("f", "C'est la vie en 1999."),
        ("h", "नमस्ते दुनिया"),
        ("i", "Ciao a tutti."),
        ("p", "Olá, tudo bem?"),
    ],
)
def test_words_keep_their_symbols(spelling: Spelling, letter: str, text: str) -> None:
    tokens = spelling.spell(letter, text)
    assert [token.text for token in tokens] == text.split()
    assert all(token.symbols for token in tokens)


def test_a_number_takes_all_of_its_symbols(spelling: Spelling) -> None:
    tokens = spelling.spell("e", "Tengo 1999 libros.")
    assert symbols_of(tokens[1:2]).count(" ") >= 2
    assert "lˈi" in tokens[2].symbols


def test_words_that_cannot_be_told_apart_are_one_token() -> None:
    symbols = {"so en la casa": "so enla kasa", "la": "la", "en": "en", "so": "so"}
    tokens = Plain(lambda text: (symbols.get(text, "kasa"), None))("so en la casa")
    assert tokens == [
        Token("so", "so", space=True),
        Token("en la", "enla", space=True, sure=False),
        Token("casa", "kasa", space=False),
    ]


@pytest.mark.parametrize("letter", ["j", "z"])
def test_a_language_that_is_not_installed_is_reported(
    spelling: Spelling, letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_spelling._NEEDS, letter, ("not_installed_at_all",))
    with pytest.raises(InvalidRequest, match="cannot read") as raised:
        spelling.spell(letter, "猫")
    assert "pip install 'open-speech-provider-kokoro[" in str(raised.value.hint)
    assert raised.value.param == "language"


def test_every_extra_that_is_named_exists() -> None:
    project = Path(__file__).parents[1] / "pyproject.toml"
    for letter in _spelling._NEEDS:
        extra = _spelling.LANGUAGES[letter].tag
        assert f"\n{extra} = [" in project.read_text()


def test_a_broken_tagger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.cfg").write_text("[nlp]\npipeline = 3\n")
    with pytest.raises(ModelLoadFailed, match="tagger"):
        Spelling(tmp_path, "kokoro").spell("a", "Hello")


def test_odd_texts_are_spelt_in_time(spelling: Spelling) -> None:
    texts = ["a1" * 500, "[" * 1_000, "1" * 1_000, "\N{GRINNING FACE}" * 100, "1.2.3,4e5 ½² ٣"]
    for text in texts:
        start = time.monotonic()
        spelling.spell("a", text)
        spelling.spell("e", text)
        assert time.monotonic() - start < 100, text[:8]


def test_clean_leaves_no_long_word_and_nothing_to_control() -> None:
    assert max(map(len, clean("x" * 1_000).split())) == 20
    assert clean("a\x00b\x1b[0m\nc") == "a b [0m c"
    assert clean(f"[word](/{'a' * 40}/)") == f"[word](/{'a' * 40}/)"
