"""Speaking from text that is still being written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech import Audio, ModelInfo, SpeechRequest
from open_speech._synthesis.arriving import arriving_text
from open_speech._synthesis.utterances import whole
from open_speech.errors import ProviderError, UnknownVoice
from open_speech.service import FlushText, OpenSpeech, SentenceStarted
from open_speech.testing.tone import spoken_seconds

TEXT = "Good morning. How are you today? I have, as you know, been away for a long while."
MODEL = ModelInfo(id="x")


async def written(parts: Iterable[str | FlushText]) -> AsyncIterator[str | FlushText]:
    for part in parts:
        yield part


async def spoken(
    speech: OpenSpeech, text: AsyncIterator[str | FlushText], **request: object
) -> list[Audio | SentenceStarted]:
    asked = SpeechRequest(text="", voice="", **request)
    async with asyncio.timeout(30):
        events = speech.synthesize_stream(text, asked, model="tone/sine")
        return [event async for event in events]


def seconds(events: list[Audio | SentenceStarted]) -> float:
    return sum(event.seconds for event in events if isinstance(event, Audio))


@given(
    text=st.text(alphabet="ab ,.!?\n\u3002日\U0001f600", max_size=200),
    cuts=st.lists(st.integers(1, 30), max_size=40),
)
def test_nothing_is_lost_however_it_comes_in(text, cuts):
    parts, position = [], 0
    for cut in cuts:
        parts.append(text[position : position + cut])
        position += cut
    parts.append(text[position:])

    async def passages() -> list[tuple[str, int]]:
        request = SpeechRequest(text="", voice="v")
        found = arriving_text(written(parts), request, MODEL, whole, "en")
        return [(passage.text, passage.start) async for passage in found]

    found = asyncio.run(passages())
    for piece, start in found:
        assert text[start : start + len(piece)] == piece
    assert "".join("".join(piece.split()) for piece, _ in found) == "".join(text.split())


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_each_sentence_is_announced_and_spoken(make_speech, size):
    parts = [TEXT[first : first + size] for first in range(0, len(TEXT), size)]
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await spoken(speech, written(parts))
    sentences = [event for event in events if isinstance(event, SentenceStarted)]
    assert [each.text for each in sentences][:2] == ["Good morning.", "How are you today?"]
    assert " ".join(each.text for each in sentences) == TEXT
    assert all(TEXT[each.start :].startswith(each.text) for each in sentences)
    assert seconds(events) == pytest.approx(spoken_seconds(TEXT), abs=0.3)


async def test_a_sentence_sounds_before_the_next_is_written(make_speech):
    heard = asyncio.Event()

    async def text() -> AsyncIterator[str | FlushText]:
        yield "Good morning. How are you"
        await heard.wait()  # nothing more comes before something was heard
        yield " today?"

    async with make_speech(install=("tone",), isolated=False) as speech, asyncio.timeout(30):
        asked = SpeechRequest(text="", voice="")
        found = []
        async for event in speech.synthesize_stream(text(), asked, model="tone/sine"):
            found.append(event)
            if isinstance(event, Audio):
                heard.set()
    assert [each.text for each in found if isinstance(each, SentenceStarted)] == [
        "Good morning.",
        "How are you today?",
    ]


async def test_a_flush_speaks_what_there_is(make_speech):
    heard = asyncio.Event()

    async def text() -> AsyncIterator[str | FlushText]:
        yield "Wait a"
        yield FlushText()
        await heard.wait()
        yield "moment"

    async with make_speech(install=("tone",), isolated=False) as speech, asyncio.timeout(30):
        asked = SpeechRequest(text="", voice="")
        found = []
        async for event in speech.synthesize_stream(text(), asked, model="tone/sine"):
            found.append(event)
            if isinstance(event, Audio):
                heard.set()
    assert [each.text for each in found if isinstance(each, SentenceStarted)] == [
        "Wait a",
        "moment",
    ]


async def test_words_have_their_places_in_the_whole_text(make_speech):
    async with make_speech(install=("tone",), isolated=False) as speech:
        events = await spoken(speech, written([TEXT[:20], TEXT[20:]]), word_timestamps=True)
    words = [word for event in events if isinstance(event, Audio) for word in event.words]
    assert [word.text for word in words] == [word.strip(".,?") for word in TEXT.split()]
    for word in words:
        assert word.span is not None
        assert TEXT[slice(*word.span)] == word.text


@pytest.mark.parametrize("parts", [[], [""], ["  \n"], [FlushText(), FlushText()]])
async def test_no_text_is_no_sound(make_speech, parts):
    async with make_speech(install=("tone",), isolated=False) as speech:
        assert await spoken(speech, written(parts)) == []


async def test_what_is_wrong_is_told_and_frees_the_model(make_speech):
    async def broken() -> AsyncIterator[str | FlushText]:
        yield "Good morning. And"
        raise OSError("the writer is gone")

    async with make_speech(isolated=False) as speech:
        with pytest.raises(OSError, match="writer"):
            await spoken(speech, broken())
        asked = SpeechRequest(text="", voice="nobody")
        with pytest.raises(UnknownVoice):
            await anext(speech.synthesize_stream(written(["Hi."]), asked, model="tone/sine"))
        asked = SpeechRequest(text="", voice="any")
        events = speech.synthesize_stream(written(["Hi."]), asked, model="faulty/raise")
        assert isinstance(await anext(events), SentenceStarted)
        with pytest.raises(ProviderError):
            await anext(events)
        for instance in speech.manager.instances:
            assert not instance.users


async def test_it_can_be_stopped_in_the_middle(make_speech):
    async def endless() -> AsyncIterator[str | FlushText]:
        while True:
            yield "And so on. "
            await asyncio.sleep(0)

    async with make_speech(install=("tone",), isolated=False) as speech, asyncio.timeout(30):
        asked = SpeechRequest(text="", voice="")
        events = speech.synthesize_stream(endless(), asked, model="tone/sine")
        async for event in events:
            if isinstance(event, Audio):
                break
        await events.aclose()
        (instance,) = speech.manager.instances
        assert not instance.users
