"""Streams that tell times: what the web page draws its words from."""

from __future__ import annotations

import json

import httpx
import pytest

from live import live_server
from open_speech.testing import install_provider, join, silence, sine, wav_bytes


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("segments")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    environment = {"PYTHONPATH": str(folder / "site"), "STT_MODEL": "tone/count"}
    environment |= {"TTS_MODEL": "tone/sine"}
    with live_server(folder, environment) as server, server.client() as client:
        yield client


def events(client: httpx.Client, **fields: str) -> list[dict[str, object]]:
    answer = client.post(
        "/v1/audio/transcriptions",
        files={"file": wav_bytes(silence(2.5))},
        data={"stream": "true", **fields},
    ).raise_for_status()
    lines = [line for line in answer.text.splitlines() if line.startswith("data:")]
    return [json.loads(line[5:]) for line in lines]


def test_segments_follow_their_deltas(client):
    found = events(client, response_format="verbose_json")
    kinds = [each["type"].rpartition(".")[2] for each in found]
    assert kinds == ["delta", "segment"] * 3 + ["done"]
    segments = found[1:-1:2]
    assert [(each["start"], each["end"]) for each in segments] == [(0, 1), (1, 2), (2, 2.5)]
    assert [each["id"] for each in segments] == ["0", "1", "2"]
    assert all("words" not in each for each in segments)


def test_words_are_told_where_they_are_wanted(client):
    wanted = {"model": "tone/echo", "response_format": "verbose_json"}
    wanted |= {"timestamp_granularities[]": "word", "chunking_strategy": "auto"}
    found = events(client, **wanted)
    for segment in (each for each in found if each["type"].endswith("segment")):
        assert " ".join(word["word"] for word in segment["words"]) == segment["text"]


def test_others_get_what_they_always_got(client):
    kinds = {each["type"].rpartition(".")[2] for each in events(client)}
    assert kinds == {"delta", "done"}


@pytest.mark.parametrize(
    ("path", "model", "stream"),
    [
        ("transcriptions", "tone/echo", "true"),
        ("transcriptions", "tone/echo", "false"),
        ("transcriptions", "tone/count", "true"),  # knows no times of words
        ("translations", "tone/echo", "false"),
    ],
)
def test_subtitles_are_those_of_their_own_formats(client, path, model, stream):
    recording = join(silence(1.0), sine(1.5), silence(2.0), sine(2.5), silence(1.5))

    def answer(**fields: str | list[str]) -> str:
        files, data = {"file": wav_bytes(recording)}, {"model": model, **fields}
        return client.post(f"/v1/audio/{path}", files=files, data=data).raise_for_status().text

    wanted = {"response_format": "verbose_json", "subtitles[]": ["srt", "vtt"]}
    *_, last = answer(**wanted, stream=stream).strip().rpartition("data: ")
    expected = {kind: answer(response_format=kind) for kind in ("srt", "vtt")}
    assert json.loads(last)["subtitles"] == expected
    assert expected["srt"].count("-->") > 1


def test_subtitles_go_with_times_alone(client):
    (*_, last) = events(client, **{"subtitles[]": "srt"})
    assert "subtitles" not in last
