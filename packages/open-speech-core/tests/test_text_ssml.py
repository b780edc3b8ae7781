# ruff: noqa: RUF001 - phonemes
from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._synthesis.utterances import Pause, Utterance, original_words
from open_speech._types.audio import Word
from open_speech._types.models import Capability, Kind, ModelInfo
from open_speech._types.speech import SpeechRequest
from open_speech._types.tokens import TokenKind
from open_speech.errors import InvalidRequest, UnsupportedCapability
from open_speech.text import NormalizationOptions, TextOptions
from open_speech.text.prepare import prepare
from open_speech.text.ssml import MAX_DEPTH

MODEL = ModelInfo(
    id="m",
    kind=Kind.TTS,
    languages=("en",),
    capabilities=frozenset({Capability.PHONEMES}),
    reads={"*": frozenset(TokenKind)},
)
SSML = TextOptions(ssml=True)


def script(text: str) -> list[Utterance | Pause]:
    return prepare(SpeechRequest(text=text, voice="v"), MODEL, SSML)


def spoken(inner: str) -> list[object]:
    """Texts and seconds of what is within <speak>."""
    items = script(f"<speak>{inner}</speak>")
    return [item.seconds if isinstance(item, Pause) else item.text for item in items]


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("Hello <emphasis>there</emphasis>, you<mark name='x'/>.", ["Hello there, you."]),
        ("AT&amp;T &lt;3 &#65;&#x42; <![CDATA[a & b]]>", ["AT&T <3 AB a & b"]),
        ("<p>One</p><p>two</p>three", ["One", "two", "three"]),
        ("<p><s>One</s> <s>two</s></p>", ["One", "two"]),
        ("A <unknown a='b'>c</unknown> d", ["A c d"]),
        ("A <audio src='x'>cat<desc>purring</desc></audio>", ["A cat"]),
        ("<metadata>nothing</metadata>A<!-- b --><?c d?>", ["A"]),
        ("&amp;c<![CDATA[&b]]>", ["&c&b"]),
        ("A\r\n   b", ["A b"]),
        ("[pause:1s] a [voice:x]", ["[pause:1s] a [voice:x]"]),
        ("<sub alias='World Wide Web'>WWW</sub> <sub>b</sub>", ["World Wide Web b"]),
        ("<sub alias='something'/> here", ["something here"]),
        ("", []),
        ("<break time='1s'/>", [1.0]),
    ],
)
def test_elements(inner, expected):
    assert spoken(inner) == expected


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [
        ("time='1.5s'", 1.5),
        ("time='250ms'", 0.25),
        ("time=' +2 s '", 2.0),
        ("strength='weak'", 0.25),
        ("strength='x-strong'", 1.5),
        ("time='soon'", 0.5),
        ("", 0.5),
    ],
)
def test_a_break(attributes, seconds):
    assert spoken(f"a<break {attributes}/>b") == ["a", seconds, "b"]


@pytest.mark.parametrize("strength", ["none", "x-weak"])
def test_a_break_of_nothing_is_none(strength):
    assert spoken(f"a<break strength='{strength}'/>b") == ["ab"]


def test_a_break_that_is_too_long():
    with pytest.raises(InvalidRequest, match="pauses"):
        spoken("a<break time='31s'/>b")


@pytest.mark.parametrize(
    ("attributes", "speed", "volume"),
    [
        ("rate='slow'", 0.75, 1.0),
        ("rate='120%'", 1.2, 1.0),
        ("rate='+20%'", 1.2, 1.0),
        ("rate='-20%'", 0.8, 1.0),
        ("rate='1.5'", 1.5, 1.0),
        ("rate='1000%'", 4.0, 1.0),
        ("rate='0'", 0.25, 1.0),
        ("volume='soft'", 1.0, 0.5),
        ("volume='+6dB'", 1.0, pytest.approx(2.0, abs=0.01)),
        ("volume='-6dB'", 1.0, pytest.approx(0.5, abs=0.01)),
        ("volume='50'", 1.0, 0.5),
        ("volume='+999dB'", 1.0, 4.0),
        ("volume='silent'", 1.0, 0.0),
    ],
)
def test_prosody(attributes, speed, volume):
    items = script(f"<speak>a<prosody {attributes}>b </prosody>c</speak>")
    found = [(item.speed, item.volume) for item in items if isinstance(item, Utterance)]
    assert found == [(1.0, 1.0), (speed, volume), (1.0, 1.0)]


