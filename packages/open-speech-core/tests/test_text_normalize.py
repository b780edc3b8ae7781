# ruff: noqa: RUF001 - signs are what this is about
from __future__ import annotations

from dataclasses import replace

import pytest

from open_speech._synthesis.utterances import Utterance, original_words
from open_speech._types.audio import Word
from open_speech._types.models import Kind, ModelInfo
from open_speech._types.speech import SpeechRequest
from open_speech._types.tokens import TokenKind
from open_speech.text import NormalizationOptions, TextOptions
from open_speech.text.numbers import cardinal, digits, ordinal, year
from open_speech.text.prepare import prepare

MODEL = ModelInfo(id="m", kind=Kind.TTS, languages=("en-US",))
READS = replace(MODEL, reads={"en": frozenset(TokenKind)})
ALL = NormalizationOptions(unit_normalization=True)


def spoken(
    text: str,
    options: NormalizationOptions = ALL,
    *,
    model: ModelInfo = MODEL,
    language: str | None = None,
) -> str:
    request = SpeechRequest(text=text, voice="v", language=language)
    script = prepare(
        request, model, TextOptions(normalization=options, markup=False, first_max_chars=None)
    )
    return " ".join(piece.text for piece in script if isinstance(piece, Utterance))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.com/a?x=1", "https a dot com slash a question mark x equals one"),
        ("See example.com.", "See example dot com."),
        ("(http://localhost:8100/)", "(http localhost colon eight thousand one hundred)"),
        ("http://10.0.0.1/x", "http ten dot zero dot zero dot one slash x"),
        ("www.a.b/c_d, then", "www dot a dot b slash c underscore d, then"),
        ("It is done.In the end", "It is done. In the end"),
        ("e.g.this node.js", "e.g.this node.js"),
        ("me.too+x@ex-ample.co.uk!", "me dot too plus x at ex dash ample dot co dot uk!"),
        ("a@b", "a at b"),
        ("Ask joe42@b.org.", "Ask joe forty-two at b dot org."),
    ],
)  # fmt: skip
def test_addresses(text, expected):
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("555-123-4567", "five five five, one two three, four five six seven"),
        ("(555) 123-4567.", "five five five, one two three, four five six seven."),
        ("+1 555 123 4567", "plus one, five five five, one two three, four five six seven"),
        ("+44 20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        ("Call 555-1234", "Call five five five, one two three four"),
        ("+15551234567", "plus one five five five one two three four five six seven"),
    ],
)
def test_phones(text, expected):
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10KB", "ten kilobytes"),
        ("10 Kb", "ten kilobits"),
        ("1 km", "one kilometer"),
        ("5.5 km/h", "five point five kilometers per hour"),
        ("-3°C", "minus three degrees Celsius"),
        ("6ft 2in", "six feet two inches"),
        ("2 in 3", "two in three"),
        ("1,500 MB", "one thousand five hundred megabytes"),
        ("30s", "thirty seconds"),
        ("the 1990s", "the nineteen nineties"),
        ("5 mx", "five mx"),
    ],
)
def test_units(text, expected):
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$5.25", "five dollars and twenty-five cents"),
        ("$1.01", "one dollar and one cent"),
        ("$0.50", "fifty cents"),
        ("$0", "zero dollars"),
        ("$5.00", "five dollars"),
        ("$1,234.5", "one thousand two hundred thirty-four dollars and fifty cents"),
        ("-$3", "minus three dollars"),
        ("$1.5 million", "one point five million dollars"),
        ("$5k", "five thousand dollars"),
        ("£2.01", "two pounds and one penny"),
        ("20€", "twenty euros"),
        ("¥500", "five hundred yen"),
        ("$1.234", "one point two three four dollars"),
    ],
)
def test_money(text, expected):
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("25", "twenty-five"),
        ("1,234", "one thousand two hundred thirty-four"),
        ("3.14", "three point one four"),
        ("-5", "minus five"),
        ("007", "zero zero seven"),
        ("1" * 20, " ".join(["one"] * 20)),
        ("1999", "nineteen ninety-nine"),
        ("2005", "two thousand five"),
        ("2024", "twenty twenty-four"),
        ("3000", "three thousand"),
        ("'80s and 1960s", "eighties and nineteen sixties"),
        ("the 21st", "the twenty-first"),
        ("5-10", "five to ten"),
        ("1990–1995", "nineteen ninety to nineteen ninety-five"),
        ("50%", "fifty percent"),
        ("v2.0.1", "version two point zero point one"),
        ("1/2 or 2½", "one half or two and a half"),
        ("5k runs", "five thousand runs"),
        ("mp3", "mp three"),
        ("B2B", "B two B"),
        ("2024-05-17", "May seventeenth, twenty twenty-four"),
        ("5/7/2024", "May seventh, twenty twenty-four"),
        ("17/5/2024", "May seventeenth, twenty twenty-four"),
        ("May 5, 2024", "May fifth, twenty twenty-four"),
        ("12:00", "twelve o'clock"),
        ("3:05", "three oh five"),
        ("3:30 PM", "three thirty PM"),
        ("3:30 p.m. today", "three thirty p.m. today"),
        ("3pm", "three PM"),
        ("8:15:01", "eight fifteen and one second"),
        ("No. 5", "number five"),
        ("4:3:2", "four:three:two"),
    ],
)
def test_numbers(text, expected):
    assert spoken(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith, Mr. X", "Doctor Smith, Mister X"),
        ("Dr. at", "Dr. at"),
        ("e.g. this, i.e. that", "for example this, that is that"),
        ("cats etc. are", "cats et cetera are"),
        ("Cats etc. Dogs.", "Cats et cetera. Dogs."),
        ("AT&T & me", "AT and T and me"),
        ("#1 C# #tag", "number one C sharp hashtag tag"),
        ("**bold** _it_ snake_case ~x", "bold it snake case x"),
        ("a/b = c + d", "a slash b equals c plus d"),
        ("a // b", "a b"),
    ],
)
def test_abbreviations_and_symbols(text, expected):
    assert spoken(text) == expected


