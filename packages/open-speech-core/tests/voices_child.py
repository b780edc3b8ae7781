"""A process that writes to a voice library, for tests that kill it or make it wait.

``write ROOT``: for each line "VERB NAME STEP" a child adds, replaces or deletes the voice, or gives
the one consent that name, and kills itself as it begins that step of those that the disk sees.
Prints how it ended. ``hold ROOT``: holds the lock until a line comes.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from open_speech._files.lock import FileLock
from open_speech.testing.sound import sine
from open_speech.voices.library import VoiceLibrary


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Killer:
    """Counts the steps, and ends the process without a word at one of them."""

    def __init__(self, last: int) -> None:
        self.left = last

    def watch(self, owner: object, name: str) -> None:
        """Count the calls of a function."""
        function: Callable[..., Any] = getattr(owner, name)

        def counting(*args: Any, **options: Any) -> Any:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)

        setattr(owner, name, counting)


def work(root: Path, verb: str, name: str, step: int) -> None:
    killer = Killer(step)
    for function in ("open", "fdopen", "fsync"):
        killer.watch(os, function)
    for method in ("replace", "unlink"):
        killer.watch(Path, method)
    library = VoiceLibrary(root)
    if verb == "rename":
        library.rename_consent(library.consents()[0].id, name)
    elif verb == "delete":
        library.delete_voice(name)
    else:
        sound = sine(1.0, sample_rate=24_000)
        library.add_voice(sound, name=name, replacing=verb == "replace")


def write(root: Path) -> None:
    for line in sys.stdin:
        verb, name, step = line.split()
        child = os.fork()
        if child == 0:
            work(root, verb, name, int(step))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        say("ended" if status == 0 else "killed")


def hold(root: Path) -> None:
    with FileLock(root / ".lock") as lock:
        assert lock.try_acquire()
        say("holding")
        sys.stdin.readline()


if __name__ == "__main__":
    {"write": write, "hold": hold}[sys.argv[1]](Path(sys.argv[2]))
