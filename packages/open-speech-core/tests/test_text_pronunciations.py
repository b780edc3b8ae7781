# ruff: noqa: RUF001 - phonemes
from __future__ import annotations

import time

import pytest

from open_speech._synthesis.utterances import Utterance
from open_speech._types.models import Capability, Kind, ModelInfo
from open_speech._types.speech import SpeechRequest
from open_speech.text import Pronunciation, Pronunciations, TextOptions
from open_speech.text.prepare import prepare

FILE = """
[any]
nginx = "engine x"
"New York" = "noo york"
new = "noo"

[en]
Worcester = "/ˈwʊstər/"
Nguyen = { ipa = "ŋwiən", say = "win" }
"C++" = "see plus plus"

[en-GB]
nginx = "engine ex"
"""


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "words.toml"
    path.write_text(FILE, encoding="utf-8")
    return Pronunciations.read(path)


def spoken(words: Pronunciations, text: str, language: str = "en-US", *, phonemes: bool = False):
    able = frozenset({Capability.PHONEMES} if phonemes else ())
    model = ModelInfo(id="m", kind=Kind.TTS, capabilities=able)
    request = SpeechRequest(text=text, voice="v", language=language)
    script = prepare(request, model, TextOptions(pronunciations=words))
    return " ".join(piece.text for piece in script if isinstance(piece, Utterance))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nginx, NGINX nginxes", "engine x, engine x nginxes"),
        ("In new york, a new one", "In noo york, a noo one"),
        ("Nguyen of Worcester", "win of Worcester"),
        ("I like C++.", "I like see plus plus."),
        ("renew", "renew"),
    ],
)
def test_words_that_stand_by_themselves_are_spelled_anew(words, text, expected):
    assert spoken(words, text) == expected


def test_phonemes_go_to_models_that_take_them(words):
    text = "nguyen of Worcester: [nginx](/x/)"
    assert spoken(words, text, phonemes=True) == (
        "[nguyen](/ŋwiən/) of [Worcester](/ˈwʊstər/): [nginx](/x/)"
    )


def test_a_region_goes_before_its_language_and_that_before_any(words):
    assert spoken(words, "nginx", "en-GB") == "engine ex"
    assert spoken(words, "nginx", "en_gb") == "engine ex"
    assert spoken(words, "nginx Nguyen", "de") == "engine x Nguyen"


def test_a_word_goes_before_normalisation():
    words = Pronunciations({"any": {"24/7": Pronunciation(say="around the clock")}})
    assert spoken(words, "Open 24/7.") == "Open around the clock."


def test_a_replaced_word_keeps_its_place(words):
    request = SpeechRequest(text="On nginx here", voice="v")
    model = ModelInfo(id="m", kind=Kind.TTS)
    (piece,) = prepare(request, model, TextOptions(pronunciations=words))
    assert isinstance(piece, Utterance)
    (edit,) = piece.edits
    assert piece.text[edit.start : edit.end] == "engine x"
    assert request.text[edit.source_start : edit.source_end] == "nginx"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nginx = 'x'", "outside of a section"),
        ("[any]\nnginx = 3", r"\[any\] nginx"),
        ("[any]\nnginx = ''", "1 to 200"),
        ("[any]\nnginx = {}", "a text, or a table"),
        ("[any]\nnginx = {other = 'x'}", "a text, or a table"),
        ("[any]\nnginx = {ipa = 'a(b'}", "IPA"),
        ("[any]\nnginx = {ipa = '//'}", "IPA"),
        ("[any]\n'.NET' = 'dot net'", "begins with a letter"),
        ("[any]\n" + "a" * 201 + " = 'x'", "word"),
        ("[any\n", "words.toml"),
    ],
)
def test_a_wrong_file_is_told_by_its_name_and_line(tmp_path, text, reason):
    path = tmp_path / "words.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=reason) as caught:
        Pronunciations.read(path)
    assert str(path) in str(caught.value)


def test_a_word_that_cannot_be_found_is_refused():
    with pytest.raises(ValueError, match="begin with a letter"):
        Pronunciations({"any": {"+x": Pronunciation(say="y")}})


def test_a_large_dictionary_is_no_work():
    words = Pronunciations({"any": {f"word{i} {i}": Pronunciation(say="x") for i in range(20_000)}})
    begin = time.process_time()
    found = words.found("word1 1 word19999 other " * 20_000, "en", phonemes=False)
    # A tenth of a second; every word against every entry would take minutes.
    assert time.process_time() - begin < 20
    assert len(found) == 20_000
