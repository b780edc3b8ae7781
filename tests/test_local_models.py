"""A voice and a recogniser out of folders of one's own, with no hub to be reached."""

from __future__ import annotations

import importlib.util
import io
import json
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import run, variables
from hearing import CLIP, DIGITS, SPOKEN
from live import Live, live_server

NOWHERE = "http://127.0.0.1:9"
"""A hub that nobody can reach."""
MAKER = Path(__file__).parents[1] / "packages/open-speech-provider-piper/tests/random_piper.py"
VOICE, EAR, TEXT = "local/my-voice", "meeting", "local/notes"


@pytest.fixture(scope="module")
def voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of a voice with random weights, its configuration beside it."""
    spec = importlib.util.spec_from_file_location("random_piper", MAKER)
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    made: Path = maker.make(tmp_path_factory.mktemp("voice"), "en_US-mine-medium")
    return made


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, voice: Path) -> Iterator[Live]:
    """A server whose defaults are the two local models; a third one nobody recognises."""
    folder = tmp_path_factory.mktemp("server")
    notes = folder / "notes.txt"
    notes.write_text("Nothing to load.")
    local = f"{VOICE}={voice},{EAR}={DIGITS},{TEXT}={notes}"
    environment = {
        "HF_ENDPOINT": NOWHERE,
        "HF_HUB_OFFLINE": "0",
        "OS_LOCAL_MODELS": local,
        "STT_MODEL": EAR,
        "TTS_MODEL": VOICE,
    }
    with live_server(folder, environment) as server:
        yield server


def seconds(content: bytes) -> float:
    with wave.open(io.BytesIO(content)) as file:
        frames: float = len(file.readframes(1 << 30)) / file.getsampwidth()
        return frames / int(file.getframerate())


def test_local_models_speak_and_hear_for_everybody(live: Live) -> None:
    with live.client() as client:
        body = {"model": VOICE, "input": "Hello there.", "response_format": "wav"}
        spoken = client.post("/v1/audio/speech", json=body)
        assert spoken.status_code == 200, spoken.text
        assert seconds(spoken.content) > 0.1
        for model in (EAR, f"whisper:{EAR}", "whisper-1"):
            with CLIP.open("rb") as file:
                heard = client.post(
                    "/v1/audio/transcriptions", data={"model": model}, files={"file": file}
                )
            assert heard.json()["text"].strip() == SPOKEN, heard.text
        listed = {each["id"] for each in client.get("/v1/models").json()["data"]}
        assert {VOICE, EAR} <= listed
        assert TEXT not in listed


def test_what_is_known_of_them_is_shown(live: Live, voice: Path) -> None:
    with live.client() as client:
        models = {each["id"]: each for each in client.get("/api/models").json()["models"]}
        mine, ear, notes = models[VOICE], models[EAR], models[TEXT]
        assert (mine["state"], mine["backend"], mine["is_default"]) == ("loaded", "piper", True)
        assert mine["size_mb"] == round((voice.stat().st_size + _beside(voice)) / 1e6, 1)
        assert (ear["backend"], ear["progress"], ear["source"]) == ("whisper", 1.0, [])
        assert (notes["state"], notes["type"]) == ("provider_missing", "unknown")
        assert "no installed provider recognises" in notes["error"]
        ready = client.get("/health/ready")
        assert ready.status_code == 200
        assert "notes.txt" in ready.json()["errors"][TEXT]
        asked = client.post("/v1/audio/speech", json={"model": TEXT, "input": "Hi."})
        assert asked.status_code == 404
        assert "notes.txt" in asked.json()["error"]["message"]
    assert "no installed provider recognises" in live.log.read_text()


def _beside(voice: Path) -> int:
    return voice.with_name(f"{voice.name}.json").stat().st_size


def test_files_of_ones_own_are_not_deleted_and_paths_are_no_names(live: Live, voice: Path) -> None:
    with live.client() as client:
        refused = client.delete(f"/api/models/{VOICE}/cache")
        assert refused.status_code == 403
        assert str(voice) in json.dumps(refused.json())
        assert voice.exists()
        for name in (str(voice), f"piper:{voice}", "../voice"):
            asked = client.post("/v1/audio/speech", json={"model": name, "input": "Hi."})
            assert asked.status_code == 400


def test_the_command_takes_a_path(tmp_path: Path, voice: Path) -> None:
    environment = variables(tmp_path, HF_ENDPOINT=NOWHERE)
    heard = run("transcribe", CLIP, "--model", DIGITS, environment=environment)
    assert (heard.status, heard.text.strip()) == (0, SPOKEN), heard.errors
    spoken = run(
        "say", "Hello.", "--model", f"piper:{voice}", "-o", tmp_path / "a.wav",
        environment=environment,
    )  # fmt: skip
    assert spoken.status == 0, spoken.errors
    assert seconds((tmp_path / "a.wav").read_bytes()) > 0.1
    (tmp_path / "notes.txt").write_text("Nothing to load.")
    for path, said in (
        (tmp_path / "notes.txt", "no installed provider recognises"),
        ("./not-there", "there is nothing at"),
    ):
        failed = run("say", "Hi.", "--model", path, "-o", tmp_path / "b.wav",
                     environment=environment)  # fmt: skip
        assert failed.status != 0
        assert said in failed.errors
        assert "Traceback" not in failed.errors
    asked = run("say", "Hi.", "--model", "./x", "--url", NOWHERE, "-o", tmp_path / "b.wav",
                environment=environment)  # fmt: skip
    assert "OS_LOCAL_MODELS" in asked.errors
