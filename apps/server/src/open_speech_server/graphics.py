"""The graphics processors of this machine, as their driver shows them: no engine is asked."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

NODES = Path("/dev")
"""Where Linux shows a processor to those who may use it: in a container, those handed over."""
ASK_TIMEOUT_S = 10.0


def nodes() -> int:
    """How many processors there are as device files; 0 on other systems than Linux, and on WSL."""
    return sum(bool(re.fullmatch(r"nvidia\d+", path.name)) for path in NODES.glob("nvidia*"))


def described() -> tuple[str, ...]:
    """What the driver says of each: name, memory, its version. Empty where it cannot be asked."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    fields = "--query-gpu=name,memory.total,driver_version"
    try:
        asked = subprocess.run(
            [command, fields, "--format=csv,noheader"],
            capture_output=True, text=True, timeout=ASK_TIMEOUT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ()
    lines = asked.stdout.strip().splitlines()
    return tuple(lines) if asked.returncode == 0 else ()


@cache
def devices() -> tuple[str, ...]:
    """What models can be loaded on: ``cpu``, ``cuda``, and ``cuda:1`` and so on beside it.

    Found out once. Call it in a thread: a driver takes its time.
    """
    count = nodes() or len(described())
    further = (f"cuda:{number}" for number in range(1, count))
    return ("cpu", *(["cuda"] if count else []), *further)
