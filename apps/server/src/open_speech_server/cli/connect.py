"""Which client answers: a server's where one is named, else the engines installed here."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .console import ProgressLine

if TYPE_CHECKING:
    import ssl

    from ..settings.settings import Settings
    from .client import Client

TLS_FILE = ("tls", "server.pem")
"""Where, below the data folder, a server on this machine keeps its self-signed certificate."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """The server to ask, as the options and the environment name it."""

    url: str | None
    """None: no server."""
    key: str | None = None
    insecure: bool = False


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that name a server, handed over as ``server``."""

    @click.option(
        "--url",
        metavar="ADDRESS",
        envvar="OPEN_SPEECH_URL",
        show_envvar=True,
        callback=_base_address,
        help="Address of the server to ask; without one, the engines installed here answer.",
    )
    @click.option(
        "--api-key",
        metavar="KEY",
        envvar=["OPEN_SPEECH_API_KEY", "OS_API_KEY"],
        show_envvar=True,
        help="Key of the server. Others on this machine see options: rather set the variable.",
    )
    @click.option(
        "--insecure",
        is_flag=True,
        envvar="OPEN_SPEECH_INSECURE",
        show_envvar=True,
        help="Do not check the server's certificate.",
    )
    @functools.wraps(command)
    def asking(
        *args: Any,
        url: str | None,
        api_key: str | None,
        insecure: bool,
        **kwargs: Any,
    ) -> None:
        command(*args, server=Server(url=url, key=api_key, insecure=insecure), **kwargs)

    return asking


@contextmanager
def connected(
    server: Server, progress: ProgressLine, own: Mapping[str, Path] | None = None
) -> Iterator[Client]:
    """A client for as long as the block lasts; ``own`` as for ``local.opened``."""
    if server.url:
        from .remote import RemoteClient

        with RemoteClient(server, progress) as remote:
            yield remote
        return
    from .local import opened

    with opened(command_settings(), progress, own) as local:
        yield local


def command_settings() -> Settings:
    """The settings; logs come only if OS_LOG_LEVEL is set, as results and errors say enough."""
    from ..settings.settings import load_settings

    settings = load_settings()
    if "os_log_level" in settings.model_fields_set:
        from ..logs import configure_logging

        configure_logging(
            level=settings.os_log_level, form=settings.os_log_format, secrets=settings.secrets
        )
    else:
        logging.getLogger("open_speech").setLevel(logging.CRITICAL)
    return settings


def local_addresses(settings: Settings) -> tuple[str, str]:
    """Where a server with these settings is reached from this machine: with TLS and without.

    As the settings say first; a server that was started with others is at the second, usually.
    """
    host = settings.os_host.strip("[]")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    shown = f"[{host}]" if ":" in host else host
    secure, plain = (f"{scheme}://{shown}:{settings.os_port}" for scheme in ("https", "http"))
    return (secure, plain) if settings.os_ssl_enabled else (plain, secure)


def trust(server: Server) -> ssl.SSLContext | bool:
    """Whose certificates to believe: the usual ones, and that of a server on this machine."""
    if server.insecure:
        return False
    if server.url and not server.url.startswith("https:"):
        return True  # making a context takes time, and there is nothing to check
    import ssl

    from ..settings.settings import ConfigurationError, load_settings

    context = ssl.create_default_context()
    with suppress(OSError, ConfigurationError):  # not there, or another user's: then without it
        context.load_verify_locations(load_settings().os_data_dir.joinpath(*TLS_FILE))
    return context


def _base_address(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> str | None:
    if not value or not value.strip():
        return None
    address = value.strip().rstrip("/").removesuffix("/v1")
    if not address.startswith(("http://", "https://")):
        raise click.BadParameter(f"{value!r} is no address; one looks like https://host:8100")
    return address
