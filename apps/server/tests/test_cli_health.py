"""``open-speech health``: what a container's healthcheck asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_line import run, serving, variables
from open_speech.testing.install import install_provider
from open_speech_server.cli import exits, health
from open_speech_server.settings.settings import OLD_NAMES, Settings

NAMES = {"host": "os_host", "port": "os_port", "tls": "os_ssl_enabled"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    install_provider(tmp_path / "site", "tone", "open_speech.testing.tone")
    models = {"STT_MODEL": "tone/echo", "TTS_MODEL": "tone/sine"}
    return variables(tmp_path, PYTHONPATH=str(tmp_path / "site"), **models)


@pytest.mark.parametrize("tls", ["true", "false"])
def test_a_server_answers(environment: dict[str, str], tmp_path: Path, tls: str) -> None:
    environment["OS_SSL_ENABLED"] = tls
    with serving(environment, tmp_path / "server.log"):
        done = run("health", environment=environment)
        assert (done.status, done.json["status"]) == (exits.OK, "ok")
        done = run("health", "--ready", environment=environment)
        assert (done.status, done.json["status"]) == (exits.OK, "ready")
        other = run("health", "--no-tls" if tls == "true" else "--tls", environment=environment)
        assert other.status == exits.UNAVAILABLE
    done = run("health", environment=environment)
    assert done.status == exits.UNAVAILABLE
    assert "No server answers" in done.errors


def test_models_that_are_not_there(environment: dict[str, str], tmp_path: Path) -> None:
    good = dict(environment)
    with serving(good, tmp_path / "server.log") as process:
        process.terminate()
        process.wait()
        assert run("health", "--ready", environment=good).status == exits.UNAVAILABLE


def test_it_reads_the_same_variables_as_the_server() -> None:
    options = {option.name: option for option in health.command.params}
    for name, field in NAMES.items():
        assert options[name].envvar == [field.upper(), OLD_NAMES[field].upper()]
    assert options["port"].default == Settings.model_fields["os_port"].default
    assert options["tls"].default == Settings.model_fields["os_ssl_enabled"].default


def test_it_imports_next_to_nothing(environment: dict[str, str]) -> None:
    environment["PYTHONPROFILEIMPORTTIME"] = "1"
    done = run("health", environment=environment)
    assert done.status == exits.UNAVAILABLE
    loaded = {line.rpartition("|")[2].strip() for line in done.errors.splitlines()}
    heavy = {"fastapi", "httpx", "numpy", "open_speech.service", "pluggy", "pydantic", "uvicorn"}
    assert not heavy & loaded
