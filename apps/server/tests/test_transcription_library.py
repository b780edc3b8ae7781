"""What comes through the server is what the engine's library says, to the last digit."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import pytest

from hearing import CLIP, DIGITS, PAUSE, TINY, as_kind, hearing_server, send
from live import Live

pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
from faster_whisper import WhisperModel


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with hearing_server(tmp_path_factory.mktemp("library"), {TINY: DIGITS}) as server:
        yield server


@pytest.fixture(scope="module")
def client(live: Live) -> Iterator[httpx.Client]:
    with live.client() as client:
        yield client


@pytest.fixture(scope="module")
def bare() -> WhisperModel:
    """The library alone, over the same weights."""
    return WhisperModel(str(DIGITS), device="cpu", compute_type="int8")


class TestEqualToTheLibrary:
    @pytest.mark.parametrize("kind", ["wav", "mp3", "webm"])
    @pytest.mark.parametrize("clip", [CLIP, PAUSE], ids=lambda clip: clip.stem)
    def test_text_and_times(self, client, bare, kind, clip):
        audio = as_kind(clip, kind)
        heard, info = bare.transcribe(io.BytesIO(audio), word_timestamps=True, vad_filter=True)
        expected = list(heard)
        answer = send(
            client, audio, f"a.{kind}", response_format="verbose_json",
            **{"timestamp_granularities[]": ["word", "segment"]},
        ).json()  # fmt: skip
        assert expected
        assert answer["text"] == " ".join(each.text.strip() for each in expected)
        assert answer["segments"] == [
            {
                "id": number,
                "seek": each.seek,
                "start": each.start,
                "end": each.end,
                "text": each.text,
                "tokens": each.tokens,
                "temperature": each.temperature,
                "avg_logprob": each.avg_logprob,
                "compression_ratio": each.compression_ratio,
                "no_speech_prob": each.no_speech_prob,
            }
            for number, each in enumerate(expected)
        ]
        assert answer["words"] == [
            {"word": word.word.strip(), "start": word.start, "end": word.end}
            for each in expected
            for word in each.words
        ]
        assert answer["duration"] == info.duration

    def test_prompt_keywords_and_temperature_reach_it(self, client, bare):
        audio = CLIP.read_bytes()
        # Sampled, and yet always the likeliest: at a usual temperature two runs differ.
        heard, _ = bare.transcribe(
            io.BytesIO(audio), vad_filter=True, initial_prompt="six seven", temperature=0.01,
            hotwords="nine, zero",
        )  # fmt: skip
        (expected,) = heard
        (segment,) = send(
            client, audio, response_format="verbose_json", prompt="six seven", temperature="0.01",
            **{"keywords[]": ["nine", "zero"]},
        ).json()["segments"]  # fmt: skip
        assert segment["temperature"] == 0.01
        assert segment["text"] == expected.text
        assert segment["end"] == expected.end
