"""Languages: detected, expected, given, translated; on a model that knows them all, at random."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai.types.audio import TranslationVerbose

from hearing import CLIP, DATA, DIGITS, TINY, events_of, hearing_server, send
from live import Live
from open_speech.testing import silence, wav_bytes
from open_speech_server.api.languages import language_name

pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
from faster_whisper import WhisperModel

from open_speech_provider_whisper import languages

NOISE = "somebody/faster-whisper-noise"
ONCE = {"temperature": "0.1"}
"""Of random weights no text is good enough, and without this each is tried six times."""
Likely = list[tuple[str, float]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A multilingual model with random weights, whose vocabulary has the published size."""
    spec = importlib.util.spec_from_file_location(
        "random_whisper", DATA.with_name("random_whisper.py")
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return Path(module.make(tmp_path_factory.mktemp("models") / "noise"))


@pytest.fixture(scope="module")
def likely(folder: Path) -> Likely:
    """Languages of the clip and their probabilities by the library alone, the likeliest first."""
    bare = WhisperModel(str(folder), device="cpu", compute_type="int8")
    _, info = bare.transcribe(io.BytesIO(CLIP.read_bytes()), vad_filter=True)
    return sorted(info.all_language_probs, key=lambda each: -each[1])


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Live]:
    place = tmp_path_factory.mktemp("languages")
    with hearing_server(place, {NOISE: folder, TINY: DIGITS}) as server:
        yield server


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with live.client() as client:
        yield client


def heard(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    """The clip, transcribed."""
    answer = send(client, CLIP.read_bytes(), **ONCE, **fields)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_language_is_the_one_that_the_library_finds(client, likely):
    (code, _), *_ = likely
    answer = heard(client, response_format="verbose_json")
    assert answer["language"] == language_name(code)
    assert answer["segments"]


def test_events_tell_the_language_at_the_end(client, likely):
    (code, _), *_ = likely
    *deltas, done = events_of(send(client, CLIP.read_bytes(), stream="true", **ONCE))
    assert deltas
    assert done["languages"] == [{"code": code}]


@pytest.mark.parametrize("name", ["languages", "languages[]"])
def test_the_likeliest_of_those_expected_is_taken(client, likely, name):
    _, (second, _), (third, _) = islice(likely, 3)
    answer = heard(client, **{name: [third, second]})
    assert answer["languages"] == [{"code": languages.tag(second)}]


def test_one_that_is_expected_is_the_language(client):
    assert heard(client, **{"languages[]": ["pt-BR"]})["languages"] == [{"code": "pt"}]


def test_a_language_that_is_given_counts_more_than_those_expected(client):
    fields = {"languages[]": ["de", "fr"], "language": "nl"}
    assert heard(client, **fields)["languages"] == [{"code": "nl"}]


def test_silence_has_no_language(client):
    sound = wav_bytes(silence(2.0))
    assert send(client, sound).json()["languages"] == []
    verbose = send(client, sound, response_format="verbose_json").json()
    assert (verbose["language"], verbose["segments"]) == ("unknown", [])


@pytest.mark.parametrize("expected", [["de", "tlh"], ["x", "y"]])
def test_an_expected_language_that_it_does_not_know(client, expected):
    answer = send(client, CLIP.read_bytes(), **{"languages[]": expected})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "languages")


def test_a_model_of_one_language_finds_it_among_those_expected(client):
    answer = send(client, CLIP.read_bytes(), model=TINY, **{"languages[]": ["de", "en-GB"]})
    assert answer.json()["languages"] == [{"code": "en"}]


def test_a_model_of_one_language_that_is_not_expected(client):
    answer = send(client, CLIP.read_bytes(), model=TINY, **{"languages[]": ["de", "fr"]})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "unsupported_capability")
    assert "language_detection" in error["message"]


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")  # as OpenAI says
def test_a_translation_is_english(live):
    with openai.OpenAI(base_url=f"{live.address}/v1", api_key="-", max_retries=0) as sdk:
        answer = sdk.audio.translations.create(
            model=NOISE, file=CLIP, response_format="verbose_json", temperature=0.1
        )
    strict = TranslationVerbose.model_validate(answer.to_dict())
    assert strict.language == "english"
    assert strict.segments
    assert answer.to_dict()["task"] == "translate"
