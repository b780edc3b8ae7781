"""Memory that work took is given back."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from open_speech._plugins.backends import LoadContext
from open_speech._types.speech import SpeechRequest
from open_speech._worker.heap import LARGE_BYTES, Idle
from open_speech._worker.protocol import Call, End, Load
from open_speech._worker.runner import Runner
from open_speech._worker.serialization import Payload
from open_speech.testing import install_provider
from open_speech.testing.tone import ToneBackend

HOARD = """
import numpy as np
from open_speech._worker.heap import trim

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

pieces = [np.ones(100_000, np.uint8) for _ in range(2_000)]  # below what glibc maps by itself
kept = pieces[-1]
del pieces
before = resident()
trim()
print(before - resident())
"""

LARGE = """
import sys
import numpy as np
from open_speech._worker import heap

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

heap.configure(arenas=2)
size = int(sys.argv[1])
np.ones(size, np.uint8)  # freed: from now on glibc would take such pieces from the heap
piece = np.ones(size, np.uint8)
kept = [np.ones(100_000, np.uint8) for _ in range(10)]  # behind it
before = resident()
del piece
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what glibc keeps is measured on Linux")
@pytest.mark.parametrize("size", [LARGE_BYTES, 2 * LARGE_BYTES, 4 * LARGE_BYTES - 100_000])
def test_large_pieces_go_back_whatever_was_freed_before(size):
    found = subprocess.run(
        [sys.executable, "-c", LARGE, str(size)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert int(found.stdout) > 0.9 * size


@pytest.mark.skipif(sys.platform != "linux", reason="what glibc keeps is measured on Linux")
def test_what_lies_free_between_pieces_in_use_goes_back():
    found = subprocess.run(
        [sys.executable, "-c", HOARD], capture_output=True, text=True, check=True, timeout=120
    )
    assert int(found.stdout) > 100e6


def test_it_is_done_once_nothing_happens():
    done = threading.Event()
    idle = Idle(done.set, after_s=0.01)
    idle.begins()
    assert done.wait(60)


def test_it_is_not_done_while_something_happens():
    done = threading.Event()
    before = set(threading.enumerate())
    idle = Idle(done.set, after_s=3600)
    idle.begins()
    (timer,) = set(threading.enumerate()) - before
    idle.ends()
    timer.join(60)
    assert not timer.is_alive()
    assert not done.is_set()


def test_a_model_that_nobody_asks_is_tidied(site):
    install_provider(site, "tone", "open_speech.testing.tone")
    (info, *_), tidied, ended = ToneBackend().list_available(), threading.Event(), threading.Event()

    def emit(message: object) -> None:
        if isinstance(message, End):
            ended.set()

    runner = Runner(emit, Idle(tidied.set, after_s=0.01))
    runner.load(Load(provider="tone", backend="tone", model=info, context=LoadContext()))
    assert not tidied.is_set()
    request = SpeechRequest(text="one", voice=info.voices[0].id)
    runner.start(Call(call=1, operation="synthesize", request=Payload(request)))
    assert ended.wait(60)
    assert tidied.wait(60)
    runner.close()