@pytest.mark.parametrize("attributes", ["rate='quick'", "pitch='high'", "volume='x'", "rate='-2'"])
def test_prosody_of_nothing_divides_nothing(attributes):
    assert spoken(f"a<prosody {attributes}>b </prosody>c") == ["ab c"]


def test_settings_nest_and_end():
    items = script(
        "<speak xml:lang='en-US'>a<voice name='x'>b<prosody rate='fast'>c<prosody rate='80%'>d"
        "</prosody></prosody><lang xml:lang='de-DE'>e</lang></voice>f</speak>"
    )
    found = [(p.text, p.voice, p.language, p.speed) for p in items if isinstance(p, Utterance)]
    assert found == [
        ("a", None, "en-US", 1.0),
        ("b", "x", "en-US", 1.0),
        ("c", "x", "en-US", 1.25),
        ("d", "x", "en-US", 1.0),
        ("e", "x", "de-DE", 1.0),
        ("f", None, "en-US", 1.0),
    ]


@pytest.mark.parametrize(
    ("attributes", "content", "expected"),
    [
        ("characters", "a1 B", "A 1 B"),
        ("spell-out", "NATO", "N A T O"),
        ("digits", "2024", "two zero two four"),
        ("telephone", "+1 555-12", "plus one, five five five, one two"),
        ("cardinal", "1,234", "one thousand two hundred thirty-four"),
        ("ordinal", "3", "third"),
        ("date' format='mdy", "9/10/1960", "September tenth, nineteen sixty"),
        ("date' format='dmy", "10.9.1960", "the tenth of September, nineteen sixty"),
        ("date' format='ymd", "1960-9-10", "September tenth, nineteen sixty"),
        ("date' format='md", "9/10", "September tenth"),
        ("date' format='mdy", "13/10/1960", "13/10/1960"),
        ("date' format='mmm", "1/1/1", "1/1/1"),
        ("date", "9/10/1960", "9/10/1960"),
        ("expletive", "gosh", "gosh"),
        ("cardinal", "many", "many"),
        ("", "as it is", "as it is"),
    ],
)
def test_say_as(attributes, content, expected):
    assert spoken(f"<say-as interpret-as='{attributes}'>{content}</say-as>") == [expected]


def test_say_as_in_another_language():
    inner = "<lang xml:lang='de'><say-as interpret-as='cardinal'>21</say-as></lang>"
    assert spoken(inner) == ["einundzwanzig"]
    inner = "<lang xml:lang='zh'><say-as interpret-as='cardinal'>21</say-as></lang>"
    assert spoken(inner) == ["21"]


def test_phonemes():
    inner = "In <phoneme alphabet='ipa' ph='/ˈwʊstər/'>Worcester</phoneme>."
    assert spoken(inner) == ["In [Worcester](/ˈwʊstər/)."]
    assert spoken("<phoneme alphabet='x-sampa' ph='x'>word</phoneme>") == ["word"]
    assert spoken("<phoneme ph='a(b'>word</phoneme>") == ["word"]
    assert spoken(f"<phoneme ph='{'a' * 201}'>word</phoneme>") == ["word"]
    model = ModelInfo(id="m", kind=Kind.TTS)
    request = SpeechRequest(text="<speak><phoneme ph='a'>b</phoneme></speak>", voice="v")
    with pytest.raises(UnsupportedCapability, match="phonemes"):
        prepare(request, model, SSML)


def test_a_text_that_looks_like_a_pronunciation_is_none():
    assert spoken("[a](/b/)") == ["[a] (/b/)"]


def test_namespaces_and_a_declaration_are_tolerated():
    text = (
        '<?xml version="1.0" encoding="utf-16"?>\n<!-- hi --><s:speak version="1.1" '
        'xmlns:s="http://www.w3.org/2001/10/synthesis"><s:p>One</s:p><s:break/>two é</s:speak>'
    )
    items = script(text)
    assert [getattr(item, "text", 0.5) for item in items] == ["One", 0.5, "two é"]


def test_plain_text_is_read_as_such():
    items = script("Hello [pause:1s] there & you")
    assert [getattr(item, "text", 1.0) for item in items] == ["Hello", 1.0, "there & you"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<speak>a & b</speak>", "line 1, column 11: not well-formed"),
        ("<speak>\n  <p>a</speak>", "line 2, column 9: mismatched tag"),
        ("<speak>", "no element found"),
        ("a < b", "line 1, column 1"),
        ("<p>a</p>", "not <speak>"),
        ("<speak>&lol;</speak>", "undefined entity"),
        ("<speak>\0</speak>", "not well-formed"),
        ("<speak/><speak/>", "junk after document element"),
        (f"{'<speak>' * 100}", "within each other"),
        ("<speak>" + "<s/>" * 100_001 + "</speak>", "elements"),
    ],
)
def test_what_cannot_be_read(text, reason):
    with pytest.raises(InvalidRequest, match=reason) as caught:
        script(text)
    assert caught.value.param == "input"


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))


