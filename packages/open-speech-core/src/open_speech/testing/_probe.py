"""Import a backend in a fresh interpreter and report what that did to the process.

Run by ``_purity.probe`` as a child process; the report goes to the file named last.
"""

from __future__ import annotations

import importlib
import json
import locale
import os
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

CODE_SUFFIXES = (".py", ".pyc", ".so", ".pyd", ".pth")
"""What the import system itself opens."""
_IO_EVENTS = ("os.listdir", "os.scandir", "os.walk", "glob.glob", "os.mkdir", "os.remove")
_PROCESS_EVENTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.system", "os.exec", "os.spawn")
# Events, because the parent has imported the provider too: the child may inherit what it changed.
_STATE_EVENTS = {
    "os.putenv": "environment",
    "os.unsetenv": "environment",
    "os.chdir": "folder",
}


class Watch:
    """Collects audit events; nothing can be taken out of an interpreter's audit hooks again."""

    def __init__(self) -> None:
        self.phase = ""
        self.events: dict[str, list[str]] = {
            "import": [],
            "catalogue": [],
            "environment": [],
            "folder": [],
        }
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        phase = self.phase
        if not phase:
            return
        if event == "open":
            path, mode, flags = (*arguments, None, 0)[:3]
            self._see_open(phase, path, mode, flags)
        elif event in _STATE_EVENTS:
            self._note(_STATE_EVENTS[event], event, arguments)
        elif event.startswith("socket.") and event != "socket.gethostname":
            self._note(phase, event, arguments[1:])
        elif event.startswith(_PROCESS_EVENTS) or (phase == "catalogue" and event in _IO_EVENTS):
            self._note(phase, event, arguments[:1])

    def _see_open(self, phase: str, path: object, mode: object, flags: object) -> None:
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, (str, os.PathLike)) or str(path).endswith(CODE_SUFFIXES):
            return
        access = flags & os.O_ACCMODE if isinstance(flags, int) else 0
        if access != os.O_RDONLY or phase == "catalogue":
            self._note(phase, "open", (str(path), mode))

    def _note(self, phase: str, event: str, arguments: tuple[Any, ...]) -> None:
        if len(self.events[phase]) < 20:
            self.events[phase].append(f"{event}{arguments!r}"[:300])


def process_state() -> dict[str, Any]:
    """What belongs to the whole process and no provider may change."""
    return {
        "signals": {int(number): repr(signal.getsignal(number)) for number in _signals()},
        "locale": locale.setlocale(locale.LC_ALL),
        "threads": threading.active_count(),
        "path": list(sys.path),
    }


def _signals() -> list[signal.Signals]:
    return sorted(signal.valid_signals() & set(signal.Signals))


def examine(module: str, qualname: str) -> dict[str, Any]:
    """Import, make the backend, ask it for its catalogue; report what was seen."""
    modules, state, watch = set(sys.modules), process_state(), Watch()
    report: dict[str, Any] = {"error": None}
    try:
        watch.phase = "import"
        backend: Any = importlib.import_module(module)
        for part in qualname.split("."):
            backend = getattr(backend, part)
        watch.phase = "catalogue"
        made = backend()
        made.list_available()
        list(made.patterns)
    except BaseException:
        report["error"] = traceback.format_exc()
    watch.phase = ""
    report["changes"] = _changes(state, process_state()) | {
        what: ", ".join(watch.events[what])
        for what in ("environment", "folder")
        if watch.events[what]
    }
    report["modules"] = sorted(set(sys.modules) - modules)
    report["events"] = watch.events
    return report


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    changes = {}
    for what, old in before.items():
        new = after[what]
        if old == new:
            continue
        if isinstance(old, dict):
            keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
            changes[what] = ", ".join(f"{key}: {old.get(key)} -> {new.get(key)}" for key in keys)
        else:
            changes[what] = f"{old} -> {new}"
    return changes


def main(path: str, module: str, qualname: str, report: str) -> None:
    """Take over the path of the parent, examine, and write the report as JSON."""
    sys.path[:] = json.loads(path)
    # An ignored signal is inherited.
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Loaded beforehand: what core itself imports is not the provider's doing.
    importlib.import_module("open_speech._plugins.hookspecs")
    Path(report).write_text(json.dumps(examine(module, qualname)), encoding="utf-8")
