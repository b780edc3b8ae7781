"""What of the settings reaches core."""

from __future__ import annotations

import pwd

import pytest

from open_speech_server.settings.core_config import core_config
from open_speech_server.settings.settings import ConfigurationError, load_settings


def test_a_user_without_a_home_has_no_cache_of_the_hub(tmp_path, monkeypatch):
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(ConfigurationError, match=r"OS_MODEL_DIR.*no home directory"):
        load_settings()
    settings = load_settings(os_model_dir=tmp_path, os_data_dir=tmp_path)
    assert core_config(settings).weights._settings.user_cache is None


def test_threads_of_models_are_the_operator_s(tmp_path):
    folders = {"os_model_dir": tmp_path / "models", "os_data_dir": tmp_path / "data"}
    assert core_config(load_settings(**folders)).policy.threads == 0
    assert core_config(load_settings(os_threads=3, **folders)).policy.threads == 3
