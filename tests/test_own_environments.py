"""A provider in an environment of its own, from the check to its removal, while a server runs.

Everything goes through the command; the wheels are made here and no index is asked.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from command_line import Done, run, serving, variables
from open_speech.testing.install import build_library_wheel, build_wheel

NAME = "open-speech-provider-bell"
SHARED = "prometheus-client"
"""Something that the server needs and no worker imports: a clash over it harms nothing here."""
ENGINE = """
    from importlib.metadata import version
    import numpy as np
    from open_speech import Audio, Kind, ModelInfo, TTSBackend, TTSModel, Voice, hookimpl

    class Bell(TTSModel):
        def synthesize(self, request):
            import bell_engine
            length = 2400 * bell_engine.LOUD
            yield Audio(samples=np.full(length, 0.1, np.float32), sample_rate=24000)

    class BellBackend(TTSBackend):
        name = "bell"
        def list_available(self):
            said = version("prometheus-client")
            return [ModelInfo(id="bell/one", kind=Kind.TTS, description=said,
                              voices=(Voice(id="bell"),))]
        def load(self, model, context):
            return Bell()

    @hookimpl
    def open_speech_backends():
        return [BellBackend()]
"""


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """The only place that pip looks for packages: two versions of an engine, one of a provider."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for version in ("0.1", "0.2"):
        build_library_wheel(folder, SHARED, {"prometheus_client": ""}, version=version)
    for loud in (1, 2):
        source = {"bell_engine": f"LOUD = {loud}"}
        build_library_wheel(folder, "bell-engine", source, version=f"{loud}.0")
    provide(folder, "1.0", "bell-engine==1.0", "prometheus-client==0.1")
    build_wheel(folder, "plain", ENGINE.replace("bell", "plain"))
    return folder


def provide(folder: Path, version: str, *requires: str) -> None:
    build_wheel(folder, "bell", ENGINE, version=version, requires=requires)


@pytest.fixture
def own(tmp_path: Path, wheels: Path) -> dict[str, str]:
    """An environment of an operator."""
    return variables(
        tmp_path,
        OS_SSL_ENABLED="false",
        STT_MODEL="pocketsphinx/en-us",
        TTS_MODEL="espeak/en-us",
        TTS_VOICE="default",
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheels),
        PIP_CONFIG_FILE="/dev/null",
    )


@pytest.fixture
def server(own: dict[str, str], tmp_path: Path) -> Iterator[httpx.Client]:
    """A server that runs all the while."""
    with serving(own, tmp_path / "server.log"):
        address = f"http://127.0.0.1:{own['OS_PORT']}"
        with httpx.Client(base_url=address, timeout=120) as client:
            yield client


def providers(own: dict[str, str], *arguments: str) -> Done:
    return run("providers", *arguments, environment=own)


def models(server: httpx.Client) -> dict[str, str]:
    """What each model says of itself, by its id; nothing is rescanned."""
    answer = server.get("/api/models").raise_for_status()
    return {model["id"]: model["description"] for model in answer.json()["models"]}


def spoken(server: httpx.Client) -> int:
    """Bytes of what the bell says."""
    body = {"model": "bell/one", "input": "Ding.", "response_format": "pcm", "voice": "bell"}
    answer = server.post("/v1/audio/speech", json=body)
    assert answer.status_code == 200, answer.text
    return len(answer.content)


def folders(tmp_path: Path) -> set[str]:
    root = tmp_path / "data" / "environments"
    return {path.name for path in root.iterdir() if path.is_dir()} if root.is_dir() else set()


def provider(server: httpx.Client) -> dict[str, Any]:
    found = server.get("/api/providers").raise_for_status().json()["providers"]
    (one,) = (each for each in found if each["name"] == "bell")
    return dict(one)


def test_provider_comes_is_used_upgraded_and_goes(
    server: httpx.Client, own: dict[str, str], tmp_path: Path, wheels: Path
) -> None:
    here = importlib.metadata.version(SHARED)

    checked = providers(own, "check", NAME)
    assert checked.status == 1
    assert f"would replace {SHARED} {here} by 0.1" in checked.text
    assert f"{NAME} requires prometheus-client==0.1" in checked.text
    assert "open-speech-server requires prometheus-client" in checked.text
    assert "--isolated" in checked.text
    refused = providers(own, "install", NAME)
    assert (refused.status, "--isolated" in refused.errors) == (1, True)
    assert "bell/one" not in models(server)

    installed = providers(own, "install", NAME, "--isolated", "--json")
    assert installed.status == 0, installed.errors
    assert installed.json["distributions"] == {NAME: "1.0", "bell-engine": "1.0", SHARED: "0.1"}
    assert 1_000 < installed.json["bytes_added"] < 5_000_000
    assert models(server)["bell/one"] == "0.1"
    first = spoken(server)
    assert first > 0
    assert provider(server)["environment"] == NAME
    assert provider(server)["summary"] == "The provider bell, made for tests."
    assert importlib.metadata.version(SHARED) == here

    provide(wheels, "2.0", "bell-engine==9.9", "prometheus-client==0.2")
    failed = providers(own, "install", f"{NAME}==2.0", "--isolated")
    assert failed.status == 1
    assert f"There is no bell-engine==9.9 (needed by {NAME}==2.0)" in failed.errors
    assert len(folders(tmp_path)) == 1
    assert spoken(server) == first

    provide(wheels, "2.0", "bell-engine==2.0", "prometheus-client==0.2")
    upgraded = providers(own, "install", NAME, "--isolated", "--upgrade", "--json")
    assert upgraded.json["distributions"] == {NAME: "2.0", "bell-engine": "2.0", SHARED: "0.2"}
    server.delete("/api/models/bell/one").raise_for_status()  # until then the old one serves
    assert spoken(server) == 2 * first
    assert models(server)["bell/one"] == "0.2"
    assert provider(server)["version"] == "2.0"

    removed = providers(own, "remove", NAME)
    assert removed.status == 0, removed.errors
    assert "bell/one" not in models(server)
    body = {"model": "bell/one", "input": "Ding."}
    assert server.post("/v1/audio/speech", json=body).status_code == 404


