"""How long the server takes to start, and what it holds while it does nothing.

From the start of the process to a 200 on /health, with every installed provider: cold (nothing is
known of the providers yet) and warm; beside a bare FastAPI app that imports the same libraries.

    nox -s bench -- startup [--rounds 7]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from _measure import (
    EMBEDDED,
    NO_MODELS,
    Figures,
    Server,
    environment,
    free_port,
    own_megabytes,
    running,
    server,
    tree_megabytes,
)

BARE = Path(__file__).with_name("_bare_app.py")
IMPORTED = """
import sys
import open_speech_server.serve
found = {name.partition(".")[0] for name in sys.modules}
print(*sorted(name for name in found - set(sys.stdlib_module_names)
              if not name.startswith(("_", "open_speech")) and name in sys.modules))
"""
OBJECTS = """
import gc, json, sys
from open_speech_server.app import create_api
from open_speech_server.settings.settings import load_settings
api = create_api(load_settings())
gc.collect()
objects = len(gc.get_objects())
gc.freeze()
print(json.dumps([objects, len(gc.get_objects()), len(sys.modules)]))
"""
Start = Callable[[], AbstractContextManager[Server]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    libraries = _python(IMPORTED).split()
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder)
        starts: dict[str, Start] = {
            "bare FastAPI app, same libraries": partial(_bare, libraries, warm),
            "server, providers known": partial(server, NO_MODELS, folder=warm, path=None),
            "server, first start": partial(server, NO_MODELS, path=None),
            "server with its models": partial(server, EMBEDDED, folder=warm, path=None),
        }
        _show_times(starts, rounds)
        _show_memory(starts)


def _show_times(starts: dict[str, Start], rounds: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in starts}
    for number in range(rounds + 1):
        for name, start in starts.items():
            taken = _until_health(start)
            if number:  # the first round compiles and fills the page cache
                times[name].append(taken)
    table = Figures("From start to healthy, ms", ("what", "best", "median"))
    for name, values in times.items():
        table.timings(name, times=values)
    table.show()


def _show_memory(starts: dict[str, Start]) -> None:
    table = Figures("Idle, resident MB", ("what", "server", "with its workers"))
    for name, start in starts.items():
        with start() as started:
            started.wait("/health/ready" if "models" in name else "/health")
            time.sleep(2)  # let it come to rest
            table.add(name, own_megabytes(started.process.pid), tree_megabytes(started.process.pid))
    table.show()
    objects, walked, modules = json.loads(_python(OBJECTS))
    table = Figures("Objects of the server's process", ("what", "count"))
    table.add("objects that the collector knows", objects)
    table.add("objects walked by a collection after the start", walked)
    table.add("modules", modules)
    table.show()


def _bare(libraries: list[str], folder: Path) -> AbstractContextManager[Server]:
    port = free_port()
    return running([str(BARE), str(port), *libraries], {}, folder, port)


def _until_health(start: Start) -> float:
    began = time.perf_counter()
    with start() as started:
        started.wait("/health", pause_s=0.005)
        return 1000 * (time.perf_counter() - began)


def _python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=environment(), stdout=subprocess.PIPE, text=True, check=True
    ).stdout


if __name__ == "__main__":
    main()
