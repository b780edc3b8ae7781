"""One line for each request, and the traceback of one that failed unforeseen."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from urllib.parse import unquote_plus

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from open_speech.errors import OpenSpeechError, ShuttingDown

from ..api.errors import core_error_response, crash_response
from ..api.streaming import CLIENT_LEFT

_log = structlog.stdlib.get_logger("open_speech_server.access")

_STOPPING = ShuttingDown("The server is shutting down.", retry_after=5.0)
SECRET_PARAMETERS = frozenset({"api_key", "apikey", "key", "token", "access_token"})
"""Query parameters whose values are never logged."""
QUIET_PATHS = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})
"""Paths that monitors ask for all the time; logged at debug."""


@dataclass
class _Answer:
    status: int = 0
    started: bool = False
    complete: bool = False

    def see(self, message: Message) -> None:
        match message["type"]:
            case "http.response.start" | "websocket.http.response.start":
                self.status, self.started = message["status"], True
            case "http.response.body" | "websocket.http.response.body":
                self.complete = not message.get("more_body", False)
            case "websocket.accept":
                self.status, self.started = 101, True
            case "websocket.close":
                self.status, self.complete = message.get("code", 1000), True
                self.started = True


class AccessLogMiddleware:
    """Logs method, path, status and milliseconds; answers 500 where nothing was answered.

    An answer that breaks off half-way is left unfinished, so that the client sees it fail.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        answer = _Answer()

        async def watch(message: Message) -> None:
            answer.see(message)
            await send(message)

        started = time.perf_counter()
        try:
            await self.app(scope, receive, watch)
        except asyncio.CancelledError:
            # The server stops, and the time for finishing is over.
            if not answer.started and scope["type"] == "http":
                await core_error_response(_STOPPING)(scope, receive, watch)
        except ClientDisconnect:
            answer.status = answer.status or CLIENT_LEFT  # in the middle of its upload
        except Exception as error:
            if answer.started and isinstance(error, OpenSpeechError):
                _log.warning("The answer broke off.", path=shown_path(scope), error=str(error))
            else:
                _log.exception("The request failed.", path=shown_path(scope))
            if not answer.started and scope["type"] == "http":
                await crash_response(scope)(scope, receive, watch)
        finally:
            self._line(scope, answer, time.perf_counter() - started)

    def _line(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        client = scope.get("client")
        _log.log(
            logging.DEBUG if scope["path"] in QUIET_PATHS else logging.INFO,
            "request",
            method=scope.get("method", "WEBSOCKET"),
            path=shown_path(scope),
            status=answer.status,
            ms=round(seconds * 1000, 1),
            client=client[0] if client else None,
            complete=answer.complete,
        )


def shown_path(scope: Scope) -> str:
    """Path and query as sent, percent-encoded, without the values of secret parameters."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    path = raw.decode("latin-1")[:500]
    query = scope.get("query_string", b"").decode("latin-1")
    if not query:
        return path
    parts = [_without_secret(part) for part in query[:4000].split("&")]
    return f"{path}?{'&'.join(parts)[:500]}"


def _without_secret(part: str) -> str:
    name, _, value = part.partition("=")
    if value and unquote_plus(name).strip().lower() in SECRET_PARAMETERS:
        return f"{name}=***"
    return part
