"""A Fish Speech server elsewhere, asked over its HTTP interface.

Routes: ``GET /v1/health``, ``POST /v1/tts`` (streams WAV), ``GET /v1/references/list`` (newer
servers only). Which weights it runs is decided at its start; a voice is a reference that it keeps,
or a recording that comes with the request. Only the configured address is ever opened: redirects
and proxies are not followed.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any

from open_speech import Audio, ModelInfo, OptionValue, SpeechRequest, TTSModel, Voice
from open_speech.errors import InvalidRequest, OpenSpeechError, ProviderError, Unavailable

from . import _wav
from ._settings import MAX_SEED, SEED, address, sampling
from .catalogue import ANYBODY, VOICES

_log = logging.getLogger(__name__)
CONNECT_S = 10.0
SILENCE_S = 600.0
"""Without a byte for so long, the server hangs; core gives up earlier, by its own setting."""
_BLOCK = 16_384
_MAX_ANSWER = 1 << 20
_MAX_VOICES = 1_000


class ServerModel(TTSModel):
    """Speaks through a server. What it has loaded it keeps; there is nothing to free here."""

    def __init__(self, model: ModelInfo, options: Mapping[str, OptionValue]) -> None:
        self._address = address(options)
        self._sampling = sampling(options)  # a mistake is told now
        self._ask("/v1/health")
        self._info = replace(model, voices=tuple(self._voices()), default_voice=ANYBODY)

    @property
    def info(self) -> ModelInfo:
        """With the voices that the server keeps."""
        return self._info

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Speak; sound is passed on as the server sends it."""
        body = self._body(request)
        with self._opened("POST", "/v1/tts", body, silence_s=SILENCE_S) as answer:
            yield from _wav.read_stream(_blocks(answer))

    def _body(self, request: SpeechRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            "text": request.text,
            "format": "wav",
            "streaming": True,
            **sampling(request.options, self._sampling),
        }
        if request.reference is not None:
            recording = base64.b64encode(_wav.write(request.reference)).decode()
            body["references"] = [{"audio": recording, "text": request.reference_text or ""}]
        elif request.voice != ANYBODY:
            body["reference_id"] = request.voice
        seed = request.seed if request.seed is not None else SEED
        body["seed"] = seed % (MAX_SEED + 1)
        return body

    def _voices(self) -> Iterator[Voice]:
        yield from VOICES
        try:
            found = self._ask("/v1/references/list").get("reference_ids", [])
        except InvalidRequest:  # an older server: its voices are not known
            return
        if isinstance(found, list):
            for name in sorted({str(each) for each in found} - {ANYBODY})[:_MAX_VOICES]:
                yield Voice(id=name)

    def _ask(self, path: str) -> dict[str, Any]:
        with self._opened("GET", path) as answer:
            try:
                found = json.loads(answer.read(_MAX_ANSWER))
            except (ValueError, HTTPException, OSError):
                found = None
        if not isinstance(found, dict):
            raise ProviderError(
                f"The server at {self._address} is not a Fish Speech server.",
                hint="Check the option `url`.",
            )
        return found

    @contextmanager
    def _opened(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        silence_s: float = CONNECT_S,
    ) -> Iterator[HTTPResponse]:
        """A successful answer, closed at the end, whether it was read to its end or not."""
        where = self._address
        kind = HTTPSConnection if where.tls else HTTPConnection
        connection = kind(where.host, where.port, timeout=CONNECT_S)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if where.api_key:
            headers["Authorization"] = f"Bearer {where.api_key}"
        try:
            try:
                connection.connect()
                connection.sock.settimeout(silence_s)
                data = json.dumps(body).encode() if body is not None else None
                connection.request(method, where.path + path, data, headers)
                answer = connection.getresponse()
            except (OSError, HTTPException) as error:
                raise self._unreachable(error) from error
            if answer.status != 200:
                raise self._refused(answer, path)
            yield answer
        finally:
            connection.close()

    def _unreachable(self, error: Exception) -> OpenSpeechError:
        return Unavailable(
            f"The Fish Speech server at {self._address} does not answer: "
            f"{str(error) or type(error).__name__}.",
            hint="Start it, or correct the option `url`.",
            retry_after=10.0,
        )

    def _refused(self, answer: HTTPResponse, path: str) -> OpenSpeechError:
        said = _message(answer)
        if answer.status in (401, 403):
            return ProviderError(
                f"The Fish Speech server at {self._address} does not accept the key.",
                hint="Set the option `api_key`.",
            )
        message = f"The Fish Speech server refused: {said}"
        if answer.status in (400, 404, 422):
            return InvalidRequest(message, param="text" if path == "/v1/tts" else None)
        return ProviderError(f"{message} (status {answer.status})", hint="Look into its log.")


def _blocks(answer: HTTPResponse) -> Iterator[bytes]:
    try:
        while block := answer.read1(_BLOCK):
            yield block
    except (OSError, HTTPException) as error:
        raise ProviderError(
            "The Fish Speech server broke off in the middle of its answer.",
            hint="Look into its log.",
        ) from error


def _message(answer: HTTPResponse) -> str:
    try:
        text = answer.read(_MAX_ANSWER).decode("utf-8", "replace")
        found = json.loads(text)
        said = found.get("message") or found.get("detail") if isinstance(found, dict) else None
    except (OSError, HTTPException, ValueError):
        said = None
    return str(said or answer.reason or "without a reason")[:500].rstrip(".") + "."
