"""``open-speech transcribe --diarize``, alone and with a server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import run, variables
from live import live_server
from open_speech.testing import install_provider, join, sine, wav_bytes

ECHO = "16000 samples peaking at 0.50"
TWO = f"A: {ECHO} {ECHO}\nB: {ECHO} {ECHO}\n"
MODELS = {
    "STT_MODEL": "tone/echo",
    "TTS_MODEL": "tone/sine",
    "VAD_MODEL": "tone/level",
    "DIARIZATION_MODEL": "tone/pitch",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diarize")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    low, high = (sine(2.0, frequency=hertz) for hertz in (220.0, 880.0))
    (folder / "talk.wav").write_bytes(wav_bytes(join(low, high)))
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[str]:
    environment = {"PYTHONPATH": str(folder / "site"), **MODELS}
    with live_server(folder, environment) as found:
        yield found.address


@pytest.fixture(params=["alone", "with a server"])
def environment(request: pytest.FixtureRequest, folder: Path) -> dict[str, str]:
    found = variables(folder / "own", PYTHONPATH=str(folder / "site"), **MODELS)
    if request.param == "with a server":
        found["OPEN_SPEECH_URL"] = request.getfixturevalue("server")
    return found


def test_each_speaker_has_lines(folder, environment):
    done = run("transcribe", folder / "talk.wav", "--diarize", environment=environment)
    assert (done.status, done.text) == (0, TWO), done.errors


def test_a_file_gets_the_same_lines(folder, environment, tmp_path):
    path = tmp_path / "talk.txt"
    done = run("transcribe", folder / "talk.wav", "--diarize", "-o", path, environment=environment)
    assert done.status == 0, done.errors
    assert path.read_text() == TWO


def test_json_and_subtitles_name_speakers(folder, environment):
    talk = folder / "talk.wav"
    told = run("transcribe", talk, "--diarize", "--json", environment=environment).json
    assert [each["speaker"] for each in told["segments"]] == ["A", "A", "B", "B"]
    vtt = run("transcribe", talk, "--diarize", "--vtt", environment=environment).text
    assert re.findall(r"<v (\w)>", vtt) == ["A", "B"]