def test_provider_that_dies_in_its_environment_is_listed_as_broken_with_the_reason(
    server: httpx.Client, own: dict[str, str], tmp_path: Path, wheels: Path
) -> None:
    build_wheel(wheels, "bell", "import os; os._exit(7)", version="3.0")
    installed = providers(own, "install", f"{NAME}==3.0", "--isolated")
    assert installed.status == 0, installed.errors
    reason = "importing it ended the process with status 7"

    listed = provider(server)
    assert (listed["status"], listed["environment"], listed["version"]) == ("broken", NAME, "3.0")
    assert reason in listed["error"]
    assert reason in providers(own, "list").text
    assert reason in run("doctor", environment=own).text
    assert reason in (tmp_path / "server.log").read_text(encoding="utf-8")


def test_failed_installation_leaves_nothing_and_names_the_requirement(
    own: dict[str, str], tmp_path: Path, wheels: Path
) -> None:
    provide(wheels, "3.0", "bell-engine>=1", "no-such-thing>=4")
    failed = providers(own, "install", f"{NAME}==3.0", "--isolated")
    assert failed.status == 1
    assert f"No package index has no-such-thing>=4 (needed by {NAME}==3.0)" in failed.errors
    assert folders(tmp_path) == set()
    assert "bell" not in providers(own, "list").text


def test_check_of_several_says_whether_they_fit_together(own: dict[str, str], wheels: Path) -> None:
    fine = providers(own, "check", "open-speech-provider-plain")
    assert (fine.status, "installing it here replaces nothing" in fine.text) == (0, True)
    build_wheel(wheels, "high", ENGINE.replace("bell", "high"), requires=["bell-engine>=2"])
    build_wheel(wheels, "low", ENGINE.replace("bell", "low"), requires=["bell-engine<2"])
    names = [f"open-speech-provider-{each}" for each in ("high", "low")]
    assert providers(own, "check", names[0]).status == 0
    apart = providers(own, "check", *names, "--json")
    assert apart.status == 1
    assert apart.json["fits"] is False
    assert [each["fits"] for each in apart.json["checked"]] == [True, True]
    for said in ("bell-engine>=2", "bell-engine<2", *names, "--isolated"):
        assert said in apart.json["together"]


def test_engine_that_fits_in_no_other_environment_is_told_of(
    server: httpx.Client, own: dict[str, str], wheels: Path
) -> None:
    lists = 'alone = ["bell-engine==2.0"]\nrequires = ["prometheus-client==0.2"]\n'
    data = {"open_speech_provider_bell_data/open-speech-environment.toml": lists}
    build_wheel(wheels, "bell", ENGINE, version="4.0", data=data)
    left_out = ["bell-engine==2.0", "prometheus-client==0.2"]

    checked = providers(own, "check", NAME)
    assert checked.status == 0
    assert f"{NAME} fits" in checked.text
    assert f"does not come along: {', '.join(left_out)} fit in no environment but" in checked.text
    checked = providers(own, "check", NAME, "open-speech-provider-plain", "--json")
    assert [each["left_out"] for each in checked.json["checked"]] == [left_out, []]
    assert "bell/one" not in models(server)

    installed = providers(own, "install", NAME, "--isolated", "--json")
    assert installed.json["left_out"] == []
    assert installed.json["distributions"] == {NAME: "4.0", "bell-engine": "2.0", SHARED: "0.2"}
    assert spoken(server) > 0


def test_commands_of_the_guide_work(own: dict[str, str], wheels: Path) -> None:
    guide = Path(__file__).parents[1] / "docs" / "how-to" / "providers.md"
    commands = re.findall(r"\| `open-speech providers (.+)` \|$", guide.read_text(), re.MULTILINE)
    assert [command.split()[0] for command in commands] == [
        "list", "check", "install", "install", "install", "remove",
    ]  # fmt: skip
    build_wheel(wheels, "example", ENGINE.replace("bell", "example"))
    for command in commands:
        arguments = command.split()
        if arguments[0] == "install" and "--isolated" not in arguments:
            continue  # that is for the environment that these tests run in
        done = providers(own, *arguments)
        assert done.status == 0, done.errors
