"""What is offered, and what is said where the engine is missing."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import pytest

from open_speech import LoadContext
from open_speech.errors import ModelLoadFailed
from open_speech_provider_fish import FishBackend

MODELS = {model.id: model for model in FishBackend().list_available()}


def test_weights_have_a_license_that_must_be_accepted() -> None:
    local = MODELS["openaudio-s1-mini"]
    assert local.license == "CC-BY-NC-SA-4.0"
    assert local.license_url
    assert local.must_accept_license
    server = MODELS["fish-server"]
    assert (server.sources, server.license) == ((), "LicenseRef-Fish-Audio-Research")


@pytest.mark.skipif(find_spec("fish_speech") is not None, reason="the engine is installed")
def test_missing_engine_says_how_to_get_it(tmp_path: Path) -> None:
    context = LoadContext(paths={"model": tmp_path})
    with pytest.raises(ModelLoadFailed, match="open-speech-provider-fish --isolated"):
        FishBackend().load(MODELS["openaudio-s1-mini"], context)


def test_no_dependency_pins_what_the_own_environment_pins() -> None:
    """The provider installs beside every other one: its list is for its own environment."""
    project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())
    assert not any("==" in line for line in project["project"]["dependencies"])
    assert "optional-dependencies" not in project["project"]
    listed = resources.files("open_speech_provider_fish") / "open-speech-environment.toml"
    own = tomllib.loads(listed.read_text())
    assert {"numpy==1.26.4", "pydantic==2.9.2", "protobuf==3.19.6"} <= set(own["requires"])
    assert "fish-speech==0.1.0" in own["alone"]


def test_absent_modules_are_empty_for_a_while_only() -> None:
    code = """
import json, sys
from open_speech_provider_fish._absent import without
sys.modules["json.tool"] = tool = object()
with without(["nowhere", "json.tool"]):
    import nowhere.inside
    from nowhere import Thing
    import json.tool as empty
    class Child(Thing):
        pass
    assert empty is not tool and not hasattr(nowhere, "__wrapped__")
assert sys.modules["json.tool"] is tool
assert not [name for name in sys.modules if name.startswith("nowhere")]
try:
    import nowhere
except ModuleNotFoundError:
    print("gone")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("gone", "")
