"""The command with a server: a real one, with HTTPS, a key and the embedded engines."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import Done, run, serving, variables
from open_speech.testing.install import build_wheel
from open_speech_server.cli.client import ModelEntry, ProviderEntry, VoiceEntry
from ports import free_port

KEY = "a-key-for-this-test"
ENGINE = """
    import numpy as np
    from open_speech import Audio, ModelInfo, Kind, TTSBackend, TTSModel, Voice, hookimpl

    class Hum(TTSModel):
        def synthesize(self, request):
            yield Audio(samples=np.full(2400, 0.1, np.float32), sample_rate=24000)

    class HumBackend(TTSBackend):
        name = "hum"
        def list_available(self):
            return [ModelInfo(id="hum/one", kind=Kind.TTS, voices=(Voice(id="hum"),))]
        def load(self, model, context):
            return Hum()

    @hookimpl
    def open_speech_backends():
        return [HumBackend()]
"""


class Site:
    """A server, and the environments of those who use it."""

    def __init__(self, folder: Path) -> None:
        self.own = variables(
            folder,
            OS_API_KEY=KEY,
            STT_MODEL="pocketsphinx/en-us",
            TTS_MODEL="espeak/en-us",
            TTS_VOICE="default",
            # Nothing is fetched from anywhere by what is installed here.
            PIP_NO_INDEX="1",
        )
        self.address = f"https://127.0.0.1:{self.own['OS_PORT']}"
        self.local = {**self.own, "OPEN_SPEECH_URL": self.address}
        """Of the machine that the server runs on."""
        away = {name: value for name, value in self.own.items() if not name.startswith("OS_")}
        self.away = variables(folder / "away", **{**away, "OPEN_SPEECH_URL": f"{self.address}/v1"})
        """Of another one: without key and certificate."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    made = Site(folder)
    with serving(made.own, folder / "server.log"):
        yield made


