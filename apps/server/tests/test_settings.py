from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech_server.settings.settings import (
    OLD_NAMES,
    PRIVATE_NETWORKS,
    ConfigurationError,
    Settings,
    load_settings,
    start_notices,
    worker_environment,
)
from open_speech_server.settings.table import settings_table

DOCUMENTED = {
    "OS_PORT": "8100",
    "OS_HOST": "0.0.0.0",
    "OS_API_KEY": "",
    "OS_CORS_ORIGINS": "*",
    "OS_TRUST_PROXY": "false",
    "OS_MAX_UPLOAD_MB": "100",
    "OS_RATE_LIMIT": "0",
    "OS_RATE_LIMIT_BURST": "0",
    "OS_SSL_ENABLED": "true",
    "OS_SSL_CERTFILE": "",
    "OS_SSL_KEYFILE": "",
    "STT_MODEL": "Systran/faster-whisper-base",
    "STT_DEVICE": "cpu",
    "STT_COMPUTE_TYPE": "int8",
    "TTS_MODEL": "kokoro",
    "TTS_DEVICE": "cpu",
    "TTS_VOICE": "af_heart",
    "TTS_SPEED": "1.0",
    "OS_MODEL_TTL": "300",
    "OS_MAX_LOADED_MODELS": "0",
    "OS_STREAM_CHUNK_MS": "2000",
    "OS_STREAM_VAD_THRESHOLD": "0.5",
    "OS_STREAM_ENDPOINTING_MS": "300",
    "OS_STREAM_MAX_CONNECTIONS": "10",
}
"""The variables that the project set out with, and their defaults."""


@pytest.mark.parametrize("quotes", ['"{}"', "'{}'", "  {} ", ' "{}" ', '" {} "'])
def test_quotes_around_a_value_are_not_part_of_it(monkeypatch, tmp_path, quotes):
    for name, value in {
        "OS_PORT": "8200",
        "OS_HOST": "127.0.0.1",
        "OS_API_KEY": "secret",
        "OS_DATA_DIR": str(tmp_path),
        "STT_MODEL": "one, two",
        "OS_LOG_LEVEL": "Debug",
        "OS_SSL_ENABLED": "false",
        "OS_OPTIONS__WHISPER__BEAM": "5",
        "OS_CORS_ORIGINS": "https://page.example",
    }.items():
        monkeypatch.setenv(name, quotes.format(value))
    settings = load_settings()
    assert (settings.os_port, settings.os_host) == (8200, "127.0.0.1")
    assert (settings.api_key, settings.os_data_dir) == ("secret", tmp_path)
    assert settings.stt_models == ("one", "two")
    assert (settings.os_log_level, settings.os_ssl_enabled) == ("debug", False)
    assert settings.os_options == {"whisper": {"beam": 5}}
    assert settings.cors_origins == ("https://page.example",)


def test_empty_quotes_set_nothing(monkeypatch):
    for name in ("OS_PORT", "OS_API_KEY", "OS_DATA_DIR", "OS_HOST"):
        monkeypatch.setenv(name, '""')
    plain = Settings()
    assert (plain.os_port, plain.api_key, plain.os_host) == (8100, None, "0.0.0.0")
    assert plain.os_data_dir == Settings.model_fields["os_data_dir"].get_default().expanduser()


@pytest.mark.parametrize("written", ["~/x", "$HOME/x", "${HOME}/x", '"$HOME/x"', "'~/x'"])
def test_the_home_folder_may_be_written_as_a_shell_does(monkeypatch, tmp_path, written):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OS_DATA_DIR", written)
    assert load_settings().os_data_dir == tmp_path / "x"


@pytest.mark.parametrize("written", ["$DATA/x", "${XDG_DATA_HOME}", "$(pwd)/x"])
def test_a_variable_that_no_shell_filled_in_is_no_folder(monkeypatch, written):
    monkeypatch.setenv("OS_DATA_DIR", written)
    with pytest.raises(ConfigurationError, match=r"OS_DATA_DIR.*must be a path as it is"):
        load_settings()


def test_names_and_defaults_are_the_documented_ones():
    rows = {row.name: row.default for row in settings_table()}
    assert {name: rows[name] for name in DOCUMENTED} == DOCUMENTED


def test_the_table_describes_every_setting_and_knows_all_old_names():
    rows = settings_table()
    assert all(row.description.endswith(".") and row.allowed and row.type for row in rows)
    assert len({alias for row in rows for alias in row.aliases}) == 21 == len(OLD_NAMES)


def test_every_default_may_be_written_down(monkeypatch):
    for row in settings_table():
        if row.default:
            monkeypatch.setenv(row.name, row.default)
    written = load_settings()
    for row in settings_table():
        monkeypatch.delenv(row.name, raising=False)
    assert written == load_settings()


def test_values_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("OS_PORT", "9000")
    monkeypatch.setenv("OS_SSL_ENABLED", "off")
    monkeypatch.setenv("STT_MODEL", "one/a, two/b")
    monkeypatch.setenv("OS_LOG_LEVEL", "DEBUG")
    settings = load_settings()
    assert (settings.os_port, settings.os_ssl_enabled, settings.os_log_level) == (
        9000,
        False,
        "debug",
    )
    assert settings.stt_models == ("one/a", "two/b")


