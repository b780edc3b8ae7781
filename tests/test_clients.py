"""Real clients, each with the versions that it wants, against a server with a Whisper model."""

from __future__ import annotations

import importlib.util
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from live import Live, live_server
from open_speech.testing import install_provider, read_wav
from open_speech.testing.hub import FakeHub
from ports import free_port

pytestmark = [
    pytest.mark.deep,
    pytest.mark.timeout(1_200),
    pytest.mark.skipif(
        importlib.util.find_spec("faster_whisper") is None, reason="faster-whisper is not installed"
    ),
]
ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".nox" / "clients"
"""Environments stay there for the next time."""
PROGRAMS = Path(__file__).with_name("clients")
DATA = ROOT / "packages" / "open-speech-provider-whisper" / "tests" / "data"
TINY = "Systran/faster-whisper-tiny"
CLIP = DATA / "audio" / "digits_us_m4.wav"
SPOKEN = "one two three four five"


@pytest.fixture(scope="module")
def wyoming() -> int:
    return free_port()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, wyoming: int) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("clients")
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    with FakeHub() as hub:
        hub.add(TINY, DATA / "whisper-digits")
        environment = {
            "PYTHONPATH": str(folder / "site"),
            "HF_ENDPOINT": hub.url,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(folder / "nobodys"),
            "STT_MODEL": TINY,
            "TTS_MODEL": "tone/sine",
            "OS_MODEL_ALIASES": "kokoro=tone/sine",
            "OS_WYOMING_PORT": str(wyoming),
        }
        with live_server(folder, environment) as server:
            yield server


def python_with(name: str, *requirements: str, base: str = sys.executable) -> Path:
    """The interpreter of an environment with one client in it; made where there is none."""
    folder = KEPT / name
    python = folder / "bin" / "python"
    done = folder / "installed"
    wanted = "\n".join(requirements)
    if not (done.is_file() and done.read_text() == wanted):
        run([base, "-m", "venv", "--clear", str(folder)])
        run([str(python), "-m", "pip", "install", "--quiet", "--prefer-binary", *requirements])
        done.write_text(wanted)
    return python


def interpreter(version: str, whom: str) -> str:
    """An interpreter that a client needs; skips where there is none that runs."""
    found = shutil.which(f"python{version}")
    if (
        found
        and not subprocess.run([found, "--version"], capture_output=True, check=False).returncode
    ):
        return found
    pytest.skip(f"{whom} needs Python {version}")