@pytest.mark.parametrize(
    "head",
    [
        f'<!DOCTYPE s [<!ENTITY l0 "lol">{LAUGHS}]>',
        '<!DOCTYPE s [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE s SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE s [<!ENTITY % l9 SYSTEM "http://127.0.0.1:1/x"> %l9;]>',
        "<!DOCTYPE s>",
    ],
)
def test_a_billion_laughs_are_refused_at_the_first(head):
    with pytest.raises(InvalidRequest, match="document type"):
        script(f"{head}<speak>&l9;</speak>")


def test_depth_is_bounded():
    inner = "<a>" * (MAX_DEPTH - 1) + "deep" + "</a>" * (MAX_DEPTH - 1)
    assert spoken(inner) == ["deep"]
    with pytest.raises(InvalidRequest, match="within each other"):
        spoken(f"<a>{inner}</a>")


UNITS = {
    "<s>a</s>": "a",
    "&amp;a": "&a",
    "é<b/>": "é",
    "\r\n": "",
    "<![CDATA[&a]]>": "&a",
    "<!--a-->": "",
    "<sub alias='a'>b</sub>": "a",
}
"""What is repeated, and what is spoken of it."""


@pytest.mark.parametrize(("unit", "letter"), UNITS.items())
def test_a_long_document_comes_back_complete(unit, letter):
    assert "".join(map(str, spoken(f"x{unit * 5_000}"))).replace(" ", "") == f"x{letter * 5_000}"
    assert spoken(f"<sub alias='z'>{unit * 5_000}</sub>") == ["z"]


def calls_of(act: Callable[[], object]) -> int:
    """How many functions an act calls, those written in C included."""
    count = 0

    def see(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("unit", UNITS)
def test_the_work_grows_with_the_length_of_a_document(unit):
    script(f"<speak>{unit}</speak>")  # what is made once
    once, twice = (
        calls_of(partial(script, f"<speak>x{unit * size}</speak>")) for size in (1_000, 2_000)
    )
    assert twice <= 2.2 * once + 1_000


def test_words_are_those_that_readers_see():
    text = "<speak>é un<emphasis>believ</emphasis>able AT&amp;T <sub alias='a b'>C</sub></speak>"
    (piece,) = script(text)
    assert isinstance(piece, Utterance)
    words = [Word(text=each, start=i, end=i + 1) for i, each in enumerate(piece.text.split())]
    found = original_words(text, piece, words)
    assert [word.text for word in found] == ["é", "unbelievable", "AT&T", "C"]
    assert [text[slice(*word.span)] for word in found if word.span] == [
        "é",
        "un<emphasis>believ</emphasis>able",
        "AT&amp;T",
        "C",
    ]
    assert (found[-1].start, found[-1].end) == (3, 5)


names = st.sampled_from(["p", "s", "emphasis", "prosody", "voice", "sub", "say-as", "x:y", "mark"])
letters = st.text(st.sampled_from("abcé好 \n&<>.]'😀\r"), max_size=12)
trees = st.recursive(
    letters.map(escape),
    lambda inner: st.builds(
        lambda name, parts: (
            f"<{name} xmlns:x='u' rate='fast' name='v' alias='ok'>{''.join(parts)}</{name}>"
        ),
        names,
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@given(trees)
def test_any_tree_gives_pieces_that_know_their_places(inner):
    text = f"<speak>{inner}</speak>"
    options = TextOptions(ssml=True, normalization=NormalizationOptions(normalize=False))
    for piece in prepare(SpeechRequest(text=text, voice="v"), MODEL, options):
        assert isinstance(piece, Utterance)
        position, shift = 0, piece.start
        for edit in piece.edits:
            assert edit.source_start == edit.start + shift
            assert piece.text[position : edit.start] == text[position + shift : edit.source_start]
            position, shift = edit.end, edit.source_end - edit.end
        assert text.startswith(piece.text[position:], position + shift)


@given(st.text(st.sampled_from("<>/speak &;!='\"[]?-a"), max_size=60))
def test_anything_else_is_read_or_refused(text):
    try:
        items = script(text)
    except InvalidRequest:
        return
    end = 0
    for item in items:
        if isinstance(item, Utterance):
            assert end <= item.start <= len(text)
            end = item.start
            assert item.text.strip()
        else:
            assert item.seconds > 0
