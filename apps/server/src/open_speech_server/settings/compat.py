"""Settings of the servers that this one can stand in for, as settings of its own."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from typing import Any

COMPAT: dict[str, Any] = tomllib.loads(
    resources.files("open_speech_server").joinpath("compat.toml").read_text(encoding="utf-8")
)
"""The data file with the other servers: what their names mean here."""

VOICE_TAGS, SSML, UNLOAD, DEBUG = "voice-tags", "ssml", "unload", "debug"
ALLOWABLE = (VOICE_TAGS, SSML, UNLOAD, DEBUG)
"""What ``OS_COMPAT_ALLOW`` may list."""


@dataclass
class Translation:
    """What the environment of another server means here."""

    settings: dict[str, str] = field(default_factory=dict)
    """Values by the names of our settings, in lower case."""
    notes: list[str] = field(default_factory=list)
    """What else changes, a sentence each."""
    used: list[str] = field(default_factory=list)
    """Variables that were understood, in upper case."""


Rule = Callable[[str, Translation], None]


def translate(server: str, environment: Mapping[str, str]) -> Translation:
    """Read another server's variables (their names in lower case).

    ``server`` is a table of ``compat.toml``. Variables that mean nothing here are noted; those of
    others (``PATH``) are passed over.
    """
    found = Translation(settings=dict(COMPAT[server]["settings"]))
    for name, rule in _RULES[server].items():
        if value := environment.get(name, "").strip():
            found.used.append(name.upper())
            rule(value, found)
    return found


def our_model(server: str, name: str) -> str:
    """Our name of a model of another server; any other name stays."""
    for theirs, ours in COMPAT[server].get("models_here", {}).items():
        if theirs == name:
            return str(ours)
        if theirs.endswith("*") and name.startswith(theirs[:-1]):
            rest = name[len(theirs) - 1 :] if ours.endswith("*") else ""
            return str(ours).removesuffix("*") + rest
    return name


def _to(setting: str, **words: str) -> Rule:
    """Take the value over; ``words`` are values that have another name, or none, here."""

    def rule(value: str, found: Translation) -> None:
        meant = words.get(value.lower(), value)
        if meant:
            found.settings[setting] = meant

    return rule


def _list_to(setting: str, meant: Callable[[str], str] = str.strip) -> Rule:
    def rule(value: str, found: Translation) -> None:
        try:
            items = json.loads(value)
        except ValueError:
            items = value.split(",")
        if not isinstance(items, list):
            items = [items]
        found.settings[setting] = ",".join(meant(str(item).strip()) for item in items)

    return rule


def _keep_alive(value: str, found: Translation) -> None:
    given = found.settings.setdefault("os_compat_keep_alive_s", value)
    if given != value:
        found.notes.append(
            f"All models stay loaded for {given} seconds after their last request: one time holds "
            f"for every kind of model, and {value} is left out."
        )


def _allow(word: str) -> Rule:
    """A switch: on adds the word to what is allowed, off takes it away."""

    def rule(value: str, found: Translation) -> None:
        allowed = found.settings.get("os_compat_allow", f"{VOICE_TAGS},{SSML}").split(",")
        is_on = value.lower() in {"1", "true", "yes", "on", "t", "y"}
        words = [each for each in allowed if each and each != word] + [word] * is_on
        found.settings["os_compat_allow"] = ",".join(words) or "none"

    return rule


def _note(sentence: str) -> Rule:
    def rule(_value: str, found: Translation) -> None:
        if sentence not in found.notes:
            found.notes.append(sentence)

    return rule


def _gpu(value: str, found: Translation) -> None:
    if value.lower() in {"1", "true", "yes", "on", "t", "y"}:
        found.notes.append(
            "Models run on the CPU until TTS_DEVICE=cuda is set; the image for GPUs has what that "
            "needs."
        )


_LEVELS = {"trace": "debug", "success": "info", "critical": "error"}
_TRACING = _note("Traces are not exported; /metrics has figures for Prometheus.")
_PAGE = _note("The web page is always served, and needs no address of its own.")
_TEMPORARY = _note(
    "The files of download links have limits of this server's own: 100 files, 256 MiB, an hour."
)
_CHUNKS = _note("Texts are cut at sentences, by the length that the model asks for.")

_RULES: dict[str, dict[str, Rule]] = {
    "speaches": {
        "uvicorn_host": _to("os_host"),
        "uvicorn_port": _to("os_port"),
        "api_key": _to("os_api_key"),
        "allow_origins": _list_to("os_cors_origins"),
        "log_level": _to("os_log_level", **_LEVELS),
        "whisper__inference_device": _to("stt_device", auto=""),
        "whisper__compute_type": _to("stt_compute_type", default=""),
        "whisper__cpu_threads": _to("os_threads"),
        "chat_completion_base_url": _to("os_llm_base_url"),
        "chat_completion_api_key": _to("os_llm_api_key"),
        "preload_models": _list_to("os_download_models", partial(our_model, "speaches")),
        "stt_model_ttl": _keep_alive,
        "tts_model_ttl": _keep_alive,
        "vad_model_ttl": _note(
            "The model for voice activity takes 2 MB; it has no time of its own."
        ),
        "enable_ui": _PAGE,
        "loopback_host_url": _PAGE,
        "otel_exporter_otlp_endpoint": _TRACING,
        "otel_service_name": _TRACING,
    },
    "kokoro": {
        "host": _to("os_host"),
        "port": _to("os_port"),
        "default_voice": _to("tts_voice"),
        "default_voice_code": _note("A language is named by each request, or by its voice."),
        "device_type": _to("tts_device", mps="cpu"),
        "use_gpu": _gpu,
        "cors_origins": _list_to("os_cors_origins"),
        "api_log_level": _to("os_log_level", **_LEVELS),
        "enable_voice_tags": _allow(VOICE_TAGS),
        "enable_ssml": _allow(SSML),
        "allow_dev_unload": _allow(UNLOAD),
        "enable_debug_endpoints": _allow(DEBUG),
        "allow_local_voice_saving": _note(
            "Blends are spoken by their expression; none is saved as a file."
        ),
        "default_volume_multiplier": _note("A volume is set by each request, or by a preset."),
        "enable_web_player": _PAGE,
        "temp_file_dir": _TEMPORARY,
        "max_temp_dir_size_mb": _TEMPORARY,
        "max_temp_dir_age_hours": _TEMPORARY,
        "max_temp_dir_count": _TEMPORARY,
        "target_min_tokens": _CHUNKS,
        "target_max_tokens": _CHUNKS,
        "absolute_max_tokens": _CHUNKS,
    },
}