def run(command: Sequence[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(("model", "language"), [(TINY, "en"), ("whisper-1", "english")])
def test_livekit_hears(live, model, language):
    python = python_with("livekit", "livekit-plugins-openai==1.8.9")
    said = run([str(python), str(PROGRAMS / "livekit_hears.py"), live.address, str(CLIP), model])
    assert said.strip() in {f"{language} {SPOKEN}", f"en {SPOKEN}"}


@pytest.mark.parametrize("model", [TINY, "gpt-4o-transcribe"])
def test_pipecat_hears(live, model):
    python = python_with("pipecat", "pipecat-ai[openai]==1.14.0")
    said = run([str(python), str(PROGRAMS / "pipecat_hears.py"), live.address, str(CLIP), model])
    assert said.strip().splitlines()[-1] == f"TranscriptionFrame {SPOKEN}"


def test_livekit_listens_live(live):
    """Its plugin's realtime mode, with turns found by the server."""
    python = python_with("livekit", "livekit-plugins-openai==1.8.9")
    program = str(PROGRAMS / "livekit_listens.py")
    said = run([str(python), program, live.address, str(CLIP), "gpt-4o-transcribe"])
    lines = said.strip().splitlines()
    assert lines[0].endswith("START_OF_SPEECH")
    assert lines[-1] == f"text {SPOKEN}"


@pytest.mark.parametrize("mode", ["server", "client"])
def test_pipecat_listens_live(live, mode):
    """Its realtime service, with turns found by the server, or committed by the client."""
    python = python_with("pipecat", "pipecat-ai[openai]==1.14.0")
    program = str(PROGRAMS / "pipecat_listens.py")
    said = run([str(python), program, live.address, str(CLIP), "gpt-realtime-whisper", mode])
    assert said.strip().splitlines()[-1] == f"text {SPOKEN}"


TO_SAY = "This is a first sentence. And this one is the second!"
SECONDS_TO_SAY = 0.05 * (len(TO_SAY) - 1)
"""The tone lasts so long for each character; the space between sentences is not spoken."""


@pytest.mark.parametrize("audio_format", ["mp3", "wav", "opus", "aac", "flac", "pcm"])
def test_livekit_speaks(live, audio_format):
    """Its plugin decodes what it gets, while it comes, and plays at 24 kHz."""
    python = python_with("livekit", "livekit-plugins-openai==1.8.9")
    program = str(PROGRAMS / "livekit_speaks.py")
    said = run([str(python), program, live.address, TO_SAY, "tone/sine", audio_format])
    seconds, frames, rates = said.split(maxsplit=2)
    assert float(seconds) == pytest.approx(SECONDS_TO_SAY, abs=0.15)
    assert int(frames) > 1
    assert rates.strip() == "[24000]"


@pytest.mark.parametrize("model", ["tone/sine", "gpt-4o-mini-tts"])
def test_pipecat_speaks(live, model):
    """It asks for raw sound, which has to be 24 kHz, and for an OpenAI voice."""
    python = python_with("pipecat", "pipecat-ai[openai]==1.14.0")
    program = str(PROGRAMS / "pipecat_speaks.py")
    said = run([str(python), program, live.address, TO_SAY, model])
    assert said.strip().splitlines()[-1] == f"{round(SECONDS_TO_SAY * 24_000) * 2} [24000]"


def test_the_openai_package_for_node_hears(live):
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    folder = KEPT / "node"
    if not (folder / "node_modules" / "openai").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        run(["npm", "install", "--no-audit", "--no-fund", "openai@7.57.0"], folder)
    program = folder / "openai_hears.mjs"  # node looks for packages beside the program
    shutil.copyfile(PROGRAMS / "openai_hears.mjs", program)
    heard = json.loads(run(["node", str(program), live.address, str(CLIP), TINY]))
    assert heard["json"]["text"] == SPOKEN
    assert heard["json"]["languages"] == [{"code": "en"}]
    assert "".join(each["token"] for each in heard["json"]["logprobs"]).strip() == SPOKEN
    assert heard["text"].strip() == SPOKEN
    assert heard["srt"].splitlines()[2] == SPOKEN
    assert heard["vtt"].startswith("WEBVTT\n")
    assert [word["word"] for word in heard["verbose_json"]["words"]] == SPOKEN.split()
    *deltas, done = heard["events"]
    assert "".join(delta["delta"] for delta in deltas) == done["text"] == SPOKEN
    assert heard["refused"] == ["NotFoundError", 404, "model_not_found"]
    assert heard["spoken"] > 1_000


def test_litellm_speaks_and_hears(live):
    python = python_with("litellm", "litellm==1.110.2")
    program = str(PROGRAMS / "litellm_both.py")
    said = run([str(python), program, live.address, str(CLIP), TINY, TO_SAY, "tone/sine"])
    answer = json.loads(said.strip().splitlines()[-1])
    assert answer["heard"] == SPOKEN
    assert answer["words"] == len(SPOKEN.split())
    assert answer["sound"] > 1_000


def test_langchain_hears(live):
    python = python_with("langchain", "langchain-community==0.4.2", "openai>=2", "pydub")
    said = run([str(python), str(PROGRAMS / "langchain_hears.py"), live.address, str(CLIP), TINY])
    assert said.strip().splitlines()[-1] == SPOKEN


def test_the_ai_sdk_of_vercel_speaks_and_hears(live):
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    folder = KEPT / "vercel"
    if not (folder / "node_modules" / "ai").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        wanted = ("ai@6.0.326", "@ai-sdk/openai@3.0.141")
        run(["npm", "install", "--no-audit", "--no-fund", *wanted], folder)
    program = folder / "vercel_ai.mjs"
    shutil.copyfile(PROGRAMS / "vercel_ai.mjs", program)
    answer = json.loads(run(["node", str(program), live.address, str(CLIP), TINY]))
    assert answer["heard"] == SPOKEN
    assert answer["segments"] == len(SPOKEN.split())
    assert answer["kind"] == "audio/mpeg"
    assert answer["sound"] > 1_000


@pytest.mark.parametrize(
    ("hears", "speaks", "modes"),
    [
        ("", "", ("OPENAI", "OPENAI")),
        ("/speaches", "/speaches", ("SPEACHES", "SPEACHES")),
        ("/speaches", "/kokoro", ("SPEACHES", "KOKORO_FASTAPI")),
        ("", "", None),
        ("/speaches", "/speaches", None),
        ("/speaches", "/kokoro", None),
    ],
    ids=["openai", "speaches", "kokoro", "detected", "speaches detected", "kokoro detected"],
)
def test_wyoming_openai_speaks_and_hears(live, hears, speaks, modes):
    """Told which server it talks to, and finding that out by itself."""
    base = interpreter("3.12", "wyoming-openai")
    python = python_with("wyoming-openai", "wyoming-openai==0.8.0", base=base)
    options = [
        "--stt-openai-url", f"{live.address}{hears}/v1", "--stt-openai-key", "unused",
        "--tts-openai-url", f"{live.address}{speaks}/v1", "--tts-openai-key", "unused",
        "--stt-models", TINY, "--tts-models", "tts-1" if speaks == "/kokoro" else "tone/sine",
    ]  # fmt: skip
    if modes:
        options += ["--stt-backend", modes[0], "--tts-backend", modes[1]]
    if modes and not speaks:
        options += ["--tts-voices", "alloy"]
    said = run([str(python), str(PROGRAMS / "wyoming_openai.py"), str(CLIP), *options])
    answer = json.loads(said.strip().splitlines()[-1])
    assert answer["heard"].strip() == SPOKEN
    assert answer["voices"]
    assert answer["sound"] > 1_000


CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)


def test_the_openapi_document_is_kept(tmp_path):
    """Schemathesis sends what the document allows, and what it does not, to every operation."""
    python = python_with("schemathesis", "schemathesis==4.32.5")
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    # Names that are there, so that more than 404 is heard of the operations on models.
    (tmp_path / "schemathesis.toml").write_text(
        '[parameters]\n"path.model" = ["tone/sine", "tone/echo"]\n'
    )
    environment = {
        "PYTHONPATH": str(tmp_path / "site"),
        "STT_MODEL": "tone/echo",
        "TTS_MODEL": "tone/sine",
    }
    with live_server(tmp_path, environment) as server:
        # An endless stream cannot be checked, and a scan for providers takes seconds each time.
        skipped = ["--exclude-path", "/api/events", "--exclude-path", "/api/providers/rescan"]
        phases = ["--phases", "examples,coverage,fuzzing", "-n", "20", "--seed", "1"]
        address = f"{server.address}/openapi.json"
        program = str(python.with_name("st"))
        run([program, "run", address, "--checks", CHECKS, *skipped, *phases], tmp_path)
        assert server.process.poll() is None


def test_home_assistant_asks_and_is_answered(live, wyoming, tmp_path):
    """Two assist pipelines at once: what they heard, and the sound of their answer."""
    base = interpreter("3.13", "Home Assistant 2025.4.4")
    needed = ("homeassistant==2025.4.4", "wyoming==1.5.4", "imageio-ffmpeg==0.8.1")
    python = python_with("home-assistant", *needed, base=base)
    program = str(PROGRAMS / "home_assistant.py")
    said = run([str(python), program, str(tmp_path / "home"), str(wyoming), *[str(CLIP)] * 2])
    answers = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert len(answers) == 2
    for answer in answers:
        assert answer["heard"] == SPOKEN
        assert answer["voice"]
        assert answer["answer"]
        assert read_wav(io.BytesIO(bytes.fromhex(answer["sound"]))).seconds > 0.3