def test_an_empty_variable_is_not_set(monkeypatch):
    for row in settings_table():
        monkeypatch.setenv(row.name, "")
    assert load_settings() == Settings()


def test_options_of_the_command_win(monkeypatch):
    monkeypatch.setenv("OS_PORT", "9000")
    monkeypatch.setenv("STT_PORT", "9001")
    assert load_settings(os_port=1234, os_host=None).os_port == 1234


OLD_VALUES = {
    "os_host": "192.0.2.1",
    "os_api_key": "old-key",
    "os_cors_origins": "https://old.example",
    "os_trust_proxy": "true",
    "os_ssl_enabled": "false",
    "os_ssl_certfile": "/old/cert",
    "os_ssl_keyfile": "/old/key",
    "os_stream_vad_threshold": "0.25",
    "stt_model": "old/model",
    "tts_model": "old/model",
    "tts_voice": "old-voice",
    "tts_speed": "1.25",
}


def test_old_names_work_and_the_new_name_wins(monkeypatch):
    for new, old in OLD_NAMES.items():
        monkeypatch.setenv(old.upper(), OLD_VALUES.get(new, "77"))
    settings = load_settings()
    for new in OLD_NAMES:
        value = getattr(settings, new)
        shown = value.get_secret_value() if new == "os_api_key" else str(value)
        assert shown.lower() == OLD_VALUES.get(new, "77"), new
    monkeypatch.setenv("OS_PORT", "8200")
    assert load_settings().os_port == 8200


def test_an_empty_new_name_leaves_the_old_one(monkeypatch):
    monkeypatch.setenv("OS_PORT", "")
    monkeypatch.setenv("STT_PORT", "9001")
    assert load_settings().os_port == 9001


def test_preload_names_are_added(monkeypatch):
    monkeypatch.setenv("STT_MODEL", "a")
    monkeypatch.setenv("STT_PRELOAD_MODELS", "b, a,c")
    monkeypatch.setenv("TTS_PRELOAD_MODELS", "d")
    settings = load_settings()
    assert settings.stt_models == ("a", "b", "c")
    assert settings.tts_models == (Settings().tts_model, "d")


def test_one_line_lists_the_old_names(monkeypatch):
    assert start_notices() == []
    monkeypatch.setenv("STT_PORT", "1")
    monkeypatch.setenv("STT_PRELOAD_MODELS", "a")
    (line,) = start_notices()
    assert "STT_PORT (now OS_PORT)" in line
    assert "STT_PRELOAD_MODELS (now STT_MODEL)" in line


def test_a_name_nearly_right_is_reported_and_another_is_not(monkeypatch):
    monkeypatch.setenv("OS_API_KEYS", "canary-secret")
    monkeypatch.setenv("OS_SOMETHING_ELSE", "1")
    (line,) = start_notices()
    assert "OS_API_KEYS" in line
    assert "OS_API_KEY is one" in line
    assert "canary-secret" not in line


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("OS_PORT", "70000", "a whole number from 0 to 65535"),
        ("OS_PORT", "abc", "a whole number from 0 to 65535"),
        ("OS_SSL_ENABLED", "perhaps", "true or false"),
        ("TTS_SPEED", "nan", "a number from 0.25 to 4.0"),
        ("TTS_SPEED", "1e309", "a number from 0.25 to 4.0"),
        ("OS_MODEL_TTL", "-1", "a whole number from 0 to"),
        ("OS_LOAD_TIMEOUT_S", "0", "a number above 0, at most 86400"),
        ("OS_LOG_FORMAT", "xml", "console or json"),
        ("OS_ISOLATION", "docker", "model or none"),
        ("STT_DEVICE", "tpu", "cpu, cuda or cuda:N"),
        ("TTS_MODEL", ",", "the name of a model"),
        ("OS_CORS_ORIGINS", "https://*.example.org", "* or origins like"),
        ("OS_TRUST_PROXY", "10.0.0.1/8", "false, true or networks"),
        ("OS_TRUST_PROXY", "0.0.0.0/0", "forge"),
        ("HF_ENDPOINT", "ftp://x", "an address like"),
        ("OS_PRONUNCIATIONS", "/", "a file that can be read"),
        ("OS_LOCAL_MODELS", "local/mine", "name=path, or several"),
        ("OS_LOCAL_MODELS", "local/mine=", "name=path, or several"),
        ("OS_LOCAL_MODELS", "=/", "names like local/my-voice, which"),
        ("OS_LOCAL_MODELS", "../up=/", "names like local/my-voice, which"),
        ("OS_LOCAL_MODELS", "mine@main=/", "names like local/my-voice, which"),
        ("OS_LOCAL_MODELS", "mine=/,mine=/", "name each model once"),
        ("OS_LOCAL_MODELS", "mine=/not/there", "paths that exist, which"),
    ],
)
def test_a_wrong_value_is_one_sentence_with_name_value_and_rule(monkeypatch, name, value, allowed):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{name} is '{value}'; it must ")
    assert allowed in line


