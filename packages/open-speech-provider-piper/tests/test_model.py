"""Speaking: the samples of the bare engine, its speakers, its pace; what is refused."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from piper import PiperVoice, SynthesisConfig

from open_speech import Audio, Samples, SpeechRequest
from open_speech.errors import InvalidRequest, ModelNotReady, UnknownVoice
from open_speech_provider_piper.model import PiperModel

TEXT = "Good morning, everyone. It is half past nine. Shall we begin?"
STEADY = {"noise_scale": 0.0, "noise_w": 0.0}


@pytest.fixture(scope="module")
def trio(several: Path, load: Callable[..., PiperModel]) -> PiperModel:
    return load(several)


def say(model: PiperModel, text: str = TEXT, **settings: Any) -> list[Audio]:
    settings = {"voice": "lessac", "options": STEADY, **settings}
    return list(model.synthesize(SpeechRequest(text=text, **settings)))


def bare(folder: Path, **settings: Any) -> list[Samples]:
    voice = PiperVoice.load(next(folder.rglob("*.onnx")))
    config = SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0, **settings)
    return [chunk.audio_float_array for chunk in voice.synthesize(TEXT, config)]


def equal(ours: list[Audio], theirs: list[Samples]) -> bool:
    return len(ours) == len(theirs) > 0 and all(
        np.array_equal(one.samples, other) for one, other in zip(ours, theirs, strict=True)
    )


def test_samples_are_those_of_the_bare_engine(model: PiperModel, lessac: Path) -> None:
    assert equal(say(model), bare(lessac, normalize_audio=False))
    assert equal(say(model, word_timestamps=True), bare(lessac, normalize_audio=False))
    louder = say(model, options={**STEADY, "normalize": True})
    assert equal(louder, bare(lessac))
    assert not equal(say(model), bare(lessac))


@pytest.mark.parametrize(("voice", "number"), [("anna", 0), ("bert", 1), ("2", 2)])
def test_speakers_are_voices(trio: PiperModel, several: Path, voice: str, number: int) -> None:
    theirs = bare(several, normalize_audio=False, speaker_id=number)
    assert equal(say(trio, voice=voice), theirs)
    assert {audio.sample_rate for audio in say(trio, voice=voice)} == {16_000}


@pytest.mark.parametrize("speed", [0.5, 1.25, 3.0])
def test_speed_is_the_engines(model: PiperModel, lessac: Path, speed: float) -> None:
    theirs = bare(lessac, normalize_audio=False, length_scale=1 / speed)
    assert equal(say(model, speed=speed), theirs)


def test_the_voices_own_settings_are_kept(
    make: Callable[..., Path], load: Callable[..., PiperModel], tmp_path: Path
) -> None:
    own = {"noise_scale": 0.0, "noise_w": 0.0, "length_scale": 1.5}
    slow = load(make(tmp_path, inference=own))
    assert equal(say(slow, options={}), bare(tmp_path, normalize_audio=False, length_scale=1.5))
    twice = bare(tmp_path, normalize_audio=False, length_scale=0.75)
    assert equal(say(slow, options={}, speed=2.0), twice)


def test_settings_of_the_start_hold_until_a_request_has_others(
    lessac: Path, load: Callable[..., PiperModel]
) -> None:
    steady = load(lessac, "piper/en_US-lessac-medium", options=STEADY)
    assert equal(say(steady, options={}), bare(lessac, normalize_audio=False))
    noisy = say(steady, options={"noise_scale": 1.0})
    assert not equal(noisy, bare(lessac, normalize_audio=False))


def test_sentences_come_one_by_one(model: PiperModel) -> None:
    chunks = model.synthesize(SpeechRequest(text=TEXT, voice="lessac"))
    first = next(chunks)
    assert 0.5 < first.seconds < 10
    assert len(list(chunks)) == 2


def test_requests_side_by_side_do_not_mix(trio: PiperModel) -> None:
    """More at once than it declares, so that what they share would show."""
    voices = ["anna", "bert", "carl"] * 3
    expected = {voice: say(trio, voice=voice) for voice in set(voices)}
    results: dict[int, list[Audio]] = {}
    threads = [
        threading.Thread(target=lambda i=i, v=v: results.update({i: say(trio, voice=v)}))
        for i, v in enumerate(voices)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, voice in enumerate(voices):
        assert equal(results[number], [audio.samples for audio in expected[voice]])


def test_an_unknown_voice_is_an_error(trio: PiperModel) -> None:
    for voice in ("dora", "3", "../x"):
        with pytest.raises(UnknownVoice, match="no voice"):
            say(trio, voice=voice)


def test_a_voice_speaks_its_own_language(model: PiperModel) -> None:
    for own in ("en", "en-GB", "EN"):
        assert say(model, language=own)
    with pytest.raises(InvalidRequest, match="speaks en-US, not 'de'") as caught:
        say(model, language="de")
    assert caught.value.param == "language"


@pytest.mark.parametrize("text", ["", " \n", "...", "\x00\x01", "[[]]", "\u200b"])
def test_text_without_words_is_no_error(model: PiperModel, text: str) -> None:
    assert sum(audio.seconds for audio in say(model, text)) < 2.0


def test_a_setting_that_is_none_is_refused(model: PiperModel) -> None:
    with pytest.raises(InvalidRequest, match="'speaker'"):
        say(model, options={"speaker": 3})


def test_it_cannot_speak_once_closed(several: Path, load: Callable[..., PiperModel]) -> None:
    closed = load(several)
    running = closed.synthesize(SpeechRequest(text=TEXT, voice="anna"))
    next(running)
    closed.close()
    closed.close()
    assert len(list(running)) == 2  # what had begun goes on
    with pytest.raises(ModelNotReady):
        say(closed, voice="anna")


GROWTH = """
import sys
from pathlib import Path
from open_speech import LoadContext, SpeechRequest
from open_speech._worker.heap import trim
from open_speech.voices.resolve import default_voice
from open_speech_provider_piper import PiperBackend

def resident():
    trim()
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

path = Path(sys.argv[1])
info = PiperBackend().inspect(path)
model = PiperBackend().load(info, LoadContext(paths={"model": path}, threads=1))
voice = default_voice(model.info or info)

def say(words):
    text = " ".join(["words"] * words) + "."
    return list(model.synthesize(SpeechRequest(text=text, voice=voice)))

say(5)
before = resident()
for words in (40, 12, 90, 33, 150, 7, 64):
    say(words)
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read as Linux tells it")
def test_memory_does_not_grow_with_what_is_spoken(tmp_path, make):
    make(tmp_path / "voice")
    command = [sys.executable, "-c", GROWTH, str(tmp_path / "voice")]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert float(found.stdout) < 60
