"""The settings of other servers as ours."""

from __future__ import annotations

import pytest

from open_speech_server.settings.compat import COMPAT, translate
from open_speech_server.settings.settings import ConfigurationError, load_settings


@pytest.mark.parametrize(
    ("server", "given", "ours"),
    [
        ("speaches", {}, {"os_port": 8000, "os_ssl_enabled": False, "os_preload": False}),
        ("kokoro", {}, {"os_port": 8880, "os_ssl_enabled": False, "os_preload": True}),
        (
            "speaches",
            {
                "UVICORN_PORT": "9000",
                "UVICORN_HOST": "127.0.0.1",
                "API_KEY": "secret",
                "STT_MODEL_TTL": "-1",
                "ALLOW_ORIGINS": '["http://a.example", "http://b.example"]',
                "LOG_LEVEL": "CRITICAL",
                "WHISPER__INFERENCE_DEVICE": "auto",
                "WHISPER__COMPUTE_TYPE": "float16",
                "CHAT_COMPLETION_BASE_URL": "http://llm.example/v1",
                "PRELOAD_MODELS": '["Systran/faster-whisper-tiny", "speaches-ai/piper-en_US-a"]',
            },
            {
                "os_port": 9000,
                "os_host": "127.0.0.1",
                "api_key": "secret",
                "os_compat_keep_alive_s": -1,
                "os_model_ttl": 300,
                "cors_origins": ("http://a.example", "http://b.example"),
                "os_log_level": "error",
                "stt_device": "cpu",
                "stt_compute_type": "float16",
                "os_llm_base_url": "http://llm.example/v1",
                "downloaded_models": ("Systran/faster-whisper-tiny", "piper/en_US-a"),
            },
        ),
        (
            "kokoro",
            {
                "PORT": "81",
                "DEFAULT_VOICE": "af_sky",
                "DEVICE_TYPE": "mps",
                "ALLOW_DEV_UNLOAD": "true",
                "ENABLE_SSML": "false",
                "CORS_ORIGINS": '["*"]',
            },
            {
                "os_port": 81,
                "tts_voice": "af_sky",
                "tts_device": "cpu",
                "compat_allowed": ("voice-tags", "unload"),
                "cors_origins": ("*",),
            },
        ),
        ("kokoro", {"PORT": "81", "OS_PORT": "82"}, {"os_port": 82}),  # our own name wins
        ("kokoro", {"ENABLE_SSML": "no", "ENABLE_VOICE_TAGS": "0"}, {"compat_allowed": ()}),
    ],
)
def test_variables_mean_what_they_mean_there(monkeypatch, server, given, ours):
    for name, value in {"OS_COMPAT": server, **given}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert {name: getattr(settings, name) for name in ours} == ours


def test_they_mean_nothing_otherwise(monkeypatch):
    monkeypatch.setenv("PORT", "81")
    monkeypatch.setenv("DEFAULT_VOICE", "af_sky")
    settings = load_settings()
    assert (settings.os_port, settings.os_compat) == (8100, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [("OS_COMPAT", "localai"), ("OS_COMPAT_ALLOW", "everything"), ("OS_MODEL_ALIASES", "a"),
     ("OS_MODEL_ALIASES", "a=b,a=c")],
)  # fmt: skip
def test_what_is_wrong_is_named(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name):
        load_settings()


@pytest.mark.parametrize("server", sorted(COMPAT))
def test_what_means_nothing_here_is_told(server):
    found = translate(server, {"enable_ui": "true", "enable_web_player": "true", "path": "/bin"})
    assert found.notes == ["The web page is always served, and needs no address of its own."]


def test_one_time_holds_for_all_models():
    found = translate("speaches", {"stt_model_ttl": "60", "tts_model_ttl": "90"})
    assert found.settings["os_compat_keep_alive_s"] == "60"
    assert "90 is left out" in found.notes[0]
