"""Who said what: published weights of both halves, over HTTP, measured by pyannote.metrics.

Conversations are made of sentences that published models speak, and of recordings of people.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np
import openai
import pytest
from openai.types.audio import TranscriptionDiarized, TranscriptionTextSegmentEvent

from open_speech import Audio
from open_speech.codecs.decode import decode
from open_speech.testing import join, read_wav, silence, sine, wav_bytes
from real.conversations import (
    RATE,
    Conversation,
    Part,
    conversation,
    diarization_error,
    part,
    word_speaker_error,
)
from real.recordings import Recording
from real.sentences import SENTENCES
from real.served import PIPER_MODEL, Served

pytest.importorskip("open_speech_provider_campplus")
pytest.importorskip("pyannote.metrics")
pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore:'uem' was approximated:UserWarning"),
]
Speak = Callable[[str, int], list[Part]]
ALLOWED_DER = 0.05
ALLOWED_WORDS = 0.03


@pytest.fixture(scope="module")
def reader(short_ones: list[Recording]) -> list[Part]:
    """A person who reads English."""
    return [
        part("reader", each.text, decode(each.sound, sample_rate=RATE))
        for each in short_ones
        if each.language == "en"
    ]


@pytest.fixture(scope="module")
def joe(small: Served) -> list[Part]:
    """A voice of Piper."""
    return [
        part("joe", text, read_wav(small.speak(text, model=PIPER_MODEL))) for text in SENTENCES[:8]
    ]


@pytest.fixture(scope="module")
def voices(large: Served) -> Speak:
    """``voices(name, count)``: sentences of a voice of Kokoro."""
    spoken: dict[str, list[Part]] = {}

    def said(name: str, count: int) -> list[Part]:
        parts = spoken.setdefault(name, [])
        for text in SENTENCES[len(parts) : count]:
            parts.append(part(name, text, read_wav(large.speak(text, voice=name))))
        return parts[:count]

    return said


def in_turn(*speakers: Sequence[Part], count: int) -> list[Part]:
    """One part of each, again and again, and no sentence twice in a row: Whisper hears one then."""
    sources = [
        iter(cycle([*each[number * 2 :], *each[: number * 2]]))
        for number, each in enumerate(speakers)
    ]
    return [next(source) for source in islice(cycle(sources), count)]


def turns(served: Served, sound: Audio, **fields: object) -> list[dict[str, Any]]:
    answer = served.client.post(
        "/v1/audio/diarization", files={"file": ("sound.wav", wav_bytes(sound))}, data=fields
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["segments"]
    return found


def diarized(served: Served, sound: Audio, **fields: Any) -> TranscriptionDiarized:
    with sdk(served) as client:
        found = client.audio.transcriptions.create(
            model="gpt-4o-transcribe-diarize",
            file=("sound.wav", wav_bytes(sound)),
            response_format="diarized_json",
            extra_body=fields,
        )
    return TranscriptionDiarized.model_validate(found.to_dict(), strict=True)


def sdk(served: Served) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{served.client.base_url}/v1", api_key="unused", max_retries=0, timeout=900
    )


def measured(name: str, served: Served, whole: Conversation) -> tuple[float, float]:
    """Both errors, printed."""
    der = diarization_error(whole, turns(served, whole.sound))
    said = diarized(served, whole.sound)
    words = word_speaker_error(whole, [each.to_dict() for each in said.segments])  # type: ignore[misc]
    seconds = whole.sound.seconds
    print(f"{name}: {seconds:.0f} s, DER {der:.1%}, words given to another {words:.1%}")  # noqa: T201
    return der, words


def data_url(sound: Audio) -> str:
    return "data:audio/wav;base64," + base64.b64encode(wav_bytes(sound)).decode()


def test_a_person_and_a_voice_of_piper_are_told_apart(small, reader, joe):
    whole = conversation(in_turn(joe, reader, count=6))
    der, words = measured("Piper joe and a person, in turn", small, whole)
    assert der <= ALLOWED_DER
    assert words <= 2 * ALLOWED_WORDS  # tiny.en hears the words


def test_a_stream_names_the_same_speakers(small, reader, joe):
    whole = conversation(in_turn(joe, reader, count=4))
    with sdk(small) as client:
        events = client.audio.transcriptions.create(
            model="gpt-4o-transcribe-diarize",
            file=("sound.wav", wav_bytes(whole.sound)),
            response_format="diarized_json",
            stream=True,
        )
        streamed = [each for each in events if isinstance(each, TranscriptionTextSegmentEvent)]
    at_once = diarized(small, whole.sound)
    assert {each.speaker for each in streamed} == {"A", "B"}
    assert [(each.speaker, each.text) for each in streamed] == [
        (each.speaker, each.text) for each in at_once.segments
    ]


def test_one_speaker_alone_is_one(small, reader, joe):
    for parts in (joe[:5], reader):
        assert {each["speaker"] for each in turns(small, conversation(parts).sound)} == {"A"}


def test_silence_and_music_have_no_speakers(small):
    chord = sum(sine(4.0, frequency=hertz).samples for hertz in (262.0, 330.0, 392.0))
    music = Audio(samples=(0.3 * chord / np.abs(chord).max()).astype(np.float32), sample_rate=RATE)
    assert turns(small, join(silence(3.0), music, silence(3.0))) == []


def test_a_known_speaker_is_named_and_a_stranger_is_not(small, reader, joe):
    whole = conversation(in_turn(reader, joe[1:], count=6))
    fields = {
        "known_speaker_names": ["Joe"],
        "known_speaker_references": [data_url(joe[0].sound)],
    }
    found = diarized(small, whole.sound, **fields)
    assert found.segments[0].speaker == "A"
    assert {each.speaker for each in found.segments} == {"A", "Joe"}
    alone = diarized(small, conversation(reader).sound, **fields)
    assert {each.speaker for each in alone.segments} == {"A"}


PAIRS = (("af_heart", "am_michael"), ("bf_emma", "bm_george"), ("af_bella", "am_adam"))


@pytest.mark.deep
def test_two_made_up_speakers_in_turn(large, voices):
    errors = []
    for number, pair in enumerate(PAIRS):
        parts = in_turn(*(voices(name, 6) for name in pair), count=12)
        whole = conversation(parts, seed=number)
        errors.append(measured(" and ".join(pair), large, whole))
    der, words = np.mean(errors, axis=0)
    assert der <= ALLOWED_DER
    assert words <= ALLOWED_WORDS


@pytest.mark.deep
def test_three_speakers(large, voices):
    names = ("af_heart", "am_michael", "bf_emma")
    whole = conversation(in_turn(*(voices(name, 6) for name in names), count=15))
    der, words = measured("three", large, whole)
    assert der <= 2 * ALLOWED_DER
    assert words <= 2 * ALLOWED_WORDS


@pytest.mark.deep
def test_speakers_who_interrupt_each_other(large, voices):
    parts = in_turn(voices("af_heart", 6), voices("am_michael", 6), count=12)
    whole = conversation(parts, pause_s=(-1.0, 0.2))
    der, words = measured("overlap", large, whole)
    assert der <= 3 * ALLOWED_DER
    assert words <= 4 * ALLOWED_WORDS


@pytest.mark.deep
def test_known_speakers_are_named_right_in_twenty_of_twenty(large, voices):
    """Each case knows two of four voices; the other two are strangers to it."""
    names = ("af_heart", "am_michael", "bf_emma", "bm_george")
    named = strangers = 0
    for case in range(20):
        first, second, *others = (names[(case + n) % 4] for n in range(4))
        known = {
            "known_speaker_names[]": [first, second],
            "known_speaker_references[]": [
                data_url(voices(each, 6)[case % 6].sound) for each in (first, second)
            ],
        }
        speakers = (first, others[0]) if case % 2 else (second, others[1])
        parts = in_turn(*(voices(each, 6)[::-1] for each in speakers), count=4)
        whole = conversation(parts, seed=case)
        found = turns(large, whole.sound, **known)
        heard = {each["speaker"] for each in found}
        named += speakers[0] in heard
        strangers += bool(heard & {speakers[1], {first: second, second: first}[speakers[0]]})
        by_name = [turn for turn in found if turn["speaker"] == speakers[0]]
        for turn in by_name:  # and the name stands where that voice speaks
            middle = (turn["start"] + turn["end"]) / 2
            said = min(whole.said, key=lambda each: abs((each.start + each.end) / 2 - middle))
            assert said.speaker == speakers[0], (case, turn)
    print(f"known speakers: {named} of 20 named, {strangers} strangers named")  # noqa: T201
    assert (named, strangers) == (20, 0)


@pytest.mark.deep
def test_a_meeting_of_half_an_hour(large, voices, joe):
    names = ("af_heart", "am_michael", "bf_emma", "bm_george")
    pools = [joe, *(voices(name, 6) for name in names)]
    count = 0
    parts: list[Part] = []
    while sum(each.sound.seconds + 0.55 for each in parts) < 1_800:
        count += 5
        parts = in_turn(*pools, count=count)
    whole = conversation(parts)
    der = diarization_error(whole, turns(large, whole.sound))
    print(f"half an hour of five speakers: {whole.sound.seconds:.0f} s, DER {der:.1%}")  # noqa: T201
    assert der <= ALLOWED_DER
