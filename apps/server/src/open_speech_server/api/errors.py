"""Every failure as clients expect it: OpenAI's error object and the status codes OpenAI uses."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from open_speech import errors as core

_log = logging.getLogger(__name__)

BAD_REQUEST = "invalid_request_error"
BUSY = "rate_limit_error"
FAILURE = "server_error"

STATUS: Mapping[type[core.OpenSpeechError], int] = {
    core.OpenSpeechError: 500,
    core.InvalidRequest: 400,
    core.InvalidModelId: 400,
    core.ModelNotFound: 404,
    core.ProviderMissing: 404,
    core.ModelConflict: 400,
    core.UnknownVoice: 400,
    core.UnsupportedCapability: 400,
    core.InvalidAudio: 400,
    core.AudioTooLong: 413,
    core.TextTooLong: 400,
    core.ModelNotAllowed: 403,
    core.RecordingNotFound: 404,
    core.RecordingConflict: 409,
    core.AccessDenied: 403,
    core.LicenseNotAccepted: 403,
    core.DeleteRefused: 403,
    core.Unavailable: 503,
    core.Busy: 503,
    core.ModelNotReady: 503,
    core.ShuttingDown: 503,
    core.WorkerDied: 503,
    core.NotDownloaded: 404,
    core.Offline: 503,
    core.DownloadFailed: 503,
    core.DownloadCancelled: 503,
    core.DiskFull: 503,
    core.ModelInUse: 409,
    core.ProviderError: 502,
    core.ProviderBroken: 503,
    core.ModelLoadFailed: 502,
    core.InvalidResult: 502,
    core.OutOfMemory: 503,
    core.DeadlineExceeded: 504,
}
"""Status of each class of error; a test walks the tree, so a new class must be added here."""

RETRY_AFTER_S: Mapping[type[core.OpenSpeechError], float] = {
    core.OpenSpeechError: 5,
    core.WorkerDied: 1,
    core.OutOfMemory: 10,
    core.ProviderBroken: 60,
    core.Offline: 60,
    core.DiskFull: 60,
}
"""What a 503 without a time of its own advises, by the nearest class."""

PARAMS: Mapping[str, str] = {"text": "input", "reference": "reference_audio"}
"""Fields of core's requests that have another name in a request to this server."""

WHERE: Mapping[type[core.OpenSpeechError], str] = {
    core.InvalidModelId: "GET /v1/models lists the models.",
    core.ModelNotFound: "GET /v1/models lists the models.",
    core.UnknownVoice: "GET /v1/audio/voices lists the voices.",
    core.RecordingNotFound: "GET /v1/audio/voices lists cloned voices, and "
    "GET /v1/audio/voice_consents consents.",
}
"""Where a client finds what it could have named; core knows no routes."""

_HTTP_CODES = {
    401: "invalid_api_key",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "request_too_large",
    415: "unsupported_media_type",
    429: "rate_limit_exceeded",
}
_ECHOING = {"union_tag_invalid", "extra_forbidden", "json_invalid"}
"""Kinds of validation error whose text repeats what the client sent."""

_NO_OBJECT = {"model_type", "model_attributes_type", "dict_type", "dataclass_type"}
"""Validation errors for a body or a field that must be a JSON object."""


