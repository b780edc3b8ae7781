"""The routes of the fake hub."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from ._hub_repos import Exchange, RepoFile, Repository

if TYPE_CHECKING:
    from .hub import FakeHub, Fault

_BLOCK = 64 << 10
_VERBS = frozenset({"revision", "tree", "paths-info", "refs"})


class HubHandler(BaseHTTPRequestHandler):
    """One connection."""

    key: str
    exchange: Exchange

    protocol_version = "HTTP/1.1"
    server_version = "FakeHub"

    @property
    def hub(self) -> FakeHub:
        """The hub that it serves."""
        return cast("FakeHub", self.server.hub)  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Requests are recorded, not printed."""

    def do_GET(self) -> None:
        """Serve bytes or data."""
        self._serve()

    def do_HEAD(self) -> None:
        """Serve headers."""
        self._serve()

    def do_POST(self) -> None:
        """Serve data about the paths that the body names."""
        self._serve()

    # -- one request -----------------------------------------------------------------------------

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(min(length, 1 << 20))
        parts = urlsplit(self.path)
        segments = [unquote(part) for part in parts.path.split("/") if part]
        self.key = self._key(segments)
        self.exchange = Exchange(
            method=self.command, key=self.key, authorization=self.headers.get("Authorization")
        )
        self.hub.record(self.exchange)
        try:
            self._answer(segments, parse_qs(parts.query))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            self.exchange.ended = True

    @staticmethod
    def _key(segments: list[str]) -> str:
        if segments[:2] == ["api", "models"]:
            repo_id, _, _ = _split(segments[2:], _VERBS)
            return f"api/{repo_id}"
        repo_id, _, rest = _split(segments, frozenset({"resolve"}))
        return "/".join([repo_id, *rest[1:]])

    def _answer(self, segments: list[str], query: dict[str, list[str]]) -> None:
        if self.hub.token is not None and not self._authorized():
            return
        fault = self.hub.take_fault(self.key)
        if fault is not None and self._refuse(fault):
            return
        if segments[:2] == ["api", "models"]:
            self._answer_api(segments[2:], query)
            return
        repo_id, verb, rest = _split(segments, frozenset({"resolve"}))
        repository = self.hub.repository(repo_id)
        if verb is None or repository is None or len(rest) < 2:
            self._error(404, "RepoNotFound", "Repository not found")
            return
        commit = repository.resolve(rest[0])
        if commit is None:
            self._error(404, "RevisionNotFound", f"Invalid rev id: {rest[0]}")
            return
        file = repository.commits[commit].get("/".join(rest[1:]))
        if file is None:
            self._error(404, "EntryNotFound", "Entry not found")
            return
        self._send_file(file, commit, fault)

    def _authorized(self) -> bool:
        given = self.headers.get("Authorization")
        if given == f"Bearer {self.hub.token}":
            return True
        if given is None:
            self._error(401, "RepoNotFound", "Invalid username or password.")
        else:
            self._error(401, None, "Invalid credentials in Authorization header")
        return False

    def _refuse(self, fault: Fault) -> bool:
        """Answer by a fault that needs no file; say whether it was of that kind."""
        match fault.mode.value:
            case "status":
                extra = {"Retry-After": fault.retry_after} if fault.retry_after else {}
                self._error(fault.status, None, "On demand", extra)
            case "gated":
                self._error(403, "GatedRepo", "Access to this model is restricted.")
            case "redirect":
                self._redirect(fault.url.replace("{path}", self.path))
            case "redirect_loop":
                self._redirect(f"{self.hub.url}{self.path}")
            case "stall" if not fault.after_bytes:
                self.hub.closing.wait()
                self.close_connection = True
            case "reset" if not fault.after_bytes:
                self._reset()
            case _:
                return False
        return True

    # -- data ------------------------------------------------------------------------------------

    def _answer_api(self, segments: list[str], query: dict[str, list[str]]) -> None:
        repo_id, verb, rest = _split(segments, _VERBS)
        repository = self.hub.repository(repo_id)
        if repository is None:
            self._error(404, "RepoNotFound", "Repository not found")
            return
        if verb == "refs":
            branches = [
                {"name": name, "ref": f"refs/heads/{name}", "targetCommit": commit}
                for name, commit in repository.refs.items()
            ]
            self._send_json({"branches": branches, "tags": [], "converts": []})
            return
        revision = rest[0] if rest else "main"
        commit = repository.resolve(revision)
        if commit is None:
            self._error(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        files = repository.commits[commit]
        if verb == "tree":
            below = "/".join(rest[1:])
            self._send_json(
                [f.describe() for p, f in files.items() if p.startswith(below)], commit=commit
            )
        elif verb == "paths-info":
            self._send_json([files[p].describe() for p in self._paths() if p in files])
        else:
            self._send_json(_describe(repository, commit, blobs="blobs" in query), commit=commit)

    def _paths(self) -> list[str]:
        if self.headers.get("Content-Type", "").startswith("application/json"):
            paths = json.loads(self.body)["paths"]
            return [paths] if isinstance(paths, str) else list(paths)
        return parse_qs(self.body.decode()).get("paths", [])

    def _send_json(self, data: object, commit: str | None = None) -> None:
        body = json.dumps(data).encode()
        self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        if commit is not None:
            self.send_header("X-Repo-Commit", commit)
        self._body(body)

    def _error(
        self, status: int, code: str | None, message: str, extra: dict[str, str] | None = None
    ) -> None:
        body = json.dumps({"error": message}).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        if code is not None:
            headers["X-Error-Code"] = code
        self._head(status, {**headers, "X-Error-Message": message, **(extra or {})})
        self._body(body)

    def _redirect(self, url: str) -> None:
        self._head(HTTPStatus.TEMPORARY_REDIRECT, {"Location": url, "Content-Length": "0"})
        self._body(b"")

    # -- bytes -----------------------------------------------------------------------------------

    def _send_file(self, file: RepoFile, commit: str, fault: Fault | None) -> None:
        mode = fault.mode.value if fault is not None else ""
        ranged = self.headers.get("Range", "")
        if ranged.startswith("bytes=") and mode != "ignore_range":
            self.exchange.start = int(ranged.removeprefix("bytes=").split("-")[0])
        if self.exchange.start and self.exchange.start >= file.size:
            self._error(416, None, "Range", {"Content-Range": f"bytes */{file.size}"})
            return
        etag = file.etag
        if mode == "etag_change" and self.exchange.start:
            etag = etag[::-1]
        headers = {
            "X-Repo-Commit": commit,
            "ETag": f'"{etag}"',
            "Accept-Ranges": "bytes",
            "Content-Type": "application/octet-stream",
            "Content-Length": str(file.size - self.exchange.start),
        }
        if file.is_lfs:
            headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(file.size)}
        if ranged and mode != "ignore_range":
            headers["Content-Range"] = f"bytes {self.exchange.start}-{file.size - 1}/{file.size}"
        if mode == "no_length":
            del headers["Content-Length"]
            headers["Connection"] = "close"
        if mode == "gzip" and self.command == "GET":
            self._send_gzip(file, headers)
            return
        self._head(206 if "Content-Range" in headers else 200, headers)
        self.end_headers()
        if self.command == "GET":
            self._send_content(file, fault)

    def _send_gzip(self, file: RepoFile, headers: dict[str, str]) -> None:
        body = gzip.compress(file.read(self.exchange.start, file.size))
        headers |= {"Content-Encoding": "gzip", "Content-Length": str(len(body))}
        self._head(200, headers)
        self._body(body)

    def _send_content(self, file: RepoFile, fault: Fault | None) -> None:
        mode = fault.mode.value if fault is not None else ""
        cut = fault.after_bytes if fault is not None else None
        if mode == "etag_change" and self.exchange.start:
            cut = None
        end = file.size if cut is None else min(file.size, self.exchange.start + cut)
        rate = fault.rate if fault is not None and mode == "slow" else self.hub.rate
        position = self.exchange.start
        block = _BLOCK if rate is None else max(1, min(_BLOCK, int(rate / 10)))
        started = time.monotonic()
        while position < end:
            data = file.read(position, min(block, end - position))
            if mode == "corrupt" or (mode == "etag_change" and self.exchange.start):
                data = bytes([data[0] ^ 1]) + data[1:]
            self.wfile.write(data)
            position += len(data)
            self.exchange.sent += len(data)
            if self.hub.on_block is not None:
                self.hub.on_block(self.key, self.exchange.sent)
            if rate is not None:
                ahead = self.exchange.sent / rate - (time.monotonic() - started)
                if self.hub.closing.wait(max(0.0, ahead)):
                    self.close_connection = True
                    return
        self._end(mode, end < file.size)

    def _end(self, mode: str, cut: bool) -> None:  # noqa: FBT001 - private
        if mode == "stall":
            self.wfile.flush()
            self.hub.closing.wait()
        if mode in {"reset", "etag_change"} and cut:
            self._reset()
        if cut or mode == "no_length":
            self.close_connection = True

    def _reset(self) -> None:
        """Close so that the peer sees a reset: lingering for no time drops what is unsent."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.exchange.status = int(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)

    def _body(self, body: bytes) -> None:
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.exchange.sent += len(body)


def _split(segments: list[str], verbs: frozenset[str]) -> tuple[str, str | None, list[str]]:
    """A repository's name (one or two parts), the verb after it, and what follows."""
    for count in (2, 1):
        if len(segments) > count and segments[count] in verbs:
            return "/".join(segments[:count]), segments[count], segments[count + 1 :]
    return "/".join(segments), None, []


def _describe(repository: Repository, commit: str, *, blobs: bool) -> dict[str, Any]:
    files = repository.commits[commit].values()
    return {
        "_id": commit[:24],
        "id": repository.repo_id,
        "modelId": repository.repo_id,
        "sha": commit,
        "private": False,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "siblings": [file.describe_sibling(blobs=blobs) for file in files],
    }
