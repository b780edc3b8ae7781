"""For all tests of the repository."""

import os
import signal

import pytest
from hypothesis import settings

# No test has a threshold of time: an example takes as long as a busy machine makes it take.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Processes for `-n auto`: half as many again as cores, because tests wait for others, too."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None  # which pytest-xdist reads
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(2, (cores or 1) * 3 // 2)


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that put the tests into the background had them ignore Ctrl-C, and with them every
    # command that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
