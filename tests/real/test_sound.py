"""Gaps, pauses, pace and loudness of speech made with published weights, and what Whisper hears."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import jiwer
import numpy as np
import pyloudnorm
import pytest

from open_speech import (
    Audio,
    Config,
    OpenSpeech,
    Policy,
    Portal,
    SpeechRequest,
    TranscriptionRequest,
)
from open_speech._hosts import ThisProcess
from open_speech.codecs.resample import resample
from open_speech.text.prepare import prepare
from real.repositories import BASE, KOKORO, PIPER

pytestmark = [pytest.mark.real, pytest.mark.deep, pytest.mark.timeout(1800)]
MODELS = {
    "kokoro:local/kokoro": (KOKORO, "."),
    "piper:local/joe": (PIPER, "en/en_US/joe/medium"),
    "whisper:local/base": (BASE, "."),
}
SPEAKING = ("espeak/en-us", "piper:local/joe", "kokoro:local/kokoro")
HEARING = "whisper:local/base"
SENTENCES = "The first sentence ends here. The second sentence begins now! Is this the third?"
TEXT = "Please close the window before you leave the room. My brother will bring the letters."
VOICES = (
    "af_heart", "af_bella", "af_nicole", "am_adam", "am_michael", "bf_emma", "bm_george",
    "ff_siwis", "if_sara", "em_alex",
)  # fmt: skip
VOICED_DB = -45.0
FRAME_S = 0.005


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with Portal() as made:
        yield made


@pytest.fixture(scope="module")
def speech(portal: Portal, weights: Callable[[str], Path]) -> Iterator[OpenSpeech]:
    models = {name: weights(found) / folder for name, (found, folder) in MODELS.items()}
    policy = Policy(load_wait_s=900, call_timeout_s=900)  # a busy machine is no fault
    config = Config(local_models=models, home=ThisProcess(), prepare=prepare, policy=policy)
    with portal.enter(OpenSpeech(config)) as made:
        yield made


@pytest.fixture(params=SPEAKING)
def model(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def say(portal: Portal, speech: OpenSpeech, model: str, text: str, **more: object) -> Audio:
    request = SpeechRequest(text=text, **{"voice": "", **more})  # type: ignore[arg-type]
    parts = list(portal.iterate(speech.synthesize(request, model=model)))
    samples = np.concatenate([part.samples for part in parts])
    return Audio(samples=samples, sample_rate=parts[0].sample_rate)


def silences(audio: Audio) -> list[float]:
    """Seconds before the first voiced sound, between voiced ones, and after the last."""
    size = round(FRAME_S * audio.sample_rate)
    frames = audio.samples[: len(audio.samples) // size * size].reshape(-1, size)
    level = 20 * np.log10(np.sqrt(np.mean(frames**2, axis=1)) + 1e-9)
    voiced = np.flatnonzero(level > VOICED_DB)
    between = (np.diff(voiced) - 1) * FRAME_S
    start, end = float(voiced[0]), float(len(frames) - 1 - voiced[-1])
    return [start * FRAME_S, *map(float, between[between > 0.2]), end * FRAME_S]


def words(text: str) -> str:
    return " ".join(re.findall(r"[a-z']+", text.lower()))


def heard(portal: Portal, speech: OpenSpeech, audio: Audio) -> str:
    request = TranscriptionRequest(language="en")
    return portal.run(speech.transcribe(resample(audio, 16_000), request, model=HEARING)).text


def test_sentences_are_as_far_apart_as_in_one_piece(
    portal: Portal, speech: OpenSpeech, model: str
) -> None:
    start, *between, end = silences(say(portal, speech, model, SENTENCES))
    print(f"\n{model}: start {start:.2f}, between {between}, end {end:.2f}")  # noqa: T201
    assert start < 0.1
    assert end < 0.35
    assert len(between) <= 2
    assert all(0.2 < gap <= 0.5 for gap in between)


@pytest.mark.parametrize(
    "text", ["Ready? [pause:1.5s] Go.", "Ready? [pause:0.7s] [pause:0.8s] Go."]
)
def test_a_pause_has_its_length(portal: Portal, speech: OpenSpeech, model: str, text: str) -> None:
    pause = max(silences(say(portal, speech, model, text)))
    print(f"\n{model}: pause {pause:.2f}")  # noqa: T201
    assert pause == pytest.approx(1.5, abs=0.1)


def test_any_speed_has_the_right_length(portal: Portal, speech: OpenSpeech, model: str) -> None:
    options = {"noise_w": 0.01} if "joe" in model else {}  # else no two takes are equally long
    texts = (TEXT,)
    seconds = {
        speed: sum(
            say(portal, speech, model, text, speed=speed, options=options).seconds for text in texts
        )
        for speed in (0.25, 0.5, 0.8, 1.0, 1.3, 2.0, 4.0)
    }
    ratios = {speed: each * speed / seconds[1.0] for speed, each in seconds.items()}
    print(f"\n{model}: {ratios}")  # noqa: T201
    assert all(0.97 < ratio < 1.03 for ratio in ratios.values())


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.4, 2.0])
def test_speech_stays_understood(
    portal: Portal, speech: OpenSpeech, model: str, speed: float
) -> None:
    text = heard(portal, speech, say(portal, speech, model, TEXT, speed=speed))
    wrong = jiwer.wer(words(TEXT), words(text))
    print(f"\n{model} at {speed}: {wrong:.0%} {text!r}")  # noqa: T201
    if model.startswith("espeak") and speed > 1.4:
        return  # Whisper base understands the robot's voice only up to here
    assert wrong <= 0.07


def test_voices_are_equally_loud(portal: Portal, speech: OpenSpeech) -> None:
    model = "kokoro:local/kokoro"
    loudness = {}
    for voice in VOICES:
        sound = say(portal, speech, model, "My brother will bring the letters.", voice=voice)
        assert np.abs(sound.samples).max() < 1.0
        meter = pyloudnorm.Meter(sound.sample_rate)
        loudness[voice] = float(meter.integrated_loudness(sound.samples.astype(np.float64)))
    print(f"\n{loudness}")  # noqa: T201
    assert max(loudness.values()) - min(loudness.values()) < 3.0
