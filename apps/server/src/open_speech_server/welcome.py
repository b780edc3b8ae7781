"""What the console shows once the server is ready: lines to try."""

from __future__ import annotations

from .settings.settings import Settings

_LINES = """\

Open Speech is ready on {address}

  Speak:   curl{flags} {address}/v1/audio/speech \\
             -H 'Content-Type: application/json'{key} \\
             -d '{{"input": "Hello, this is Open Speech.", "response_format": "wav"}}' -o hello.wav

  Listen:  curl{flags} {address}/v1/audio/transcriptions{key} -F file=@hello.wav

  Look:    {address}/web
  The API: {address}/docs
"""


def welcome(settings: Settings, port: int) -> str:
    """Lines to copy, with the address as this machine reaches it."""
    host = settings.os_host.strip("[]")
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
        host = "127.0.0.1"
    shown = f"[{host}]" if ":" in host else host
    scheme = "https" if settings.os_ssl_enabled else "http"
    own_certificate = settings.os_ssl_enabled and settings.os_ssl_certfile is None
    return _LINES.format(
        address=f"{scheme}://{shown}:{port}",
        flags=" --insecure" if own_certificate else "",
        key=' -H "Authorization: Bearer $OS_API_KEY"' if settings.os_api_key else "",
    )
