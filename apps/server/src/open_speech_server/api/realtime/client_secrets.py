"""Keys for browsers: short-lived, and for realtime sessions only."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from ..bodies import ClientBody
from .config import RealtimeConfig
from .conversation import new_id

router = APIRouter()
MAX_SECRETS = 10_000
"""Keys that are remembered; the oldest is forgotten first."""
PREFIX = "ek_"


class ClientSecrets:
    """The keys that were given out, and what the sessions that use them are set to."""

    def __init__(self) -> None:
        self._issued: OrderedDict[str, tuple[float, RealtimeConfig]] = OrderedDict()

    def issue(self, config: RealtimeConfig, seconds: float) -> tuple[str, int]:
        """Make a key; returns it with the time when it expires, in Unix seconds."""
        value = f"{PREFIX}{secrets.token_urlsafe(32)}"
        self._issued[value] = (time.monotonic() + seconds, config)
        while len(self._issued) > MAX_SECRETS:
            self._issued.popitem(last=False)
        return value, int(time.time() + seconds)

    def config_of(self, value: str) -> RealtimeConfig | None:
        """The session that a key opens; None if the key is unknown or has expired."""
        expires, config = self._issued.get(value, (0.0, None))
        if config is None or time.monotonic() >= expires:
            self._issued.pop(value, None)
            return None
        return config


class ExpiresAfter(ClientBody):
    """How long a key is good for."""

    anchor: Literal["created_at"] = "created_at"
    seconds: int = Field(600, ge=10, le=7_200)


class ClientSecretBody(ClientBody):
    """What a key is for."""

    expires_after: ExpiresAfter = ExpiresAfter()
    session: dict[str, Any] = Field({}, description="Settings, as in `session.update`.")


@router.post(
    "/v1/realtime/client_secrets",
    tags=["Live"],
    summary="Create a short-lived key for a realtime session",
)
async def create_client_secret(request: Request, body: ClientSecretBody) -> dict[str, Any]:
    """A key that a web page may have: it opens realtime sessions, and nothing else."""
    kind = "transcription" if body.session.get("type") == "transcription" else "realtime"
    config = RealtimeConfig(type=kind).updated(body.session)
    store: ClientSecrets = request.app.state.client_secrets
    value, expires_at = store.issue(config, body.expires_after.seconds)
    session = config.as_json(new_id("sess"), expires_at)
    return {"value": value, "expires_at": expires_at, "session": session}
