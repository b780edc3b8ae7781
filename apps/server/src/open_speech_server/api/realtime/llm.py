"""The language model that answers in voice conversations: somebody else's server."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from functools import cache

import httpx

from ...settings.settings import Settings

CONNECT_S = 10.0
SILENT_S = 120.0
"""Seconds that the model may think without a word."""
MAX_ANSWER = 100_000
"""Characters of one answer."""
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
        body: dict[str, object] = {"messages": list(messages), "stream": True}
        if self._model:
            body["model"] = self._model
        if max_tokens:
            body["max_tokens"] = max_tokens
        timeout = httpx.Timeout(SILENT_S, connect=CONNECT_S)
        written = 0
        try:
            async with (
                httpx.AsyncClient(timeout=timeout, headers=self._headers, verify=_tls()) as client,
                client.stream("POST", f"{self._base}/chat/completions", json=body) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    body_part = await anext(response.aiter_bytes(500), b"")
                    detail = body_part.decode(errors="replace")
                    raise _failed(f"answered {response.status_code}: {detail}")
                async for line in response.aiter_lines():
                    if text := _delta(line):
                        written += len(text)
                        if written > MAX_ANSWER:
                            return
                        yield text
        except httpx.HTTPError as error:
            raise _failed(f"could not be asked: {type(error).__name__} {error}") from error


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates takes tens of milliseconds of the event loop."""
    return httpx.create_ssl_context()


def _failed(what: str) -> LanguageModelFailed:
    return LanguageModelFailed(
        f"The language model {what.strip()}. Check OS_LLM_BASE_URL and OS_LLM_MODEL."
    )


def _delta(line: str) -> str:
    """The text in one line of the stream; empty for all others."""
    if not line.startswith("data:"):
        return ""
    with suppress(ValueError, KeyError, IndexError, TypeError):
        content = json.loads(line[5:])["choices"][0]["delta"].get("content")
        return content if isinstance(content, str) else ""
    return ""