def test_plurals():
    assert spoken("file(s), box(es), (s)") == "files, boxes, (s)"


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("email_normalization", "me@example.com"),
        ("url_normalization", "www.example.com/a"),
        ("phone_normalization", "555-123-4567"),
        ("unit_normalization", "10KB"),
        ("optional_pluralization_normalization", "file(s)"),
        ("replace_remaining_symbols", "a & b"),
        ("normalize", "file(s) 5 & 3pm"),
    ],
)
def test_each_option_switches_its_kind(option, text):
    others = NormalizationOptions(
        normalize=True,
        unit_normalization=False,
        url_normalization=False,
        email_normalization=False,
        optional_pluralization_normalization=False,
        phone_normalization=False,
        replace_remaining_symbols=False,
    )
    off, on = replace(others, **{option: False}), replace(others, **{option: True})
    assert spoken(text, off) != spoken(text, on)
    assert not option.startswith("norm") or spoken(text, off) == text


def test_what_the_engine_reads_is_left_to_it():
    text = "On 5/7/2024 Dr. X paid $5.25 (50%) & left at 3:05."
    assert spoken(text, model=READS) == text
    addresses = "Mail me@b.org from www.b.org, 10KB, file(s), 555-1234."
    assert spoken(addresses, model=READS) == addresses


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (TokenKind.NUMBER, "5 for $5 & 5%", "5 for five dollars and five percent"),
        (TokenKind.MONEY, "5 for $5", "five for $5"),
        (TokenKind.DATE, "2024-05-17", "2024-05-17"),
        (TokenKind.URL, "See a.com/b & c", "See a.com/b and c"),
    ],
)
def test_kinds_are_left_one_by_one(kind, text, expected):
    assert spoken(text, model=replace(MODEL, reads={"en": frozenset({kind})})) == expected
    assert spoken(text, model=replace(MODEL, reads={"*": frozenset({kind})})) == expected
    others = {"*": frozenset({kind}), "en": frozenset()}
    assert spoken(text, model=replace(MODEL, reads=others)) == spoken(text)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "25 Katzen, 3,5 x", "fünfundzwanzig Katzen, drei Komma fünf x"),
        ("de", "Am 3. Mai", "Am dritten Mai"),
        ("de", "1.200.000", "eine Million zweihunderttausend"),
        ("fr-FR", "21 ans", "vingt-et-un ans"),
        ("es", "16 gatos", "dieciséis gatos"),
        ("nl", "12:30 & 1/2", "12:30 & 1/2"),
        ("zh", "25", "25"),
        ("en-GB", "5/7/2024", "the fifth of July, twenty twenty-four"),
        ("en_GB", "7/25/2024", "the twenty-fifth of July, twenty twenty-four"),
    ],
)  # fmt: skip
def test_other_languages(language, text, expected):
    assert spoken(text, language=language) == expected


def test_words_of_what_was_written_out_are_the_originals():
    text = "I paid $5.25 on 2024-05-17, 50% & more."
    (piece,) = prepare(SpeechRequest(text=text, voice="v"), MODEL)
    assert isinstance(piece, Utterance)
    parts = piece.text.replace("-", " ").split()
    words = [Word(text=part, start=i, end=i + 1) for i, part in enumerate(parts)]
    found = original_words(text, piece, words)
    assert [word.text for word in found] == [
        *("I", "paid", "$5.25", "on", "2024-05-17", "50%", "&", "more")
    ]
    assert [text[slice(*word.span)] for word in found if word.span] == [word.text for word in found]


def test_spelled_numbers():
    assert cardinal("12.50", "en") == "twelve point five zero"
    assert cardinal(".5", "en") == "zero point five"
    assert cardinal("0", "en") == "zero"
    assert cardinal("٣", "en") == "three"
    assert digits("1-2", "de") == "eins zwei"
    assert ordinal("3", "de") is None
    assert ordinal("9" * 16, "en") is None
    assert year("1066", "en") == "ten sixty-six"
