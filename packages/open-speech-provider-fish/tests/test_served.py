"""The whole way: through core, in a worker of its own, to a Fish Speech server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from fish_upstream import RATE, Upstream

from open_speech import Audio, Config, OpenSpeech, Policy, SpeechRequest
from open_speech._lifecycle.states import ModelState
from open_speech.errors import ModelLoadFailed, Unavailable, UnknownVoice
from open_speech.testing import join, sine

MODEL = "fish-server"


@pytest.fixture
async def speech(upstream: Upstream) -> AsyncIterator[OpenSpeech]:
    """Core with this provider alone, and the address among its options."""
    config = Config(
        providers=("fish",),
        policy=Policy(load_wait_s=120.0),
        options={"fish": {"url": upstream.url}},
    )
    async with OpenSpeech(config) as running:
        yield running


async def say(speech: OpenSpeech, **more: object) -> Audio:
    request = SpeechRequest(**{"text": "Hello. And again.", "voice": "", **more})  # type: ignore[arg-type]
    async with aclosing(speech.synthesize(request, model=MODEL)) as chunks:
        return join(*[chunk async for chunk in chunks])


async def test_server_speaks_through_a_worker(speech: OpenSpeech, upstream: Upstream) -> None:
    sound = await say(speech)
    assert sound.sample_rate == RATE
    assert sound.seconds > 0
    # What it sounds like is chosen by the seed: one and the same for the whole text.
    assert {asked["seed"] for asked in upstream.asked} == {42}
    await say(speech, voice="anna")
    assert upstream.asked[-1]["reference_id"] == "anna"
    with pytest.raises(UnknownVoice, match="Old Ben"):
        await say(speech, voice="Old Bob")
    await say(speech, reference=sine(1.0), reference_text="A tone.")
    assert upstream.asked[-1]["references"][0]["text"] == "A tone."


async def test_license_is_shown_and_nothing_is_to_be_fetched(speech: OpenSpeech) -> None:
    shown = {status.id: status for status in await speech.models()}
    assert shown[MODEL].model.license == "LicenseRef-Fish-Audio-Research"
    assert shown[MODEL].state is ModelState.DOWNLOADED
    assert not shown[MODEL].license_pending


async def test_without_an_address_it_says_how_to_set_it() -> None:
    async with OpenSpeech(Config(providers=("fish",))) as speech:
        with pytest.raises(ModelLoadFailed, match="OS_OPTIONS__FISH__URL"):
            await say(speech)


async def test_server_that_is_away_is_for_later() -> None:
    options = {"fish": {"url": "http://127.0.0.1:9"}}
    async with OpenSpeech(Config(providers=("fish",), options=options)) as speech:
        with pytest.raises(Unavailable, match="does not answer"):
            await say(speech)
