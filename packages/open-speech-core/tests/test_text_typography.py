# ruff: noqa: RUF001 - signs are what this is about
from __future__ import annotations

import pytest

from open_speech._synthesis.utterances import Utterance, original_words
from open_speech._types.audio import Word
from open_speech._types.models import Kind, ModelInfo
from open_speech._types.speech import SpeechRequest
from open_speech._types.tokens import TokenKind
from open_speech.text import NormalizationOptions, Pronunciation, Pronunciations, TextOptions
from open_speech.text.prepare import prepare

MODEL = ModelInfo(id="m", kind=Kind.TTS)


def spoken(text: str, language: str | None, options: TextOptions | None = None) -> str:
    model = ModelInfo(id="m", kind=Kind.TTS, reads={"*": frozenset(TokenKind)})
    request = SpeechRequest(text=text, voice="v", language=language)
    script = prepare(request, model, options)
    return " ".join(piece.text for piece in script if isinstance(piece, Utterance))


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("language", ["en-US", "fr", "uk", None])
@pytest.mark.parametrize("sign", list("’‘‛ʼ＇´`′"))
def test_an_apostrophe_within_a_word_is_one_for_every_engine(sign, language, normalize):
    options = TextOptions(normalization=NormalizationOptions(normalize=normalize))
    for word in ("wasn't", "isn't", "won't", "l'homme", "O'Neill's", "м'яч"):
        assert spoken(word.replace("'", sign), language, options) == word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the dogs’ bowls", "the dogs' bowls"),
        ("’tis the ’90s", "'tis the '90s"),
        ("mother‑in‑law", "mother-in-law"),
        ("co\u00adoperate", "cooperate"),
        ("ﬁnd ofﬁces", "find offices"),
        ("𝐁𝐨𝐥𝐝", "Bold"),
        ("“quoted” — ‘so’ she said", "“quoted” — ‘so’ she said"),
        ("5′10″ and 40°26′", "5′10″ and 40°26′"),
    ],
)
def test_signs_of_typography(text, expected):
    assert spoken(text, "xx") == expected


def test_readers_see_the_sign_that_was_written():
    text = "It wasn’t me"
    (piece,) = prepare(SpeechRequest(text=text, voice="v", language="en"), MODEL)
    assert isinstance(piece, Utterance)
    words = [Word(text=part, start=i, end=i + 1) for i, part in enumerate(piece.text.split())]
    assert [word.text for word in original_words(text, piece, words)] == ["It", "wasn’t", "me"]


@pytest.mark.parametrize("sign", "'’")
def test_a_word_of_the_dictionary_is_found_with_either_apostrophe(sign):
    words = Pronunciations({"any": {f"O{sign}Neill": Pronunciation(say="oh neel")}})
    for written in ("O'Neill", "O’Neill"):
        assert spoken(written, "en", TextOptions(pronunciations=words)) == "oh neel"
