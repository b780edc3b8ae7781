"""A hub of model repositories on this machine: a real HTTP server, with faults on demand.

It serves the routes that huggingface-hub 1.x and 2.x use for reading, so that downloads can be
tested, and tried by hand, without a network::

    from open_speech.testing.hub import FakeHub, Fault, Mode

    with FakeHub() as hub:
        hub.add("org/model", {"model.bin": b"..."})
        hub.fault("org/model/*.bin", Fault(Mode.STATUS, status=503, times=2))
        print(hub.url)  # the endpoint to give

By hand, ``python -m open_speech.testing.hub FOLDER --port 8999 --rate 1000000`` starts one,
where ``FOLDER/ORG/NAME/...`` is served as the repository ``ORG/NAME``.
"""

from __future__ import annotations

import argparse
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from ._hub_handler import HubHandler
from ._hub_repos import Exchange, Repository, files_below

__all__ = ["Exchange", "FakeHub", "Fault", "Mode", "fake_hub", "main", "repositories_below"]

_logger = logging.getLogger(__name__)


class Mode(StrEnum):
    """What goes wrong with an answer. Byte counts are of the answer's body."""

    CORRUPT = "corrupt"
    """The right number of bytes, one of them wrong."""
    TRUNCATE = "truncate"
    """The connection closes after ``after_bytes`` though more was promised."""
    NO_LENGTH = "no_length"
    """No Content-Length, and the connection closes after ``after_bytes`` (None: at the end)."""
    GZIP = "gzip"
    """The body is compressed though that was not asked for."""
    STALL = "stall"
    """Nothing more is sent after ``after_bytes``; the connection stays open."""
    SLOW = "slow"
    """``rate`` bytes a second."""
    STATUS = "status"
    """The answer is ``status``, with ``Retry-After`` where ``retry_after`` is given."""
    RESET = "reset"
    """The connection is reset after ``after_bytes``."""
    REDIRECT = "redirect"
    """To ``url``, in which ``{path}`` is the path that was asked for."""
    REDIRECT_LOOP = "redirect_loop"
    """To itself, for ever."""
    GATED = "gated"
    """The terms of the repository were not accepted by the owner of the token."""
    ETAG_CHANGE = "etag_change"
    """A first part (``after_bytes``) of the file, a reset, then the rest of another file."""
    IGNORE_RANGE = "ignore_range"
    """The whole file, whatever part was asked for."""


@dataclass(frozen=True)
class Fault:
    """One kind of failure, for every matching request or the first ``times`` of them."""

    mode: Mode
    status: int = 500
    retry_after: str | None = None
    after_bytes: int | None = None
    rate: float = 1.0
    url: str = ""
    times: int | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], hub: FakeHub) -> None:
        super().__init__(address, HubHandler)
        self.hub = hub

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is part of the tests, and no reason for a traceback."""
        _logger.debug("connection from %s ended early", client_address)


class FakeHub:
    """The server. Every method may be called from any thread, also while it serves."""

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, rate: float | None = None
    ) -> None:
        self.token: str | None = None
        """If set, every request must carry it."""
        self.rate = rate
        """Bytes a second for every file, or None for all that the machine can do."""
        self.on_block: Callable[[str, int], None] | None = None
        """Called after each block of a file with its key and the bytes sent of this answer."""
        self.closing = threading.Event()
        self._repositories: dict[str, Repository] = {}
        self._faults: list[tuple[str, Fault]] = []
        self._exchanges: list[Exchange] = []
        self._lock = threading.Lock()
        self._server = _Server((host, port), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def url(self) -> str:
        """The endpoint to give to a client."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; answers under way end."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(
        self, repo_id: str, files: Mapping[str, bytes | Path] | Path, revision: str = "main"
    ) -> str:
        """Add a commit to a repository, move ``revision`` to it, and return the commit's id.

        Adding to a repository that exists is how its revision is moved: give all files again.
        """
        tree = files_below(files) if isinstance(files, Path) else files
        with self._lock:
            repository = self._repositories.setdefault(repo_id, Repository(repo_id))
        return repository.commit(tree, revision)

    def repository(self, repo_id: str) -> Repository | None:
        """What is served under a name."""
        return self._repositories.get(repo_id)

    def fault(self, pattern: str, fault: Fault) -> None:
        """Let matching requests fail: a shell pattern of ``Exchange.key``; the newest wins."""
        with self._lock:
            self._faults.insert(0, (pattern, fault))

    def heal(self) -> None:
        """Take every fault back."""
        with self._lock:
            self._faults.clear()

    def take_fault(self, key: str) -> Fault | None:
        """The fault that a request meets, counted down."""
        with self._lock:
            for index, (pattern, fault) in enumerate(self._faults):
                if fault.times == 0 or not fnmatchcase(key, pattern):
                    continue
                if fault.times is not None:
                    self._faults[index] = (pattern, replace(fault, times=fault.times - 1))
                return fault
        return None

    def record(self, exchange: Exchange) -> None:
        """Note a request that arrived."""
        with self._lock:
            self._exchanges.append(exchange)

    @property
    def exchanges(self) -> list[Exchange]:
        """Every request so far, in the order in which they arrived."""
        with self._lock:
            return list(self._exchanges)

    def gets(self, pattern: str = "*") -> list[Exchange]:
        """The requests for bytes of files whose key matches."""
        return [
            e
            for e in self.exchanges
            if e.method == "GET" and not e.key.startswith("api/") and fnmatchcase(e.key, pattern)
        ]

    def pending(self, pattern: str = "*") -> int:
        """How many matching requests have arrived whose answers are not over."""
        return sum(fnmatchcase(e.key, pattern) for e in self.exchanges if not e.ended)

    def forget(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._exchanges.clear()


def fake_hub() -> Iterator[FakeHub]:
    """Serve for as long as a test runs; the body of the pytest fixture of this name."""
    with FakeHub() as hub:
        yield hub


def repositories_below(folder: Path) -> dict[str, Path]:
    """The repositories in ``folder``: one for each ``ORG/NAME`` folder."""
    return {
        f"{organisation.name}/{name.name}": name
        for organisation in sorted(folder.iterdir())
        if organisation.is_dir() and not organisation.name.startswith(".")
        for name in sorted(organisation.iterdir())
        if name.is_dir()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a folder until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m open_speech.testing.hub", description="Serve folders as model repositories."
    )
    parser.add_argument("folder", type=Path, help="holds ORG/NAME folders")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8999)
    parser.add_argument("--rate", type=float, help="bytes per second and file")
    parser.add_argument("--token", help="refuse requests without it")
    options = parser.parse_args(arguments)
    with FakeHub(host=options.host, port=options.port, rate=options.rate) as hub:
        hub.token = options.token
        for repo_id, folder in repositories_below(options.folder).items():
            commit = hub.add(repo_id, folder)
            print(f"{repo_id} at {commit}")  # noqa: T201 - a command speaks on standard output
        print(f"Serving at {hub.url}; set HF_ENDPOINT to it.", flush=True)  # noqa: T201
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
