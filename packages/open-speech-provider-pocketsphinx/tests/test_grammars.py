"""Grammars: named ones work, strange ones are refused with a reason, none is a danger."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import Audio, Segment, TranscriptionRequest
from open_speech.errors import InvalidRequest
from open_speech_provider_pocketsphinx import grammars
from open_speech_provider_pocketsphinx.model import PocketsphinxModel

Recording = Callable[[str], Audio]
HOUSE = """#JSGF V1.0 UTF-8 en;
// What one says.
grammar house;
public <order> = [please] (turn (on | off) the <room> light | (open | close) the window);
<room> = kitchen {room = 1} | /2.5/ bedroom; /* that's all; really */
"""


def heard(model: PocketsphinxModel, audio: Audio, grammar: str) -> str:
    events = filter(None, model.transcribe(TranscriptionRequest(audio=audio, grammar=grammar)))
    return " ".join(event.text for event in events if isinstance(event, Segment))


@pytest.mark.parametrize(
    ("name", "grammar", "text"),
    [
        ("light", HOUSE, "please turn on the kitchen light"),
        ("open", HOUSE, "open the window"),
        ("digits", "digits", "one two three four"),
        ("yes", "yes-no", "yes please"),
    ],
)
def test_a_grammar_is_obeyed(
    model: PocketsphinxModel, recording: Recording, name: str, grammar: str, text: str
) -> None:
    assert heard(model, recording(name), grammar) == text


@pytest.mark.parametrize("name", grammars.NAMED)
def test_every_named_grammar_compiles(model: PocketsphinxModel, name: str) -> None:
    assert model._engine is not None
    model._engine.expect(grammars.jsgf(name))


def test_a_grammar_does_not_outlive_its_request(
    model: PocketsphinxModel, recording: Recording
) -> None:
    audio = recording("open")
    free = list(filter(None, model.transcribe(TranscriptionRequest(audio=audio))))
    heard(model, audio, "digits")
    with pytest.raises(InvalidRequest):
        heard(model, audio, "#JSGF V1.0; grammar g; public <a> = (yes;")
    assert list(filter(None, model.transcribe(TranscriptionRequest(audio=audio)))) == free


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        ("numbers", "no grammar named 'numbers'"),
        (" ", "no grammar named ' '"),
        ("#JSGF V1.0; grammar g; public <a> = yes | zzqqx | blorf;", "zzqqx, blorf"),
        ("#JSGF V1.0; grammar g; public <a> = (yes;", "cannot be parsed"),
        ("#JSGF V1.0; grammar g; <a> = yes;", "cannot be parsed"),
        ("#JSGF V1.0; grammar g; public <a> = yes\0;", "cannot be parsed"),
        ("#JSGF V1.0; grammar g; import <etc.passwd>; public <a> = yes;", "header and rules"),
        ("#JSGF V1.0; grammar g;\n  import <a.*>;\npublic <a> = yes;", "header and rules"),
        ("#JSGF V1.0; grammar g; /* */ import <a.*>; public <a> = yes;", "header and rules"),
        ("#JSGF V1.0; grammar g; public <a> = yes; no;", "header and rules"),
        ("#JSGF V1.0; grammar g; public <a> = " + "yes " * 6000 + ";", "longer than"),
        ("#JSGF V1.0; grammar g; public <a> = " + "(" * 101 + "yes" + ")" * 101, "more than 100"),
    ],
)
def test_what_cannot_be_used_is_refused(
    model: PocketsphinxModel, recording: Recording, grammar: str, reason: str
) -> None:
    with pytest.raises(InvalidRequest, match=reason) as caught:
        heard(model, recording("yes"), grammar)
    assert caught.value.param == "grammar"
    assert "digits" in str(caught.value)


def test_words_of_a_grammar() -> None:
    words = "please turn on off the light open close window kitchen bedroom"
    assert grammars.words(grammars.jsgf(HOUSE)) == words.split()


@given(st.text(alphabet="yesno <>()[]|*+=;/{}.#public\n", max_size=60))
def test_any_text_compiles_or_is_refused(model: PocketsphinxModel, body: str) -> None:
    assert model._engine is not None
    with suppress(InvalidRequest):
        model._engine.expect(grammars.jsgf(f"#JSGF V1.0; grammar g; public <a> = {body};"))