@pytest.fixture(scope="module")
def hello(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hello") / "hello.wav"
    done = run("say", "hello world, one two three", "-o", path, environment=site.local)
    assert (done.status, done.errors[:6]) == (0, str(path)[:6]), done.errors
    return path


def sentence(done: Done) -> str:
    assert "Traceback" not in done.errors
    assert done.errors.startswith("open-speech: ")
    assert done.errors.count("\n") == 1, done.errors
    return done.errors


def test_the_certificate_of_a_server_on_this_machine_is_trusted(hello: Path) -> None:
    head = hello.read_bytes()
    assert head[:4] == b"RIFF"
    assert int.from_bytes(head[4:8], "little") == len(head) - 8


def test_another_machine_needs_insecure_and_the_key(site: Site) -> None:
    refused = run("models", environment=site.away)
    assert refused.status == 1
    assert "--insecure" in sentence(refused)
    keyless = run("models", "--insecure", environment=site.away)
    assert keyless.status == 1
    assert "OPEN_SPEECH_API_KEY" in sentence(keyless)
    taken = {**site.away, "OPEN_SPEECH_INSECURE": "1", "OPEN_SPEECH_API_KEY": KEY}
    done = run("models", "--json", environment=taken)
    assert (done.status, done.errors) == (0, "")
    models = {model["id"]: model for model in done.json["models"]}
    assert all(model.keys() == ModelEntry.__dataclass_fields__.keys() for model in models.values())
    assert models["espeak/en-us"]["is_default"]


def test_text_comes_as_it_is_understood(site: Site, hello: Path) -> None:
    done = run("transcribe", hello, environment=site.local)
    assert (done.status, done.errors) == (0, "")
    assert "hello world" in done.text


def test_json_has_the_same_keys_as_without_a_server(site: Site, hello: Path) -> None:
    done = run(
        "transcribe", "-", "--json", "--words",
        environment=site.local, given=hello.read_bytes(),
    )  # fmt: skip
    told = done.json
    assert told.keys() == {"text", "language", "duration", "segments", "words"}
    assert told["language"] == "english"
    assert told["segments"][0].keys() == {"start", "end", "text"}
    assert [word["word"] for word in told["words"]] == told["text"].split()


def test_subtitles(site: Site, hello: Path) -> None:
    done = run("transcribe", hello, "--vtt", environment=site.local)
    assert done.status == 0
    assert done.text.startswith("WEBVTT\n\n00:00:0")


def test_subtitles_of_what_the_server_says(site: Site, tmp_path: Path) -> None:
    out = tmp_path / "talk.wav"
    done = run("say", "One two. Three four!", "-o", out, "--srt", environment=site.local)
    assert done.status == 0, done.errors
    assert "\nOne two. Three four!\n" in out.with_suffix(".srt").read_text()
    assert out.read_bytes()[:4] == b"RIFF"


def test_voices_and_providers(site: Site) -> None:
    voices = run("voices", "--language", "de", "--json", environment=site.local).json["voices"]
    assert voices
    assert all(voice.keys() == VoiceEntry.__dataclass_fields__.keys() for voice in voices)
    found = run("providers", "list", "--json", environment=site.local).json["providers"]
    assert {one["name"]: one["models"] for one in found}.keys() >= {"espeak", "pocketsphinx"}
    assert all(one.keys() == ProviderEntry.__dataclass_fields__.keys() for one in found)


def test_the_servers_errors_are_passed_on(site: Site, tmp_path: Path) -> None:
    done = run("say", "One.", "-o", tmp_path / "a.mp3", "--model", "nope", environment=site.local)
    assert done.status == 1
    assert "nope" in sentence(done)
    assert list(tmp_path.iterdir()) == []
    missing = run("models", "info", "espeak/en-uk", environment=site.local)
    assert missing.status == 1
    assert "espeak/en-uk" in sentence(missing)


def test_doctor_knows_its_server_from_a_stranger(site: Site, tmp_path: Path) -> None:
    there = run("doctor", "--json", environment=site.own)
    assert there.status == 0, there.text
    told = there.json
    assert told.keys() == {"ok", "checks"}
    assert all(check.keys() == {"subject", "state", "text", "fix"} for check in told["checks"])
    checks = {check["subject"]: check for check in told["checks"]}
    assert checks.keys() >= {"python", "provider", "models", "data", "disk", "gpu", "hub", "key"}
    assert "served by Open Speech" in checks["port"]["text"]
    assert "valid until" in checks["certificate"]["text"]

    without_tls = run("doctor", "--json", environment={**site.own, "OS_SSL_ENABLED": "false"})
    assert without_tls.status == 0, without_tls.text
    checks = {check["subject"]: check for check in without_tls.json["checks"]}
    assert "served by Open Speech" in checks["port"]["text"]

    remote = run("doctor", "--json", environment=site.local).json
    assert "Open Speech" in next(c for c in remote["checks"] if c["subject"] == "server")["text"]

    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = str(stranger.getsockname()[1])
        done = run("doctor", environment=variables(tmp_path, OS_PORT=port, STT_DEVICE="cuda:7"))
    assert done.status == 1
    assert f"127.0.0.1:{port} is taken by another program" in done.text
    assert "OS_PORT" in done.text


def test_doctor_explains_settings_that_are_wrong(tmp_path: Path) -> None:
    done = run("doctor", environment=variables(tmp_path, OS_PORT="many"))
    assert done.status == 1
    assert "OS_PORT is 'many'" in done.text


def test_doctor_finds_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environment = variables(tmp_path, OS_DATA_DIR=str(tmp_path / "file" / "data"))
    done = run("doctor", environment=environment)
    assert done.status == 1
    assert "point OS_DATA_DIR to another one" in done.text


def test_a_provider_is_installed_taken_up_and_removed(site: Site, tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "hum", ENGINE)
    done = run("providers", "install", wheel, "--isolated", "--json", environment=site.own)
    assert done.status == 0, done.errors
    assert done.json.keys() == {
        "requirement", "environment", "bytes_added", "distributions", "left_out", "weights",
        "server",
    }  # fmt: skip
    assert done.json["environment"] == "open-speech-provider-hum"
    assert done.json["bytes_added"] > 1000
    assert done.json["weights"] == {}
    assert done.json["server"] == site.address
    spoken = run("say", "Hm.", "-o", "-", "--model", "hum/one", environment=site.local)
    assert spoken.output[:4] == b"RIFF"
    # By path as well, and though the command was told nothing of how the server was started.
    without_tls = {**site.own, "OS_SSL_ENABLED": "false"}
    removed = run("providers", "remove", wheel, environment=without_tls)
    assert removed.status == 0, removed.errors
    assert f"The server at {site.address} has picked it up." in removed.text
    found = run("providers", "--json", environment=site.local).json["providers"]
    assert "hum" not in {one["name"] for one in found}


def test_an_installed_provider_is_removed_by_its_last_word(tmp_path: Path) -> None:
    wheel, own = build_wheel(tmp_path, "hum", ENGINE), variables(tmp_path, PIP_NO_INDEX="1")
    assert run("providers", "install", wheel, "--isolated", environment=own).status == 0
    removed = run("providers", "remove", "hum", "--json", environment=own)
    assert removed.json["removed"] == "open-speech-provider-hum"


def test_without_a_server_it_is_said_that_none_was_told(tmp_path: Path) -> None:
    wheel, own = build_wheel(tmp_path, "hum", ENGINE), variables(tmp_path, PIP_NO_INDEX="1")
    done = run("providers", "install", wheel, "--isolated", "--json", environment=own)
    assert (done.status, done.json["server"]) == (0, None)
    assert f"No server answered at 127.0.0.1:{own['OS_PORT']}." in done.errors


def test_what_is_not_installed_cannot_be_removed(tmp_path: Path) -> None:
    done = run("providers", "remove", "nothing", environment=variables(tmp_path))
    assert done.status == 1
    assert "There is no provider 'nothing' to remove" in sentence(done)


def test_no_server_is_a_matter_of_trying_again(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = run("voices", "--url", url, environment=variables(tmp_path))
    assert done.status == 3
    assert f"No server answers at {url}" in sentence(done)
