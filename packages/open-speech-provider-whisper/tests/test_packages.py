"""Packages with published weights: what the extras install is what the data says."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import pytest

from open_speech.store import Store
from open_speech_provider_whisper.catalogue import MODELS
from open_speech_provider_whisper.packages import EXTRAS

ROOT = Path(__file__).parents[1]
BY_ID = {model.id: model for model in MODELS}


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_installs_what_the_catalogue_names(extra: str) -> None:
    (source,) = BY_ID[EXTRAS[extra]].sources
    assert source.packaged is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = set(project["optional-dependencies"][extra])
    assert asked == set(source.packaged.requirements)


def test_every_model_with_packages_has_an_extra_and_a_license() -> None:
    packaged = {model.id for model in MODELS if any(s.packaged for s in model.sources)}
    assert packaged == set(EXTRAS.values())
    assert {BY_ID[name].license for name in packaged} == {"MIT"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_installed_package_is_the_published_model(extra: str, tmp_path: Path) -> None:
    model = BY_ID[EXTRAS[extra]]
    (source,) = model.sources
    assert source.packaged is not None
    for requirement in source.packaged.requirements:
        name = requirement.partition("==")[0]
        if importlib.util.find_spec(name.replace("-", "_")) is None:
            pytest.skip(f"{name} is not installed")
    paths = Store(tmp_path / "models", offline=True).ensure(model)
    sizes = {
        file.path: (paths["model"] / file.path).stat().st_size for file in source.packaged.files
    }
    assert sizes == {file.path: file.size for file in source.packaged.files}
