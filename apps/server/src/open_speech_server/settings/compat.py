"""Settings of the servers that this one can stand in for, as settings of its own."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
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


def translate(server: str, environment: Mapping[str, str]) -> Translation:
    """Read another server's variables (their names in lower case).

    ``server`` is a table of ``compat.toml``, which says what each of them means. Those that mean
    nothing here are noted; those of others (``PATH``) are passed over.
    """
    found = Translation(settings=dict(COMPAT[server]["settings"]))
    for name, meaning in COMPAT[server]["variables"].items():
        if value := environment.get(name, "").strip():
            _take(server, meaning, value, found)
    return found


def our_model(server: str, name: str) -> str:
    """Our name of a model of another server; any other name stays."""
    for theirs, ours in COMPAT[server]["models_here"].items():
        if theirs == name:
            return str(ours)
        if theirs.endswith("*") and name.startswith(theirs[:-1]):
            rest = name[len(theirs) - 1 :] if ours.endswith("*") else ""
            return str(ours).removesuffix("*") + rest
    return name


def _take(server: str, meaning: Mapping[str, Any], value: str, found: Translation) -> None:
    """Take one variable over as its meaning says."""
    if setting := meaning.get("setting"):
        value = meaning.get("words", {}).get(value.lower(), value)
        if value:
            found.settings[setting] = value
    elif setting := meaning.get("list"):
        items = _items(value)
        if meaning.get("models"):
            items = [our_model(server, item) for item in items]
        found.settings[setting] = ",".join(items)
    elif setting := meaning.get("first"):
        given = found.settings.setdefault(setting, value)
        if given != value:
            _note(found, meaning["note"].format(given=given, value=value))
    elif word := meaning.get("allow"):
        _allow(word, found, is_on=_is_on(value))
    elif not meaning.get("if_on") or _is_on(value):
        _note(found, meaning["note"])


def _items(value: str) -> list[str]:
    """A list as JSON, or with commas."""
    try:
        items = json.loads(value)
    except ValueError:
        items = value.split(",")
    return [str(item).strip() for item in (items if isinstance(items, list) else [items])]


def _allow(word: str, found: Translation, *, is_on: bool) -> None:
    """Add a word to what is allowed, or take it away."""
    allowed = found.settings.get("os_compat_allow", f"{VOICE_TAGS},{SSML}").split(",")
    words = [each for each in allowed if each not in ("", "none", word)] + [word] * is_on
    found.settings["os_compat_allow"] = ",".join(words) or "none"


def _is_on(value: str) -> bool:
    return value.lower() in {"1", "true", "yes", "on", "t", "y"}


def _note(found: Translation, sentence: str) -> None:
    if sentence not in found.notes:
        found.notes.append(sentence)
