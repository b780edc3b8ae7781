"""Checks of the machine: interpreter, folders, disk, graphics processor."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .. import graphics
from ..settings.settings import Settings
from .check_result import CheckResult, ok, warning, wrong
from .console import size

OLDEST = (3, 11)
SCARCE_BYTES = 2 * 10**9
"""Less free space than that does not hold every model of the usual sizes."""
TOO_LITTLE_BYTES = 100 * 10**6


def interpreter() -> CheckResult:
    """Python itself."""
    text = f"Python {platform.python_version()}, {platform.machine()}, {sys.executable}"
    if sys.version_info[:2] < OLDEST or sys.maxsize < 2**32:
        return wrong("python", text, "Install a 64-bit Python 3.11 or newer.")
    return ok("python", text)


def folders(settings: Settings) -> Iterator[CheckResult]:
    """The folders for weights and for everything else can be written."""
    yield _folder("models", settings.os_model_dir, "OS_MODEL_DIR")
    yield _folder("data", settings.os_data_dir, "OS_DATA_DIR")


def _folder(subject: str, folder: Path, variable: str) -> CheckResult:
    place = existing(folder)
    fix = f"Give the folder to this user, or point {variable} to another one."
    kept = " What is there already can be used."
    if not place.is_dir():
        return wrong(subject, f"{place} is no folder", fix)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        owner = f", which belongs to user id {place.stat().st_uid}" if hasattr(os, "getuid") else ""
        us = f"user id {os.getuid()}" if hasattr(os, "getuid") else "this user"
        return wrong(subject, f"{us} cannot write to {place}{owner}: {error.strerror}", fix + kept)
    return ok(subject, f"{folder}{'' if place == folder else ' (made when it is needed)'}")


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def disk(settings: Settings) -> Iterator[CheckResult]:
    """There is space for models."""
    place = existing(settings.os_model_dir)
    free = shutil.disk_usage(place).free
    text = f"{size(free)} free at {place}"
    if free < TOO_LITTLE_BYTES:
        yield wrong("disk", text, "Free some space, or point OS_MODEL_DIR to a larger disk.")
    elif free < SCARCE_BYTES:
        yield warning(
            "disk",
            text,
            "Large models will not fit; set OS_MODEL_DIR to a folder on a larger disk.",
        )
    else:
        yield ok("disk", text)


def gpu(settings: Settings) -> Iterator[CheckResult]:
    """Whether there is a graphics processor, and whether one is asked for."""
    wanted = [
        name
        for name, device in (("STT", settings.stt_device), ("TTS", settings.tts_device))
        if device.startswith("cuda")
    ]
    found = "; ".join(graphics.described()) or ("one at /dev/nvidia0" if graphics.nodes() else "")
    if found:
        yield ok("gpu", found if wanted else f"{found}; not used, as the devices are cpu")
    elif wanted:
        names = " and ".join(f"{name}_DEVICE" for name in wanted)
        yield wrong(
            "gpu",
            f"{names} asks for cuda, and this machine shows no NVIDIA processor",
            f"Install its driver (in a container: pass the GPU through), or set {names}=cpu.",
        )
    else:
        yield ok("gpu", "none by NVIDIA is visible; the devices are cpu")
