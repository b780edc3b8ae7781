"""A project to begin a provider with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from .exits import Failure

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
"""A provider's name: what stands before the colon of a model's name."""
KINDS = {"tts": "TTS", "stt": "STT", "vad": "VAD", "turn": "Turn", "diarization": "Diarization"}
"""Kinds of backend -> how the names of their classes begin."""
_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "gitignore": ".gitignore",
    "init.py": "src/{module}/__init__.py",
    "{kind}_backend.py": "src/{module}/backend.py",
    "{kind}_model.py": "src/{module}/model.py",
    "test_conformance.py": "tests/test_conformance.py",
}
"""Template -> where it goes."""


def write_project(name: str, kind: str, parent: Path) -> Path:
    """Write the project of a new provider into a folder of its own; return that folder.

    ``kind`` is one of ``KINDS``. Raises Failure for a name that cannot be one, or for a folder
    that is there already.
    """
    if not NAME.fullmatch(name) or len(name) > 40:
        raise Failure(
            f"{name!r} cannot be a provider's name: write up to 40 small letters and digits, with "
            "single hyphens between them, such as 'my-engine'."
        )
    module = f"open_speech_provider_{name.replace('-', '_')}"
    folder = parent / f"open-speech-provider-{name}"
    if folder.exists():
        raise Failure(f"{folder} is there already. Choose another name, or another place.")
    title = " ".join(part.capitalize() for part in name.split("-"))
    values = {
        "name": name,
        "module": module,
        "title": title,
        "Title": title.replace(" ", ""),
        "KIND": KINDS[kind],
    }
    for template, place in _FILES.items():
        target = folder / place.format(module=module)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_filled(template.format(kind=kind), values), encoding="utf-8")
    (folder / "src" / module / "py.typed").touch()
    return folder


def _filled(template: str, values: Mapping[str, str]) -> str:
    source = resources.files("open_speech_server").joinpath("template", f"{template}.txt")
    text = source.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace("{{" + name + "}}", value)
    return text
