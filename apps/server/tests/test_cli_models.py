"""``open-speech models`` where files come and go: with a server, and without one."""

from __future__ import annotations

import os
import pty
import random
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from command_line import COMMAND, WAIT_S, Done, run, serving, variables
from open_speech.testing.hub import FakeHub
from open_speech.testing.install import install_provider
from open_speech_server.cli import exits

MODEL = "tone/voices-one"
LICENSED = "tone/licensed-one"
SIZE = 1_500_000


def weights(seed: int) -> dict[str, bytes]:
    return {"model.bin": random.Random(seed).randbytes(SIZE)}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        hub.add(MODEL, weights(1))
        yield hub


@pytest.fixture
def alone(tmp_path: Path, hub: FakeHub) -> dict[str, str]:
    """An environment without a server."""
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    return variables(
        tmp_path,
        PYTHONPATH=str(tmp_path / "site"),
        HF_ENDPOINT=hub.url,
        HF_HUB_OFFLINE="0",
        HF_HOME=str(tmp_path / "nobodys"),
        OS_SSL_ENABLED="false",
        STT_MODEL="tone/echo",
        TTS_MODEL="tone/sine",
        OS_ALLOW_ANY_MODEL="true",
    )


@pytest.fixture
def served(alone: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment with one."""
    with serving(alone, tmp_path / "server.log"):
        yield {**alone, "OPEN_SPEECH_URL": f"http://127.0.0.1:{alone['OS_PORT']}"}


def models(environment: dict[str, str], *arguments: str) -> Done:
    done = run("models", *arguments, environment=environment)
    assert done.status == 0, done.errors
    return done


def test_without_a_server_files_are_fetched_moved_carried_and_deleted(alone, hub, tmp_path):
    assert "is here" in models(alone, "pull", MODEL).text
    assert "was up to date" in models(alone, "update", MODEL).text
    hub.add(MODEL, weights(2))
    assert "newer revision" in models(alone, "update", MODEL).text
    models(alone, "export", MODEL, str(tmp_path / "carried"))
    assert "is deleted" in models(alone, "rm", MODEL).text
    assert models(alone, "info", MODEL, "--json").json["state"] == "available"
    again = run("models", "rm", MODEL, environment=alone)
    assert again.status == exits.UNAVAILABLE
    air_gapped = {**alone, "HF_HUB_OFFLINE": "1"}
    assert MODEL in models(air_gapped, "import", str(tmp_path / "carried")).text
    assert models(air_gapped, "pull", MODEL, "--json").json["state"] == "downloaded"
    (tmp_path / "empty").mkdir()
    nothing = run("models", "import", str(tmp_path / "empty"), environment=alone)
    assert (nothing.status, "no exported model" in nothing.errors) == (exits.FAILED, True)


def test_with_a_server_it_does_the_same(served, hub):
    assert models(served, "pull", MODEL, "--json").json["state"] == "downloaded"
    loaded = models(served, "load", MODEL, "--keep-alive", "1h", "--pin", "--json").json
    assert (loaded["state"], loaded["device"]) == ("loaded", "cpu")
    hub.add(MODEL, weights(2))
    assert "newer revision" in models(served, "update", MODEL).text
    assert "was up to date" in models(served, "update", MODEL).text
    refused = run("models", "rm", MODEL, environment=served)
    assert refused.status == exits.FAILED
    assert "Unload it first" in refused.errors
    assert "is unloaded" in models(served, "unload", MODEL).text
    assert "is deleted" in models(served, "rm", MODEL).text
    wrong = run("models", "load", MODEL, "--device", "abacus", environment=served)
    assert (wrong.status, "abacus" in wrong.errors) == (exits.FAILED, True)
    assert run("models", "unload", MODEL, environment=served).status == exits.FAILED


@pytest.mark.parametrize("where", ["alone", "served"])
def test_license_is_shown_and_accepted_once(where, request, hub, tmp_path):
    environment = request.getfixturevalue(where)
    hub.add(LICENSED, weights(1))
    hub.add(f"{LICENSED}-2", weights(2))
    info = models(environment, "info", LICENSED, "--json").json
    assert info["license"] == "LicenseRef-Tone"
    refused = run("models", "pull", LICENSED, environment=environment)
    assert refused.status == exits.FAILED
    assert "https://tone.example/license" in refused.errors
    assert f"pull {LICENSED} --accept-license" in refused.errors
    assert f"/api/models/{LICENSED}/download" in refused.errors
    assert "OS_ACCEPT_LICENSES=LicenseRef-Tone" in refused.errors
    assert not hub.gets()

    assert "is here" in models(environment, "pull", LICENSED, "--accept-license").text
    assert "is here" in models(environment, "pull", f"{LICENSED}-2").text
    assert len(list((tmp_path / "data" / "licenses").iterdir())) == 1
    assert f"{LICENSED} " in (listed := models(environment, "list").text)
    assert "LicenseRef-Tone" in listed


def test_loading_accepts_the_license_if_told_to(served, hub):
    hub.add(LICENSED, weights(1))
    refused = run("models", "load", LICENSED, environment=served)
    assert (refused.status, "--accept-license" in refused.errors) == (exits.FAILED, True)
    assert "is loaded" in models(served, "load", LICENSED, "--accept-license").text


def test_operator_accepts_licenses_by_a_setting(alone, hub):
    hub.add(LICENSED, weights(1))
    willing = {**alone, "OS_ACCEPT_LICENSES": "LicenseRef-Tone"}
    assert "is here" in models(willing, "pull", LICENSED).text


def on_terminal(environment: dict[str, str], *arguments: str) -> str:
    """What the command shows where standard error is a terminal."""
    ours, theirs = pty.openpty()
    shown = b""
    with subprocess.Popen(
        [COMMAND, *arguments], env=environment, stdout=subprocess.DEVNULL, stderr=theirs
    ) as process:
        os.close(theirs)
        with suppress(OSError):  # how Linux tells that the other side is closed
            while piece := os.read(ours, 65_536):
                shown += piece
    os.close(ours)
    assert process.returncode == 0, shown
    return shown.decode()


@pytest.mark.parametrize("verb", ["pull", "update"])
def test_bytes_are_shown_as_a_server_fetches_them(served, hub, verb):
    if verb == "update":
        models(served, "pull", MODEL)
        hub.add(MODEL, weights(2))
    hub.rate = 1_000_000
    shown = on_terminal(served, "models", verb, MODEL)
    steps = re.findall(r"([\d.]+) [kM]?B(?:ytes)? of 1.5 MB", shown)
    assert len(set(steps)) > 1, shown


@pytest.mark.parametrize("verb", ["pull", "update"])
def test_ctrl_c_has_the_server_stop_and_the_next_time_goes_on(served, hub, verb):
    if verb == "update":
        models(served, "pull", MODEL)
        hub.add(MODEL, weights(2))
    hub.rate = 1_000_000
    arrived: list[int] = []
    with subprocess.Popen(
        [COMMAND, "models", verb, MODEL], env=served, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip

        def stop(_key: str, sent: int) -> None:
            if sent > 500_000 and not arrived:
                arrived.append(sent)
                process.send_signal(signal.SIGINT)

        hub.on_block = stop
        _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode == exits.INTERRUPTED, errors
    assert b"to resume" in errors
    hub.on_block, hub.rate = None, None
    hub.forget()
    assert models(served, verb, MODEL, "--json").json["state"] == "downloaded"
    (rest,) = hub.gets("*model.bin")
    assert rest.start > 100_000
