"""What clients write in ways of their own, and mean all the same."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from starlette.datastructures import FormData

from open_speech import Segment, Transcription, TranscriptionRequest, Word
from open_speech_server.api.bodies import ClientBody
from open_speech_server.api.compat.servers import server
from open_speech_server.api.languages import language_tag
from open_speech_server.api.openai.speech_body import SpeechBody
from open_speech_server.api.openai.transcription_form import TranscriptionForm
from open_speech_server.api.openai.transcription_responses import render
from open_speech_server.api.uploads import _fields
from open_speech_server.app import create_api
from open_speech_server.settings.compat import COMPAT
from open_speech_server.settings.settings import KNOWN, Settings


def bodies(kind: type[BaseModel] = ClientBody) -> Iterator[type[BaseModel]]:
    for found in kind.__subclasses__():
        yield found
        yield from bodies(found)


create_api(Settings())  # so that every route's body is defined
for name in COMPAT:
    server(name)
NEEDED = {"turns": [{"voice": "low", "text": "Hello"}], "messages": []}
"""Required fields that are no texts."""
BODIES = sorted(set(bodies()), key=lambda kind: kind.__name__)


def names(kind: type[BaseModel]) -> set[str]:
    return {name for name, field in kind.model_fields.items() if not field.is_required()}


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_null_is_what_is_left_out(kind: type[BaseModel], data: st.DataObject) -> None:
    optional = sorted(names(kind))
    nulls = data.draw(st.sets(st.sampled_from(optional))) if optional else set()
    needed = {
        name: NEEDED.get(name, "Hello") for name in kind.model_fields if name not in names(kind)
    }
    assert kind.model_validate({**needed, **dict.fromkeys(nulls)}) == kind.model_validate(needed)


def test_every_body_of_json_takes_nulls() -> None:
    assert {"SpeechBody", "LoadBody", "PinBody", "ChatBody", "DialogueOptions"} <= {
        kind.__name__ for kind in BODIES
    }


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("en", "en"), ("en_US", "en-US"), ("English", "en"), ("german", "de"), ("Chinese", "zh"),
        ("haitian creole", "ht"), ("auto", None), ("", None), (" de ", "de"), ("a", "en-US"),
        ("P", "pt-BR"), ("zz", "zz"),
    ],
)  # fmt: skip
def test_languages_are_taken_as_clients_name_them(said: str, tag: str | None) -> None:
    assert language_tag(said) == tag
    form = TranscriptionForm.model_validate({"file": "x", "language": said, "languages": [said]})
    assert form.language == tag
    body = SpeechBody.model_validate({"input": "Hello", "lang_code": said})
    assert body.language == tag


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ([("timestamp_granularities[]", "word")], ["word"]),
        ([("timestamp_granularities", '["word"]')], ["word"]),
        ([("timestamp_granularities[]", '["word", "segment"]')], ["word", "segment"]),
        ([("timestamp_granularities[]", "")], []),
        ([("timestamp_granularities", "[]")], []),
        ([("timestamp_granularities", "null")], []),
        ([("language", "null"), ("prompt", "")], []),
    ],
)
def test_lists_of_forms_are_taken_in_every_spelling(
    sent: list[tuple[str, str]], meant: list[str]
) -> None:
    form = TranscriptionForm.model_validate(
        {"file": "x", **_fields(FormData(sent), TranscriptionForm)}
    )
    assert form.timestamp_granularities == meant
    assert (form.language, form.prompt) == (None, None)


@pytest.mark.parametrize(
    ("granularities", "expected"), [(["word"], False), (["segment"], True), ([], True),
                                    (["word", "segment"], True)],
)  # fmt: skip
def test_words_alone_come_without_segments(granularities: list[str], *, expected: bool) -> None:
    form = TranscriptionForm.model_validate({"file": "x", "timestamp_granularities": granularities})
    assert form.with_segments is expected
    word = Word(text="Hello", start=0.0, end=1.0)
    segment = Segment(text="Hello", start=0.0, end=1.0, words=(word,))
    result = Transcription(text="Hello", language="en", duration=1.0, segments=(segment,))
    asked = TranscriptionRequest(word_timestamps=True)
    answer = json.loads(render(result, asked, "verbose_json", segments=form.with_segments).body)
    assert ("segments" in answer) is expected
    assert answer["words"][0]["word"] == "Hello"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("gpt-4o-mini-tts-2025-12-15", "tts"), ("tts-1-1106", "tts"), ("tts-1-hd-1106", "tts"),
        ("gpt-5-tts", "tts"), ("gpt-4o-mini-transcribe-2026-03-20", "stt"),
        ("gpt-5-transcribe-diarize", "stt"), ("gpt-4o-diarize", None),
        ("kokoro", None), ("my-tts-1", None),
    ],
)  # fmt: skip
def test_ids_of_openai_mean_the_defaults(name: str, kind: str | None) -> None:
    patterns = KNOWN["alias_patterns"]
    found = [k for k, globs in patterns.items() if any(fnmatch.fnmatchcase(name, g) for g in globs)]
    assert found == ([kind] if kind else [])
