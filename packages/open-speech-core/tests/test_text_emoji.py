from __future__ import annotations

import pytest

from open_speech._synthesis.utterances import Utterance
from open_speech._types.models import Kind, ModelInfo
from open_speech._types.speech import SpeechRequest
from open_speech.text import NormalizationOptions, TextOptions
from open_speech.text.prepare import prepare

MODEL = ModelInfo(id="m", kind=Kind.TTS)


def spoken(text: str, language: str | None, **options: bool) -> str:
    request = SpeechRequest(text=text, voice="v", language=language)
    chosen = TextOptions(normalization=NormalizationOptions(**options))
    script = prepare(request, MODEL, chosen)
    return " ".join(piece.text for piece in script if isinstance(piece, Utterance))


@pytest.mark.parametrize("language", ["en", "de", "xx", None])
@pytest.mark.parametrize(
    "picture", ["😀", "👍🏽", "❤️", "🇩🇪", "👨‍👩‍👧", "☕", "✅", "⭐", "✔️", "🎉🎉", "☺"]
)
def test_pictures_are_silent(picture, language):
    assert spoken(f"Well done {picture}!", language) == "Well done!"
    assert spoken(f"{picture} Well done", language) == "Well done"
    assert spoken(f"well{picture}done", language) == "well done"
    assert spoken(picture, language) == ""


@pytest.mark.parametrize("face", [":-)", ":)", ";-)", ":D", "=)", "<3", ":("])
def test_faces_of_signs_are_silent(face):
    assert spoken(f"Fine {face} so", "xx").split() == ["Fine", "so"]


@pytest.mark.parametrize("text", ["a: (b)", "(see: D)", "3:3", "x:D", "© ® ™", "→"])
def test_what_is_no_picture_stays(text):
    assert spoken(text, "xx") == (text if any(map(str.isalnum, text)) else "")


def test_a_key_with_a_figure_is_its_figure():
    assert spoken("Press 1️⃣ now", "xx") == "Press 1 now"


@pytest.mark.parametrize(
    ("language", "expected"),
    [("en", "thumbs up"), ("de", "daumen hoch"), ("xx", "thumbs up"), (None, "thumbs up")],
)
def test_pictures_are_named_if_asked_for(language, expected):
    said = spoken("ok 👍 so", language, read_emoji=True)
    assert said.lower() == f"ok {expected} so"
