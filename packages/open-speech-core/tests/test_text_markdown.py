from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech._synthesis.utterances import Utterance, original_words
from open_speech._types.audio import Word
from open_speech._types.models import Kind, ModelInfo
from open_speech._types.speech import SpeechRequest
from open_speech.text import NormalizationOptions, TextOptions
from open_speech.text.prepare import prepare

MODEL = ModelInfo(id="m", kind=Kind.TTS)


def spoken(text: str, language: str = "en", **options: bool) -> list[str]:
    request = SpeechRequest(text=text, voice="v", language=language)
    chosen = TextOptions(first_max_chars=None, normalization=NormalizationOptions(**options))
    return [piece.text for piece in prepare(request, MODEL, chosen) if isinstance(piece, Utterance)]


@pytest.mark.parametrize("language", ["en", "de", "ja", "xx"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**Bold** text", ["Bold text"]),
        ("***Both***, __strong__ and _soft_", ["Both, strong and soft"]),
        ("*one* two*", ["one two"]),
        ("~~gone~~ `code` ``more``", ["gone code more"]),
        ("### Heading", ["Heading"]),
        ("text and ### Heading", ["text and Heading"]),
        ("one # Heading and two ##", ["one Heading and two"]),
        ("# Shopping list\n- milk\n* eggs\n+ bread", ["Shopping list", "milk", "eggs", "bread"]),
        ("## Closed ##\nnext", ["Closed", "next"]),
        ("- [ ] todo\n- [x] done", ["todo", "done"]),
        ("> quoted\n> text", ["quoted text"]),
        ("One\n---\nTwo\n***\nThree", ["One", "Two", "Three"]),
        ("Title\n=====\nText", ["Title", "Text"]),
        ("| Name | Age |\n|:---|---:|\n| Ann | old |", ["Name, Age", "Ann, old"]),
        ("```python\nprint()\n```", ["print()"]),
        ("See [the docs](https://example.com/a).", ["See the docs."]),
        ("![A cat](cat.png) sits", ["A cat sits"]),
        ("See [this][ref].\n\n[ref]: https://example.com", ["See this."]),
        ("A note[^1].", ["A note."]),
        ("Fish &amp; &quot;chips&quot; &#39;n&#x27; peas", ["Fish & \"chips\" 'n' peas"]),
        ("<p>Hello <b>big</b> world</p><br/>next", ["Hello big world", "next"]),
        ('<a href="x.html" class=y>Link</a> <!-- silent -->', ["Link"]),
        ("<style>p { x: y }</style>Text", ["Text"]),
        (r"\*not bold\*", ["*not bold*"]),
    ],
)  # fmt: skip
def test_marks_are_silent_in_any_language(text, expected, language):
    options = {"replace_remaining_symbols": False}
    said = spoken(text, language, **options)
    if language == "en":
        expected = [each.replace("&", "&") for each in expected]
    assert said == expected


@pytest.mark.parametrize(
    "text",
    ["snake_case_name", "a * b", "x < y", "List<String> of <name>", "C# and F#", "a_b", "[sic]",
     "5 > 3", "R&D; Q&A", "a|b", "Enter <time> here", "&nosuch;", "[a](b)", "[x] (y)"],
)  # fmt: skip
def test_what_is_no_mark_stays(text):
    assert spoken(text, "xx") == [text]


def test_marks_can_be_kept():
    text = "**Bold** &amp; <b>x</b>"
    assert spoken(text, "xx", markup_normalization=False) == [text]
    assert spoken(text, "xx", normalize=False) == [text]


def test_words_of_marked_text_are_shown_without_marks():
    text = "**Bold** words in [a link](https://example.com) &amp; more"
    (piece,) = prepare(SpeechRequest(text=text, voice="v", language="xx"), MODEL)
    assert isinstance(piece, Utterance)
    parts = piece.text.split()
    words = [Word(text=part, start=i, end=i + 1) for i, part in enumerate(parts)]
    found = original_words(text, piece, words)
    assert [word.text for word in found] == ["Bold", "words", "in", "a", "link", "&", "more"]


MARKS = [
    *(
        "**",
        "*",
        "_",
        "__",
        "~~",
        "`",
        "```\n",
        "# ",
        "## ",
        "- ",
        "> ",
        "\n",
        "\n\n",
        "[",
        "](",
        ")",
    ),
    *("](http://a.b)", "![", "|", "|---|\n", "<b>", "</b>", "<br>", "&amp;", "&lt;", "<!--", "-->"),
    *("word", "Other", "three", " ", " ", ". ", "a"),
]


@given(st.lists(st.sampled_from(MARKS), max_size=30).map("".join))
def test_words_survive_any_marks(text):
    said = "".join(" ".join(spoken(text, "xx")).split())
    for word in ("word", "Other", "three"):
        hidden = "<!--" in text or "](" in text or "```" in text
        assert hidden or said.count(word) >= min(text.count(word), 1)
