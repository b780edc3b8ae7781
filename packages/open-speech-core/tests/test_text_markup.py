# ruff: noqa: RUF001 - phonemes
from __future__ import annotations

import pytest

from open_speech._synthesis.utterances import Pause, Utterance
from open_speech._types.models import Capability, Kind, ModelInfo
from open_speech._types.speech import SpeechRequest
from open_speech._types.tokens import TokenKind
from open_speech.errors import InvalidRequest, UnsupportedCapability
from open_speech.text import TextOptions
from open_speech.text.prepare import prepare

MODEL = ModelInfo(
    id="m",
    kind=Kind.TTS,
    languages=("en",),
    capabilities=frozenset({Capability.PHONEMES}),
    reads={"*": frozenset(TokenKind) - {TokenKind.URL}},
)


def spoken(text: str, options: TextOptions | None = None) -> list[object]:
    """Pieces as (text, voice, speed), pauses as seconds."""
    script = prepare(SpeechRequest(text=text, voice="v"), MODEL, options)
    return [
        item.seconds if isinstance(item, Pause) else (item.text, item.voice, item.speed)
        for item in script
    ]


def plain(*texts: str) -> list[object]:
    return [(text, None, 1.0) for text in texts]


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ("[pause:1.5s]", 1.5),
        ("[pause:500ms]", 0.5),
        ("[PAUSE: 2 S]", 2.0),
        ("[pause:30s]", 30.0),
    ],
)
def test_a_pause(tag, seconds):
    assert spoken(f"Before{tag}after.") == [*plain("Before"), seconds, *plain("after.")]


def test_pauses_at_the_ends_stay_and_one_of_nothing_is_none():
    assert spoken("[pause:1s]Hi.[pause:0s] So.[pause:2s]") == [1.0, *plain("Hi.", "So."), 2.0]


@pytest.mark.parametrize("tag", ["[pause:30.1s]", "[pause:999999999s]", "[pause:30001ms]"])
def test_a_pause_that_is_too_long(tag):
    with pytest.raises(InvalidRequest, match="pauses for") as caught:
        spoken(f"a {tag} b")
    assert caught.value.param == "input"


@pytest.mark.parametrize(
    "text",
    [
        "[pause=1.5]",
        "[pause:1]",
        "[pause:-1s]",
        "[pause:s]",
        "[pausing:1s]",
        "[voice: ]",
        "[rate:fast]",
        "[a](b)",
        "[a](/b",
        "[a](//)",
        "[ ](/b/)",
        "[a] (/b/)",
        "a[0]",
    ],
)
def test_what_is_no_tag_is_text(text):
    assert spoken(f"See {text} there.") in (
        plain(f"See {text} there."),
        # What a model could take for a pronunciation is kept from it.
        plain(f"See {text.replace('](/', '] (/')} there."),
    )


def test_of_a_link_its_text_is_spoken():
    text = "See [the docs](https://example.com/a) there."
    assert spoken(text) == plain("See the docs there.")


def test_voices_and_rates_hold_until_the_next():
    text = "One. [voice: x ]Two. [rate:1.5]Three. [voice:a(2)+b]Four. [rate:9]Five."
    assert spoken(text) == [
        ("One.", None, 1.0),
        ("Two.", "x", 1.0),
        ("Three.", "x", 1.5),
        ("Four.", "a(2)+b", 1.0),
        ("Five.", "a(2)+b", 4.0),
    ]


def test_a_tag_that_changes_nothing_divides_nothing():
    text = "One [voice:x]two [voice:x]three."
    script = prepare(SpeechRequest(text=text, voice="v"), MODEL)
    assert [piece.text for piece in script if isinstance(piece, Utterance)] == ["One", "two three."]


def test_voice_tags_can_be_text():
    text = "[voice:x]Hi [rate:2] there[pause:1s]."
    options = TextOptions(voice_tags=False)
    assert spoken(text, options) == [*plain("[voice:x]Hi [rate:2] there"), 1.0]


def test_all_tags_can_be_text():
    assert spoken("A [pause:1s] b.", TextOptions(markup=False)) == plain("A [pause:1s] b.")


def test_a_pronunciation_stays_in_the_text():
    text = "In [Worcester](/ˈwʊs. tər/), e.g. here."
    assert spoken(text) == plain(text)


def test_a_pronunciation_is_never_divided():
    text = "word " * 5 + "[New York](/njuː, jɔːk. a/) goes on here."
    script = spoken(text, TextOptions(max_chars=32, first_max_chars=None))
    assert any("[New York](/njuː, jɔːk. a/)" in str(item) for item in script)
    assert len(script) > 1


def test_a_pronunciation_is_kept_apart_after_other_changes():
    text = "Ask www.a.com or b@c.de: [New York](/njuː, jɔːk. a/), [New York](/njuː, jɔːk. a/) is."
    script = spoken(text, TextOptions(max_chars=36, first_max_chars=None))
    assert str(script).count("[New York](/njuː, jɔːk. a/)") == 2


def test_a_pronunciation_needs_a_model_that_takes_them():
    model = ModelInfo(id="m", kind=Kind.TTS)
    with pytest.raises(UnsupportedCapability, match="phonemes") as caught:
        prepare(SpeechRequest(text="[a](/b/)", voice="v"), model)
    assert caught.value.param == "input"
    script = prepare(SpeechRequest(text="[a](https://b)", voice="v"), model)
    assert [piece.text for piece in script if isinstance(piece, Utterance)] == ["a"]
