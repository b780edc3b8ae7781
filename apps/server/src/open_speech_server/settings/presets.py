"""Voices with their settings under one name, from a file that the operator writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_BYTES = 1_000_000


class Preset(BaseModel):
    """A voice and how it speaks; what a request says itself goes first."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    voice: str | None = Field(None, max_length=256)
    model: str | None = Field(None, max_length=256)
    speed: float | None = Field(None, ge=0.25, le=4.0)
    language: str | None = Field(None, max_length=35)
    instructions: str | None = Field(None, max_length=10_000)
    volume: float = Field(1.0, gt=0.0, le=10.0)
    description: str | None = Field(None, max_length=1_000)


NO_PRESET = Preset.model_validate({})


def read_presets(path: Path) -> Mapping[str, Preset]:
    """Read a YAML file: a mapping of names under ``presets``, or a list of entries with ``name``.

    Raises ValueError, saying what is wrong where.
    """
    import yaml  # only where there is a file to read

    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"{path} is larger than {MAX_BYTES} bytes")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    entries = content.get("presets") if isinstance(content, dict) else content
    if isinstance(entries, list):
        entries = {_name(entry, path): entry for entry in entries}
    if not isinstance(entries, dict):
        raise ValueError(f"{path} has no mapping or list 'presets'")  # noqa: TRY004 - of the file
    return {str(name): _preset(str(name), entry, path) for name, entry in entries.items()}


def _name(entry: object, path: Path) -> str:
    if not isinstance(entry, dict) or not entry.get("name"):
        raise ValueError(f"{path}: every entry of the list needs a 'name'")
    return str(entry["name"])


def _preset(name: str, entry: object, path: Path) -> Preset:
    if not isinstance(entry, dict):
        raise ValueError(f"{path}: the preset {name!r} is no mapping")  # noqa: TRY004
    try:
        return Preset.model_validate({key: entry[key] for key in entry if key != "name"})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{path}: the preset {name!r}, {where}: {first['msg']}") from None
