"""Running pip (and uv, where it saves time) with progress and cancellation."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ._failures import failure
from ._interpreter import clean_environ
from ._records import normalise
from ._requests import Request

_LINES_KEPT = 400
_GRACE_S = 5.0
_TOLD = re.compile(r"(Collecting|Processing|Downloading|Building|Installing|Uninstalling) .*")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One distribution that pip would install, or has installed."""

    name: str
    """Normalised."""
    version: str
    url: str
    sha256: str | None
    requested: bool
    """Asked for by the caller, not only required by something else."""
    requires: tuple[str, ...] = ()
    """Its requirements as its metadata writes them."""

    @property
    def wheel(self) -> bool:
        """Ready to be unpacked: nothing to build."""
        return urlsplit(self.url).path.endswith(".whl")


class Pip:
    """Pip for one environment; ``command`` is what to put before ``install``."""

    def __init__(self, command: Sequence[str | Path], python: Path) -> None:
        self._command = [str(part) for part in command]
        self._python = python

    def resolve(self, request: Request, *options: str) -> list[Planned]:
        """What an installation would put into the environment; changes nothing."""
        return self._install(request, "--dry-run", *options)

    def install(self, request: Request, *options: str) -> list[Planned]:
        """Install; returns what was installed, empty if all was there."""
        return self._install(request, *options)

    def uninstall(self, names: Sequence[str]) -> None:
        """Remove distributions, not what they required. Cannot be cancelled."""
        if names:
            request = Request(requirement=", ".join(names))
            run([*self._command, "uninstall", "--yes", *names], request)

    def install_with_uv(self, uv: str, planned: Sequence[Planned], request: Request) -> bool:
        """Unpack what pip resolved, several at a time; False if uv cannot.

        uv itself would not see the base environment's packages: it looks into a virtual
        environment's own folder and nowhere else.
        """
        if not all(item.wheel for item in planned):
            return False
        request.tell(f"Installing {len(planned)} packages with uv")
        with _temporary_file("\n".join(_pinned(item) for item in planned)) as listing:
            command = [uv, "pip", "install", "--no-deps", "--no-index", "--compile-bytecode"]
            command += ["--python", str(self._python), "--requirement", str(listing)]
            return _run(command, request)[0] == 0

    def _install(self, request: Request, *options: str) -> list[Planned]:
        constraints = "\n".join(request.constraints)
        with _temporary_file("") as report, _temporary_file(constraints) as constraint:
            command = [*self._command, "install", "--no-input", "--progress-bar", "off"]
            command += ["--report", str(report), *options]
            if request.upgrade:
                command.append("--upgrade")
            if request.constraints:
                command += ["--constraint", str(constraint)]
            run([*command, *request.arguments], request)
            return _read_report(report)


def find_uv(python: Path) -> str | None:
    """uv, beside the interpreter or on the path."""
    return shutil.which("uv", path=str(python.parent)) or shutil.which("uv")


def run(command: Sequence[str], request: Request) -> None:
    """Run an installer to its end; raises InstallFailed or InstallCancelled."""
    status, lines = _run(command, request)
    if status != 0:
        raise failure(request.requirement, lines)


def _run(command: Sequence[str], request: Request) -> tuple[int, list[str]]:
    lines: deque[str] = deque(maxlen=_LINES_KEPT)
    with _started(command, request) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if _TOLD.match(lines[-1].strip()):
                request.tell(lines[-1].strip())
        process.wait()
    request.stop_if_cancelled()
    return process.returncode, list(lines)


@contextmanager
def _started(command: Sequence[str], request: Request) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own, which is gone with all its children at the end."""
    process = subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_environ(),
        start_new_session=True,
        pass_fds=request.held,
    )
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process, request.cancelled, ended))
    watcher.start()
    try:
        yield process
    finally:
        _stop(process)
        ended.set()
        watcher.join()
        if process.stdout is not None:
            process.stdout.close()


def _watch(
    process: subprocess.Popen[str], cancelled: threading.Event | None, ended: threading.Event
) -> None:
    while cancelled is not None and not ended.wait(0.1):
        if cancelled.is_set():
            _stop(process)
            return


def _stop(process: subprocess.Popen[str]) -> None:
    """Interrupt, so that pip clears its temporary folders, then kill."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is not None:
            return
        try:
            os.killpg(process.pid, number)
            process.wait(_GRACE_S)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def _environ() -> dict[str, str]:
    """Variables for an installer: settings such as the index hold, but not where to install."""
    environ = clean_environ(os.environ)
    for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN"):
        environ.pop(name, None)
    return environ | {
        "PIP_USER": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONUNBUFFERED": "1",
        "NO_COLOR": "1",
    }


def _read_report(path: Path) -> list[Planned]:
    """Pip's installation report (format 1)."""
    text = path.read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = json.loads(text)["install"] if text else []
    return [
        Planned(
            name=normalise(entry["metadata"]["name"]),
            version=entry["metadata"]["version"],
            url=entry["download_info"]["url"],
            sha256=entry["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256"),
            requested=entry["requested"],
            requires=tuple(entry["metadata"].get("requires_dist", ())),
        )
        for entry in entries
    ]


def _pinned(item: Planned) -> str:
    check = f" --hash=sha256:{item.sha256}" if item.sha256 else ""
    return f"{item.name} @ {item.url}{check}"


@contextmanager
def _temporary_file(text: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="open-speech-") as folder:
        path = Path(folder) / "list.txt"
        path.write_text(text, encoding="utf-8")
        yield path
