"""What models can be loaded on here, on machines that look like others."""

from __future__ import annotations

import sys

import pytest

from open_speech_server import graphics

CARD = "NVIDIA Something, 16384 MiB, 560.35"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """``machine(nodes, driver, status)``: device files, and what the driver's command says."""
    monkeypatch.setattr(graphics, "NODES", tmp_path / "dev")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def make(nodes: list[str], driver: str | None = None, status: int = 0) -> tuple[str, ...]:
        for name in nodes:
            (tmp_path / "dev").mkdir(exist_ok=True)
            (tmp_path / "dev" / name).touch()
        if driver is not None:
            command = tmp_path / "bin" / "nvidia-smi"
            command.parent.mkdir()
            command.write_text(
                f"#!{sys.executable}\nprint({driver!r})\nraise SystemExit({status})\n"
            )
            command.chmod(0o755)
        return graphics.devices.__wrapped__()

    return make


def test_a_machine_without_any_has_its_own_processor(machine):
    assert machine([]) == ("cpu",)
    assert graphics.described() == ()


def test_processors_are_counted_by_their_device_files(machine):
    helpers = ["nvidiactl", "nvidia-uvm", "nvidia-modeset"]
    assert machine(helpers) == ("cpu",)
    assert machine([*helpers, "nvidia0"]) == ("cpu", "cuda")
    assert machine(["nvidia1", "nvidia10"]) == ("cpu", "cuda", "cuda:1", "cuda:2")


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no command there")
def test_where_there_are_no_files_the_driver_is_asked(machine):
    assert machine([], f"{CARD}\n{CARD}") == ("cpu", "cuda", "cuda:1")
    assert graphics.described() == (CARD, CARD)


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no command there")
def test_a_driver_that_fails_shows_none(machine):
    assert machine([], "NVIDIA-SMI has failed", status=9) == ("cpu",)
