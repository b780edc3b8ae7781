"""Live sessions with published weights: people and a voice, played at the pace of their sound."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from open_speech import Audio
from open_speech.codecs.decode import DecodeLimits, decode_chunks
from open_speech.testing import join, noise, silence, sine
from real.recordings import Recording
from real.sentences import SENTENCES
from real.served import Served
from real.words import Heard, error_rate, table

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

RATE = 16_000
CHUNK_S = 0.04
PAUSE_S = 1.2
ONE_POINT = 0.01
"""How much worse live text may be than that of the whole recording."""


@dataclass
class Session:
    """What came of one session."""

    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    """With the seconds from the first sound."""

    def of(self, **wanted: object) -> list[dict[str, Any]]:
        return [
            event
            for _, event in self.events
            if all(event.get(name) == value for name, value in wanted.items())
        ]

    @property
    def text(self) -> str:
        return " ".join(event["text"] for event in self.of(type="transcript", speech_final=True))


def samples_of(sound: bytes) -> Audio:
    chunks = decode_chunks(BytesIO(sound), sample_rate=RATE, limits=DecodeLimits())
    return join(*chunks)


def live(served: Served, audio: Audio, query: str = "") -> Session:
    """Play it in real time, and take what comes back."""
    address = f"{served.client.base_url}".replace("http", "ws").rstrip("/")
    found = Session()
    data = (audio.samples * 32767).astype("<i2").tobytes()
    step = 2 * round(CHUNK_S * RATE)
    with connect(f"{address}/v1/audio/stream?sample_rate={RATE}{query}", proxy=None) as socket:
        begin = json.loads(socket.recv(60))
        assert begin["type"] == "session.begin"
        began = time.monotonic()

        def play() -> None:
            for number, first in enumerate(range(0, len(data), step)):
                time.sleep(max(began + number * CHUNK_S - time.monotonic(), 0.0))
                socket.send(data[first : first + step])
            socket.send('{"type": "stop"}')

        playing = threading.Thread(target=play)
        playing.start()
        try:
            while True:
                event = json.loads(socket.recv(60))
                found.events.append((time.monotonic() - began, event))
        except ConnectionClosed:
            playing.join()
    assert found.events[-1][1]["type"] == "session.end"
    assert found.events[-1][1]["errors"] == 0
    return found


def played_together(sounds: list[Audio]) -> Audio:
    pause = silence(PAUSE_S, sample_rate=RATE)
    return join(*(part for sound in sounds for part in (sound, pause)))


def compare(served: Served, name: str, said: list[Recording]) -> Session:
    """Play recordings one after the other; live text must be as good as that of each alone."""
    sounds = [samples_of(each.sound) for each in said]
    session = live(served, played_together(sounds), "&words=true")
    whole = [Heard(each.text, served.hear(each.sound).text, "en") for each in said]
    text = " ".join(each.text for each in said)
    lived = [Heard(text, session.text, "en")]
    print(table(f"{name}, whole", whole))  # noqa: T201
    print(table(f"{name}, live", lived))  # noqa: T201
    words = sum(len(each.text.split()) for each in said)
    before = sum(error_rate([each]) * len(each.said.split()) for each in whole) / words
    assert error_rate(lived) <= before + ONE_POINT
    check_words(session)
    return session


def check_words(session: Session) -> None:
    """Every word is in exactly one utterance, in order, within its times."""
    latest = 0.0
    for event in session.of(type="transcript", speech_final=True):
        for word in event["words"]:
            assert word["start"] >= latest - 0.2
            assert event["start"] - 0.2 <= word["start"] <= word["end"] <= event["end"] + 0.2
            latest = word["start"]


def test_people_are_heard_live_as_well_as_from_a_file(
    small: Served, short_ones: list[Recording]
) -> None:
    english = [each for each in short_ones if each.language == "en"]
    compare(small, "Whisper tiny.en, short recordings", english)


@pytest.mark.deep
def test_a_reader_is_heard_live_as_well_as_from_a_file(
    small: Served, read_aloud: list[Recording]
) -> None:
    compare(small, "Whisper tiny.en, read aloud", read_aloud)


@pytest.mark.deep
def test_the_voice_is_heard_live_as_well_as_from_a_file(small: Served) -> None:
    said = [
        Recording(name=str(number), language="en", text=text, sound=small.speak(text))
        for number, text in enumerate(SENTENCES[:8])
    ]
    session = compare(small, "Piper joe, Whisper tiny.en", said)
    starts = [event["start"] for event in session.of(type="transcript", speech_final=True)]
    assert len(starts) == len(said)
    sounds = [samples_of(each.sound) for each in said]
    expected = np.cumsum([0.0, *(sound.seconds + PAUSE_S for sound in sounds[:-1])])
    # An utterance begins with its padding: 0.3 seconds before the first sound at the most.
    for start, begins in zip(starts, expected, strict=True):
        assert begins - 0.5 <= start <= begins + 0.5


def melody(seconds: float) -> Audio:
    """Chords that change, with their overtones."""
    rng, parts = np.random.default_rng(5), []
    for _ in range(round(seconds / 0.4)):
        root = 110.0 * 2 ** (rng.integers(0, 24) / 12)
        tones = [
            sine(0.4, frequency=root * ratio * over, amplitude=0.12 / over).samples
            for ratio in (1.0, 1.26, 1.5)
            for over in (1, 2, 3)
        ]
        fade = np.minimum(1.0, np.linspace(8.0, 0.0, len(tones[0]))).astype(np.float32)
        parts.append(
            Audio(samples=np.sum(tones, axis=0, dtype=np.float32) * fade, sample_rate=RATE)
        )
    return join(*parts)


@pytest.mark.parametrize(
    "sound",
    [silence(5.0), noise(5.0, amplitude=0.02), noise(5.0, amplitude=0.3)],
    ids=["silence", "quiet noise", "loud noise"],
)
def test_nothing_is_heard_where_nobody_speaks(small: Served, sound: Audio) -> None:
    session = live(small, sound)
    assert session.text == ""
    assert not session.of(type="transcript")


def test_text_comes_while_it_is_spoken_and_soon_after(small: Served) -> None:
    text = " ".join(SENTENCES[:3])
    audio = samples_of(small.speak(text))
    session = live(small, join(audio, silence(1.5)))
    finals = [(at, event) for at, event in session.events if event.get("speech_final")]
    interim = [(at, event) for at, event in session.events if event.get("is_final") is False]
    assert interim
    assert interim[0][0] < finals[0][0]
    late = [at - event["end"] for at, event in finals]
    print(f"first interim after {interim[0][0]:.2f} s; text after its turn: {late}")  # noqa: T201
    assert max(late) < 10.0


def test_next_to_nothing_is_heard_in_music(small: Served) -> None:
    """Half a second of these chords is speech to Silero, and may be "You" to the smallest Whisper.

    Whether it is depends on the processor: 8-bit products are rounded differently without AVX-512.
    """
    assert len(live(small, melody(8.0)).text.split()) <= 1
