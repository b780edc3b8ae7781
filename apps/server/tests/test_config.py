"""What of the settings reaches core."""

from __future__ import annotations

from open_speech_server.config import core_config
from open_speech_server.settings import load_settings


def test_threads_of_models_are_the_operator_s(tmp_path):
    folders = {"os_model_dir": tmp_path / "models", "os_data_dir": tmp_path / "data"}
    assert core_config(load_settings(**folders)).policy.threads == 0
    assert core_config(load_settings(os_threads=3, **folders)).policy.threads == 3
