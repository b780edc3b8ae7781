"""The layers between the socket and the app, in their order."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from ..api.openai.references import MAX_REFERENCE_BYTES
from ..http_protocol import BoundedProtocol
from ..settings.compat import COMPAT
from ..settings.settings import Settings
from ..tls import Certificate
from ..websocket_protocol import MAX_MESSAGE, BoundedWebSocket
from .access_log import AccessLogMiddleware
from .auth import PUBLIC_PATHS, AuthMiddleware
from .body_limits import BodyMiddleware, json_limit, upload_limit
from .compat import CompatMiddleware, Reshape
from .cors import OriginMiddleware, cors_layer
from .hosts import HostMiddleware
from .normalize import NormalizeMiddleware
from .proxy import proxy_layer
from .rate_limit import RateLimiter, RateLimitMiddleware
from .request_id import RequestIdMiddleware


def wrap(
    app: ASGIApp,
    settings: Settings,
    *,
    public_paths: Collection[str] = PUBLIC_PATHS,
    public_prefixes: Collection[str] = (),
    slashed_paths: Collection[str] = (),
    opens: Callable[[str, str], bool] = lambda _path, _token: False,
    reshape: Reshape | None = None,
) -> ASGIApp:
    """Put the layers around ``app``; read from the bottom up, which is outside to inside.

    The client's address comes first, since the log and the limit need it. CORS stands outside
    whatever may refuse, so that a page's script can read the refusal, and preflights, which carry
    no key, are answered there. The limit stands before the key, so that guessing is slow. The log
    has paths as sent; whatever decides about them sees them as meant. ``slashed_paths`` are routes
    that end in a slash. ``reshape`` writes errors for the clients of other servers, whose names
    may stand before a path.
    """
    app = BodyMiddleware(
        app,
        max_bytes=upload_limit(settings),
        json_bytes=json_limit(settings, audio_bytes=MAX_REFERENCE_BYTES),
    )
    if key := settings.api_key:
        app = AuthMiddleware(
            app,
            key=key,
            public_paths=public_paths,
            public_prefixes=public_prefixes,
            public_metadata=settings.os_public_metadata,
            compat_public={name: table["public"] for name, table in COMPAT.items()},
            opens=opens,
        )
    if settings.os_rate_limit:
        limiter = RateLimiter(settings.os_rate_limit, burst=settings.os_rate_limit_burst)
        app = RateLimitMiddleware(app, limiter=limiter, exempt=public_paths)
    app = OriginMiddleware(app, origins=settings.cors_origins, has_key=settings.api_key is not None)
    app = cors_layer(app, settings.cors_origins, has_key=settings.api_key is not None)
    names = settings.allowed_hosts
    if names or (settings.api_key is None and _is_loopback(settings.os_host)):
        app = app if "*" in names else HostMiddleware(app, names=names, exempt=PUBLIC_PATHS)
    if reshape:
        app = CompatMiddleware(app, names=COMPAT, root=settings.os_compat, reshape=reshape)
    app = NormalizeMiddleware(app, as_sent=slashed_paths)
    app = AccessLogMiddleware(app)
    app = RequestIdMiddleware(app)
    return proxy_layer(app, settings.trusted_proxies)


def uvicorn_options(settings: Settings, certificate: Certificate | None) -> dict[str, Any]:
    """Keyword arguments for ``uvicorn.Config``.

    Addresses of proxies, access lines and logging are ours (``wrap``, ``configure_logging``), so
    uvicorn's own are off.
    """
    options: dict[str, Any] = {
        "host": settings.os_host,
        "port": settings.os_port,
        "access_log": False,
        "log_config": None,
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": 0.2,  # ``Server`` has given requests their time
        "timeout_keep_alive": 30,
        "ws": BoundedWebSocket,
        "ws_max_size": MAX_MESSAGE,
        "ws_per_message_deflate": False,  # sound does not compress, and it takes memory
        "http": partial(BoundedProtocol, max_connections=settings.os_max_connections),
    }
    if certificate:
        options["ssl_certfile"] = str(certificate.certfile)
        options["ssl_keyfile"] = str(certificate.keyfile)
    return options


def exposure_warning(settings: Settings) -> str | None:
    """A loud line for the start when anyone who reaches the address may use the server."""
    if settings.os_api_key or _is_loopback(settings.os_host):
        return None
    return (
        f"NO KEY IS SET: everyone who can reach {settings.os_host}:{settings.os_port} can use this "
        "server. Set OS_API_KEY to a long random word, or OS_HOST=127.0.0.1 to serve this machine "
        "alone."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
