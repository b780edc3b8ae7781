"""For every engine: the words of the captions, joined, are the words of the text."""

from __future__ import annotations

import importlib.util
import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from open_speech import LoadContext, SpeechRequest, Word
from open_speech._plugins.discovery import installed_providers, load_backends
from open_speech._synthesis.utterances import Utterance, original_words
from open_speech.transcripts.cues import cues_of_speech
from open_speech.voices.resolve import default_voice

pytestmark = pytest.mark.timeout(1200)  # making a network of random numbers takes its time
PACKAGES = Path(__file__).parents[1] / "packages"
PARTS = (
    """
NASA's|team|won|C.|z. B.|e.g.|Dr. Smith's|U.K.'s|J. Smith|U.S.|$5|1,234.5|12:30|50%|3rd|COVID-19|&
A-B|can't|don\u2019t|\u201cWell,\u201d|\u2014|(yes)|'quoted'|\N{GRINNING FACE}|Café|naïve|über|end.
Why?|no!|Straße|¿qué?|été|I|of the
""".strip()
    .replace("\n", "|")
    .split("|")
)
TEXTS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=10).map(" ".join)


def script(provider: str, name: str) -> Any:
    """A module that makes models, from beside the tests of a provider."""
    path = PACKAGES / f"open-speech-provider-{provider}" / "tests" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=["espeak", "piper", "kokoro"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small model of an engine that tells word times."""
    folder = tmp_path_factory.mktemp(request.param)
    found = [each for each in installed_providers() if each.name == request.param]
    if not found or (request.param == "kokoro" and find_spec("kokoro") is None):
        pytest.skip("the engine is not installed")
    (backend,) = load_backends(found[0])
    paths = {}
    if request.param == "piper":
        script("piper", "random_piper").make(folder)
        paths = {"model": folder}
    elif request.param == "kokoro":
        paths["model"] = Path(script("kokoro", "random_kokoro").make(folder / "model"))
        paths["tagger"] = Path(script("kokoro", "small_tagger").make(folder / "tagger"))
    info = backend.inspect(folder) if request.param == "piper" else backend.list_available()[0]
    assert info
    loaded = backend.load(info, LoadContext(paths=paths, threads=1))
    yield loaded, default_voice(loaded.info or info)
    loaded.close()


def captions(model: Any, voice: str, text: str) -> tuple[Word, ...]:
    """The words of a text as core tells them, from the engine's own."""
    told: list[Word] = []
    seconds = 0.0
    request = SpeechRequest(text=text, voice=voice, word_timestamps=True)
    for audio in model.synthesize(request):
        told += [word.shifted(seconds) for word in audio.words]
        seconds += audio.seconds
    return original_words(text, Utterance(text=text), told, seconds)


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TEXTS)
def test_the_words_of_the_captions_are_those_of_the_text(model, text):
    loaded, voice = model
    words = captions(loaded, voice, text)
    assert letters("".join(word.text for word in words)) == letters(text)
    assert letters("".join(cue.text for cue in cues_of_speech(text, words))) == letters(text)
    for word, following in pairwise(words):
        assert word.start <= word.end
        assert word.start <= following.start
