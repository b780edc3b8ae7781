"""Who the client is when a reverse proxy stands in front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ..settings.settings import Settings


def proxy_layer(app: ASGIApp, networks: Sequence[str]) -> ASGIApp:
    """Set client and scheme from ``X-Forwarded-For`` and ``-Proto`` sent by ``networks``.

    Of the addresses in ``X-Forwarded-For`` the rightmost that is not a trusted proxy's counts:
    what stands left of it was written by the client. Without networks nothing is believed.
    """
    if not networks:
        return app
    return cast("ASGIApp", ProxyHeadersMiddleware(app, trusted_hosts=list(networks)))  # type: ignore[arg-type]


def proxy_warning(settings: Settings) -> str | None:
    """A line for the start when every private address is believed."""
    if settings.os_trust_proxy != "true":
        return None
    return (
        "OS_TRUST_PROXY=true believes X-Forwarded-For from every private address, so that a client "
        "in your own network can pretend to be another. Name the proxy's network instead, like "
        "OS_TRUST_PROXY=172.18.0.0/16."
    )
