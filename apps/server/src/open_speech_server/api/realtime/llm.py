"""The language model that answers in voice conversations: somebody else's server."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from functools import cache
from typing import Any

import httpx

from ...settings.settings import Settings

CONNECT_S = 10.0
SILENT_S = 120.0
"""Seconds that the model may think without a word."""
MAX_ANSWER = 100_000
"""Characters of one answer."""
MAX_RESPONSE = 8 << 20
"""Bytes of an answer that is sent whole."""
Message = dict[str, str]


class LanguageModelFailed(Exception):
    """The chat API that OS_LLM_BASE_URL names did not answer."""


class ChatModel:
    """A chat API in OpenAI's shape, such as Ollama's."""

    def __init__(self, settings: Settings) -> None:
        """``is_configured`` says whether the settings name one."""
        self._base = (settings.os_llm_base_url or "").rstrip("/")
        self._model = settings.os_llm_model
        key = settings.os_llm_api_key
        self._headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}

    @property
    def is_configured(self) -> bool:
        """Whether there is one."""
        return bool(self._base)

    async def answer(
        self, messages: Sequence[Message], max_tokens: int | None = None
    ) -> AsyncGenerator[str, None]:
        """Yield the answer as it is written. Raises LanguageModelFailed; closing it stops it."""
        body: dict[str, Any] = {"messages": list(messages)}
        if max_tokens:
            body["max_tokens"] = max_tokens
        written = 0
        async with aclosing(self.chunks(body)) as chunks:
            async for chunk in chunks:
                if text := _delta(chunk):
                    written += len(text)
                    if written > MAX_ANSWER:
                        return
                    yield text

    async def chunks(self, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the parts of an answer as the API sends them. Raises as ``answer`` does."""
        async with self._asked({**body, "stream": True}) as response:
            try:
                async for line in response.aiter_lines():
                    if line.startswith("data:"):
                        with suppress(ValueError):
                            chunk = json.loads(line[5:])
                            if isinstance(chunk, dict):
                                yield chunk
            except httpx.HTTPError as error:
                raise _unreachable(error) from error

    async def complete(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The whole answer as the API sends it. Raises LanguageModelFailed."""
        async with self._asked({**body, "stream": False}) as response:
            data = b""
            try:
                async for part in response.aiter_bytes():
                    data += part
                    if len(data) > MAX_RESPONSE:
                        raise _failed(f"answered more than {MAX_RESPONSE >> 20} MiB.")
            except httpx.HTTPError as error:
                raise _unreachable(error) from error
        with suppress(ValueError):
            answer = json.loads(data)
            if isinstance(answer, dict):
                return answer
        raise _failed("did not answer with a JSON object.")

    @asynccontextmanager
    async def _asked(self, body: Mapping[str, Any]) -> AsyncIterator[httpx.Response]:
        """The response to a body, once it is known to be a good one."""
        model = {"model": self._model} if self._model else {}
        timeout = httpx.Timeout(SILENT_S, connect=CONNECT_S)
        address = f"{self._base}/chat/completions"
        async with AsyncExitStack() as stack:
            try:
                client = await stack.enter_async_context(
                    httpx.AsyncClient(timeout=timeout, headers=self._headers, verify=_tls())
                )
                response = await stack.enter_async_context(
                    client.stream("POST", address, json={**model, **body})
                )
                if response.status_code != httpx.codes.OK:
                    body_part = await anext(response.aiter_bytes(500), b"")
                    detail = body_part.decode(errors="replace")
                    raise _failed(f"answered {response.status_code}: {detail}")
            except httpx.HTTPError as error:
                raise _unreachable(error) from error
            yield response


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates takes tens of milliseconds of the event loop."""
    return httpx.create_ssl_context()


def _failed(what: str) -> LanguageModelFailed:
    return LanguageModelFailed(
        f"The language model {what.strip()}. Check OS_LLM_BASE_URL and OS_LLM_MODEL."
    )


def _unreachable(error: httpx.HTTPError) -> LanguageModelFailed:
    return _failed(f"could not be asked: {type(error).__name__} {error}")


def _delta(chunk: Mapping[str, Any]) -> str:
    """The text in one part of an answer; empty for all others."""
    with suppress(LookupError, TypeError, AttributeError):
        content = chunk["choices"][0]["delta"].get("content")
        return content if isinstance(content, str) else ""
    return ""
