"""Speech through a Fish Speech server: a real one on a socket, that speaks upstream's routes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fish_upstream import RATE, SECONDS_PER_CHAR, Handler, Upstream, header

from open_speech import Audio, LoadContext, SpeechRequest
from open_speech.errors import (
    InvalidRequest,
    InvalidResult,
    ModelLoadFailed,
    ProviderError,
    Unavailable,
)
from open_speech.testing import join, sine
from open_speech_provider_fish import FishBackend
from open_speech_provider_fish.catalogue import MODELS, SERVER
from open_speech_provider_fish.server import ServerModel

INFO = next(model for model in MODELS if model.id == SERVER)


def loaded(upstream: Upstream, **options: Any) -> ServerModel:
    context = LoadContext(options={"url": upstream.url, **options})
    model = FishBackend().load(INFO, context)
    assert isinstance(model, ServerModel)
    return model


def say(model: ServerModel, text: str = "Hello there", **more: Any) -> Audio:
    return join(*model.synthesize(SpeechRequest(text=text, voice="random", **more)))


def test_sound_comes_as_the_server_sends_it(upstream: Upstream) -> None:
    text = "A text of some length, for more than one chunk."
    chunks = list(loaded(upstream).synthesize(SpeechRequest(text=text, voice="random")))
    assert len(chunks) > 1
    sound = join(*chunks)
    assert sound.sample_rate == RATE
    assert len(sound.samples) == round(len(text) * SECONDS_PER_CHAR * RATE)
    assert 0.49 < float(np.abs(sound.samples).max()) < 0.51


def test_voices_are_those_that_the_server_keeps(upstream: Upstream) -> None:
    model = loaded(upstream)
    assert [voice.id for voice in model.info.voices] == ["random", "Old Ben", "anna"]
    assert model.info.default_voice == "random"
    list(model.synthesize(SpeechRequest(text="Hello", voice="anna")))
    assert upstream.asked[-1]["reference_id"] == "anna"
    say(model)
    assert "reference_id" not in upstream.asked[-1]


def test_older_server_keeps_no_voices(upstream: Upstream) -> None:
    upstream.references = None
    model = loaded(upstream)
    assert [voice.id for voice in model.info.voices] == ["random"]
    assert say(model).seconds > 0


def test_recording_goes_along_with_its_text(upstream: Upstream) -> None:
    model = loaded(upstream)
    say(model, reference=sine(1.0, sample_rate=24_000), reference_text="a tone")
    (reference,) = upstream.asked[-1]["references"]
    assert reference["text"] == "a tone"
    # Upstream takes shorter ones for a path, not for base64.
    assert len(reference["audio"]) > 255
    say(model, reference=sine(1.0, sample_rate=24_000))
    assert upstream.asked[-1]["references"][0]["text"] == ""


def test_seed_is_sent_and_there_is_always_one(upstream: Upstream) -> None:
    model = loaded(upstream)
    first, second = say(model, seed=1), say(model, seed=2)
    assert not np.array_equal(first.samples, second.samples)
    assert np.array_equal(first.samples, say(model, seed=1).samples)
    assert np.array_equal(say(model).samples, say(model).samples)
    say(model, seed=2**63)
    assert upstream.asked[-1]["seed"] < 2**32


def test_options_of_the_start_and_of_the_request_are_sent(upstream: Upstream) -> None:
    model = loaded(upstream, temperature=0.5, max_new_tokens=200)
    say(model, options={"temperature": 1})
    assert upstream.asked[-1]["temperature"] == 1.0
    assert upstream.asked[-1]["max_new_tokens"] == 200
    assert upstream.asked[-1]["top_p"] == 0.8


@pytest.mark.parametrize(
    "options", [{"temperature": 7.0}, {"top_p": True}, {"url": "http://other.example"}, {"x": 1}]
)
def test_wrong_options_are_refused_before_the_server_is_asked(
    upstream: Upstream, options: dict[str, Any]
) -> None:
    model = loaded(upstream)
    with pytest.raises(InvalidRequest):
        say(model, options=options)
    assert not upstream.asked


def test_key_is_sent(upstream: Upstream) -> None:
    upstream.key = "12345"
    with pytest.raises(ProviderError, match=r"does not accept the key.*`api_key`"):
        loaded(upstream)
    assert say(loaded(upstream, api_key=12345)).seconds > 0


@pytest.mark.parametrize(
    "url", ["", "speaker.example", "ftp://a.example", "http://", "http://a:b@c", "http://[", 5]
)
def test_address_must_be_one(url: str) -> None:
    with pytest.raises(ModelLoadFailed, match="OS_OPTIONS__FISH__URL"):
        FishBackend().load(INFO, LoadContext(options={"url": url}))


def test_nobody_at_the_address_is_for_later(upstream: Upstream) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(Unavailable, match=url) as caught:
            FishBackend().load(INFO, LoadContext(options={"url": url}))
    assert caught.value.retry_after


def test_path_before_the_routes_is_kept(upstream: Upstream) -> None:
    with pytest.raises(InvalidRequest, match="Not Found"):
        loaded(upstream, url=f"{upstream.url}/fish/")
    assert upstream.seen == ["GET /fish/v1/health"]


def test_refusal_of_a_text_is_the_callers(upstream: Upstream) -> None:
    upstream.answer = lambda handler: handler.json(400, {"message": "Text is too long, max 5"})
    with pytest.raises(InvalidRequest, match="Text is too long, max 5"):
        say(loaded(upstream))


def redirect(handler: Handler) -> None:
    handler.send_response(307)
    handler.send_header("Location", "/v1/elsewhere")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def broken_off(handler: Handler) -> None:
    handler.begin()
    handler.stream(header(), bytes(1000), end=False)
    handler.close_connection = True


def sends(*blocks: bytes) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.begin()
        handler.stream(*blocks)

    return answer


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (lambda handler: handler.json(500, {"message": "Failed"}), ProviderError, "status 500"),
        (redirect, ProviderError, "status 307"),
        (broken_off, ProviderError, "broke off"),
        (sends(), InvalidResult, "before its sound began"),
        (sends(b"<html>", b"no sound here"), InvalidResult, "no WAV file"),
        (sends(header()[:40]), InvalidResult, "before its sound began"),
        (sends(header(bits=8), bytes(99)), InvalidResult, "another kind"),
        (sends(header()[:36] + b"junk" + bytes(70_000)), InvalidResult, "no sound"),
        (sends(header()[:12] + b"data" + bytes(4)), InvalidResult, "what its samples are"),
    ],
)
def test_what_is_no_sound_is_a_sentence(
    upstream: Upstream,
    answer: Callable[[Handler], None],
    error: type[Exception],
    said: str,
) -> None:
    upstream.answer = answer
    model = loaded(upstream)
    with pytest.raises(error, match=said):
        say(model)
    assert not [path for path in upstream.seen if "elsewhere" in path]
    upstream.answer = None
    assert say(model).seconds > 0


def test_two_channels_become_one(upstream: Upstream) -> None:
    both = np.array([[1000, 3000], [-2000, 0]], "<i2").tobytes()
    upstream.answer = sends(header(channels=2)[:20], header(channels=2)[20:], both[:3], both[3:])
    sound = say(loaded(upstream))
    assert np.allclose(sound.samples, [2000 / 32768, -1000 / 32768])


def test_request_that_is_given_up_is_given_up_there(upstream: Upstream) -> None:
    asked_again = threading.Event()

    def endless(handler: Handler) -> None:
        handler.begin()
        handler.stream(header(), end=False)
        while not upstream.left.is_set():
            handler.stream(bytes(8192), end=False)
        asked_again.set()

    upstream.answer = endless
    chunks = loaded(upstream).synthesize(SpeechRequest(text="Hello", voice="random"))
    assert next(chunks).seconds > 0
    chunks.close()  # type: ignore[attr-defined]
    assert upstream.left.wait(60)
    assert asked_again.wait(60)