def test_local_models_are_paths_by_name(monkeypatch, tmp_path):
    assert Settings().local_models == {}
    voice = tmp_path / "a = b.onnx"
    voice.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(
        "OS_LOCAL_MODELS", f"local/voice={voice}, me:meeting = . ,local/home=~/a = b.onnx,"
    )
    assert load_settings().local_models == {
        "local/voice": voice,
        "me:meeting": tmp_path,
        "local/home": voice,
    }


def test_every_wrong_setting_is_named_at_once_by_the_name_in_use(monkeypatch):
    monkeypatch.setenv("STT_PORT", "x")
    monkeypatch.setenv("OS_QUEUE_SIZE", "0")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert [line.split()[0] for line in str(caught.value).splitlines()] == [
        "STT_PORT",
        "OS_QUEUE_SIZE",
    ]


def test_certificate_and_key_go_together(monkeypatch):
    monkeypatch.setenv("OS_SSL_CERTFILE", "/cert")
    with pytest.raises(ConfigurationError, match="must be set together"):
        load_settings()


@pytest.mark.parametrize("name", ["OS_API_KEY", "HF_TOKEN"])
def test_a_wrong_secret_is_not_shown(monkeypatch, name):
    monkeypatch.setenv(name, "canary secret\x1b")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    shown = f"{caught.value!r} {caught.value.__cause__!r}"
    assert name in shown
    assert "canary" not in shown
    assert caught.value.__suppress_context__


def test_secrets_are_not_in_the_repr():
    settings = Settings(os_api_key="canary-key", hf_token="canary-token")
    assert "canary" not in repr(settings) + str(settings) + str(settings.model_dump())
    assert settings.secrets == ("canary-key", "canary-token")


def test_a_home_is_needed_only_where_it_is_asked_for(monkeypatch):
    def no_home(path: str) -> str:
        return path

    monkeypatch.setattr(os.path, "expanduser", no_home)
    with pytest.raises(ConfigurationError, match=r"OS_MODEL_DIR.*no home directory"):
        load_settings()
    monkeypatch.setenv("OS_MODEL_DIR", "/weights")
    monkeypatch.setenv("OS_DATA_DIR", "/data")
    assert load_settings().os_model_dir == Path("/weights")


def test_variables_of_other_programs_are_not_read(monkeypatch):
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("HOST", "example")
    assert load_settings() == Settings()


def test_trusted_proxies():
    assert Settings().trusted_proxies == ()
    assert Settings(os_trust_proxy="True").trusted_proxies == PRIVATE_NETWORKS
    assert Settings(os_trust_proxy="10.1.0.0/16, ::1").trusted_proxies == (
        "10.1.0.0/16",
        "::1/128",
    )


@given(st.dictionaries(st.sampled_from([r.name.lower() for r in settings_table()]), st.text()))
def test_any_value_gives_settings_or_sentences(values):
    said = ""
    try:
        load_settings(**values)
    except ConfigurationError as error:
        said = str(error)
    assert all(line.endswith(".") for line in said.splitlines())


def test_options_of_providers_are_told_by_name(monkeypatch):
    monkeypatch.setenv("OS_OPTIONS__SOMEBODY__URL", "http://speaker.example:8080")
    monkeypatch.setenv("OS_OPTIONS__SOMEBODY__API_KEY", "0123456789")
    monkeypatch.setenv("OS_OPTIONS__SOMEBODY__BEAMS", "5")
    monkeypatch.setenv("os_options__somebody__warm", "True")
    monkeypatch.setenv("OS_OPTIONS__ANYBODY__SHARE", "0.5")
    settings = load_settings()
    assert settings.os_options == {
        "somebody": {
            "url": "http://speaker.example:8080",
            "api_key": "0123456789",
            "beams": 5,
            "warm": True,
        },
        "anybody": {"share": 0.5},
    }
    assert start_notices() == []


def test_keys_among_the_options_are_secrets(monkeypatch):
    monkeypatch.setenv("OS_OPTIONS__SOMEBODY__API_KEY", "geheim-geheim")
    settings = load_settings()
    assert "geheim-geheim" in settings.secrets
    assert "geheim" not in repr(settings)
    assert not any("geheim" in value for value in worker_environment().values())


@pytest.mark.parametrize(
    ("name", "value"), [("OS_OPTIONS", "geheim"), ("OS_OPTIONS__SOMEBODY", "geheim")]
)
def test_wrong_options_say_how_to_write_them(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match="OS_OPTIONS__PROVIDER__NAME") as caught:
        load_settings()
    assert "geheim" not in str(caught.value)


def test_accepted_licenses_are_listed(monkeypatch):
    monkeypatch.setenv("OS_ACCEPT_LICENSES", "CC-BY-NC-SA-4.0, LicenseRef-Other")
    assert load_settings().accepted_licenses == ("CC-BY-NC-SA-4.0", "LicenseRef-Other")
