"""Memory that goes back to the system."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

_LEFT = """
import sys
from pathlib import Path
from open_speech_provider_kokoro._leftovers import give_back

def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

blocks = [bytes(50_000) for _ in range(4_000)]
blocks = [block for place, block in enumerate(blocks) if place % 100 == 0]  # holes, no end
before = held()
give_back()
assert before - held() > 100e6, (before, held())
"""


@pytest.mark.skipif(
    not Path("/proc/self/statm").exists() or platform.libc_ver()[0] != "glibc" or
    os.sysconf("SC_PAGE_SIZE") != 4096,
    reason="only glibc gives memory back",
)  # fmt: skip
def test_what_was_freed_goes_back() -> None:
    subprocess.run([sys.executable, "-c", _LEFT], check=True, timeout=120)