def error_response(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The answer ``{"error": {"message", "type", "param", "code"}}``."""
    code = code or ("internal_error" if status >= 500 else "invalid_request")
    kind = BUSY if status == 429 else FAILURE if status >= 500 else BAD_REQUEST
    # A lone surrogate, which JSON can carry in, cannot be written out.
    shown = message.encode("utf-8", "backslashreplace").decode()
    error = {"message": shown, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status, headers=dict(headers or {}))


async def refuse(scope: Scope, receive: Receive, send: Send, response: Response) -> None:
    """Answer in place of the app, to an HTTP request or to a WebSocket's opening handshake.

    Where the server cannot answer a handshake with a response, it is closed with code 4001.
    A body that nobody will read ends the connection: reading on would let a refused client make
    the server receive it all the same.
    """
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 4001, "reason": "refused"})
            return
    elif has_body(scope):
        response.headers["Connection"] = "close"
    await response(scope, receive, send)


def has_body(scope: Scope) -> bool:
    """Whether the request announces a body."""
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0")
        for name, value in scope["headers"]
    )


def status_of(error: core.OpenSpeechError) -> int:
    """The HTTP status for an error of core, by its nearest known class."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def sentence_of(error: core.OpenSpeechError) -> tuple[str, str | None]:
    """What an error of core says to a client, in the words of this API, and the field at fault."""
    param = None if error.param is None else PARAMS.get(error.param, error.param)
    said = str(error).replace(f"'{error.param}'", f"'{param}'") if error.param else str(error)
    return " ".join(filter(None, (said, WHERE.get(type(error))))), param


def core_error_response(error: core.OpenSpeechError) -> JSONResponse:
    """The answer to an error of core; what the engine said at length stays in the log."""
    status = status_of(error)
    headers = {}
    if status == 503 or error.retry_after is not None:
        default = next(RETRY_AFTER_S[kind] for kind in type(error).__mro__ if kind in RETRY_AFTER_S)
        seconds = default if error.retry_after is None else error.retry_after
        headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    message, param = sentence_of(error)
    return error_response(status, message, code=error.code, param=param, headers=headers)


def validation_sentence(errors: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """The first problem of a request as a sentence without the client's bytes, and its field."""
    error = errors[0]
    names = [str(part) for part in error["loc"][1:] if not isinstance(part, int)]
    param = ascii(".".join(names))[1:-1][:64] or None
    kind = error["type"]
    if kind == "json_invalid":
        return "The body is not valid JSON.", None
    if kind in _NO_OBJECT:
        return f"{ascii(param) if param else 'The body'} must be a JSON object.", param
    if kind == "missing":
        return (f"'{param}' is required." if param else "A body is required."), param
    if kind == "extra_forbidden":
        return f"'{param}' is not a known parameter.", param
    said = "it is none of the known kinds" if kind in _ECHOING else str(error["msg"])
    said = said.removeprefix("Value error, ")
    return f"'{param or 'body'}' is not right: {said[:1].lower()}{said[1:]}.".replace(
        "..", "."
    ), param


def install_error_handlers(app: FastAPI) -> None:
    """Make the app answer every failure in OpenAI's form."""
    # The handlers' types are narrower than Starlette's signature, which knows only Exception.
    app.add_exception_handler(core.OpenSpeechError, _on_core_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_crash)


async def _on_core_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, core.OpenSpeechError)
    response = core_error_response(error)
    if response.status_code >= 500:
        _log.warning("%s (%s): %s", error.code, response.status_code, error)
        if error.detail:
            _log.info("Detail of %s: %s", error.code, error.detail)
    return _closing(request, response)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    message, param = validation_sentence(error.errors())
    sent = request.scope.get("state", {}).get("content_type")
    if sent is not None and error.errors()[0]["type"] == "json_invalid":
        named = f"as {sent[:64]!a}" if sent else "without a Content-Type"
        message += f" It was sent {named}: send JSON, with 'Content-Type: application/json'."
    return _closing(request, error_response(400, message, code="invalid_parameter", param=param))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    response = error_response(
        error.status_code,
        _http_message(request, error),
        code=_HTTP_CODES.get(error.status_code),
        headers=error.headers,
    )
    return _closing(request, response)


def _http_message(request: Request, error: HTTPException) -> str:
    method = request.scope.get("method", "WebSocket")
    if error.status_code == 404 and error.detail == "Not Found":
        return f"There is no {method} {ascii(request.scope['path'][:200])[1:-1]}."
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        return f"{method} is not allowed here; use {allowed}."
    if error.status_code == 413:
        return "The request is larger than this server accepts."
    return str(error.detail)


async def _on_crash(request: Request, _error: Exception) -> Response:
    """Answer 500. The traceback is logged by the access log, which sees the error next."""
    return _closing(request, crash_response(request.scope))


def crash_response(scope: Scope) -> JSONResponse:
    """The answer to an error nobody foresaw; says where the log has more."""
    request_id = scope.get("state", {}).get("request_id", "unknown")
    return error_response(
        500,
        f"The server failed. See its log for request id {request_id}.",
        code="internal_error",
    )


def _closing(request: Request, response: Response) -> Response:
    """End the connection where the request's body was possibly not read to its end."""
    if response.status_code in {401, 408, 413, 429} and has_body(request.scope):
        response.headers["Connection"] = "close"
    return response
