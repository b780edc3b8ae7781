"""Checks of what is reached over the network: hub, certificate, key, port, server."""

from __future__ import annotations

import datetime as dt
import errno
import socket
from collections.abc import Iterator
from dataclasses import replace

from ..settings.settings import KNOWN, ConfigurationError, Settings
from .check_result import CheckResult, ok, warning, wrong
from .connect import TLS_FILE, Server, local_addresses
from .console import ProgressLine
from .exits import Failure

WAIT_S = 5.0
SOON = dt.timedelta(days=14)


def hub(settings: Settings) -> Iterator[CheckResult]:
    """The model hub can be reached, unless it is not to be."""
    address = settings.hf_endpoint or KNOWN["hub"]["endpoint"]
    if settings.hf_hub_offline:
        yield ok("hub", "offline: nothing is fetched (HF_HUB_OFFLINE)")
        return
    import httpx

    try:
        answer = httpx.head(address, timeout=WAIT_S, follow_redirects=True)
        problem = f"answers {answer.status_code}" if answer.status_code >= 500 else ""
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        problem = f"cannot be reached ({str(error) or type(error).__name__})"
    if problem:
        yield warning(
            "hub",
            f"{address} {problem}",
            "Check the network and HF_ENDPOINT; with HF_HUB_OFFLINE=true what is here is enough.",
        )
    else:
        yield ok("hub", f"{address} answers")


def certificate(settings: Settings) -> Iterator[CheckResult]:
    """The certificate can be used, and for how long."""
    if not settings.os_ssl_enabled:
        yield ok("certificate", "none is needed: OS_SSL_ENABLED is false")
        return
    own = settings.os_data_dir.joinpath(*TLS_FILE)
    path = settings.os_ssl_certfile or own
    if path == own and not own.is_file():
        yield ok("certificate", "self-signed, made at the first start")
        return
    if settings.os_ssl_certfile:
        from ..tls import server_certificate

        try:
            server_certificate(settings)
        except ConfigurationError as error:
            yield wrong("certificate", str(error), "")
            return
    from cryptography import x509

    ends = min(one.not_valid_after_utc for one in
               x509.load_pem_x509_certificates(path.read_bytes()))  # fmt: skip
    left = ends - dt.datetime.now(dt.UTC)
    text = f"{path}, valid until {ends:%Y-%m-%d}"
    if path == own:
        yield ok("certificate", f"{text}, self-signed and renewed at a start before that")
    elif left < dt.timedelta():
        yield wrong("certificate", text, "Renew it.")
    elif left < SOON:
        yield warning("certificate", text, "Renew it soon.")
    else:
        yield ok("certificate", text)


def key(settings: Settings) -> Iterator[CheckResult]:
    """Strangers cannot use the server."""
    from ..middleware.proxy import proxy_warning
    from ..middleware.stack import exposure_warning

    if exposed := exposure_warning(settings):
        text, _, fix = exposed.partition(". ")
        yield warning("key", text, fix)
    elif settings.api_key:
        yield ok("key", "one is set")
    else:
        yield ok("key", f"none is set, and {settings.os_host} is reached from this machine alone")
    if trusting := proxy_warning(settings):
        yield warning("proxy", trusting, "")


def port(settings: Settings, server: Server) -> Iterator[CheckResult]:
    """The port is free, or it is ours that listens."""
    host, number = settings.os_host.strip("[]"), settings.os_port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As the server does: a connection that has just ended does not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        yield _taken(settings, server, error)
    else:
        yield ok("port", f"{host}:{number} is free")


def _taken(settings: Settings, server: Server, error: OSError) -> CheckResult:
    where = f"{settings.os_host}:{settings.os_port}"
    if error.errno == errno.EADDRINUSE:
        for url in local_addresses(settings):
            if ours := _version_at(replace(server, url=url, insecure=True)):
                return ok("port", f"{where} is served by Open Speech {ours}")
        return wrong(
            "port", f"{where} is taken by another program", "End it, or choose another OS_PORT."
        )
    if error.errno == errno.EACCES:
        return wrong(
            "port", f"this user may not listen on {where}", "Choose an OS_PORT above 1023."
        )
    return wrong(
        "port",
        f"{where} cannot be listened on: {error.strerror or error}",
        "Set OS_HOST to an address of this machine.",
    )


def remote(server: Server) -> Iterator[CheckResult]:
    """The server that OPEN_SPEECH_URL names is there, takes the key and is ready."""
    from .remote import RemoteClient

    fix = "Check OPEN_SPEECH_URL and OPEN_SPEECH_API_KEY."
    try:
        with RemoteClient(server, ProgressLine()) as client:
            version = client.health().get("version")
            models = client.models() if version else []
    except Failure as failure:
        yield wrong("server", str(failure), fix)
        return
    if version is None:
        yield wrong("server", f"{server.url} is no Open Speech", fix)
        return
    loaded = sum(model.state == "loaded" for model in models)
    yield ok("server", f"{server.url}: Open Speech {version}, {loaded} models loaded")


def _version_at(server: Server) -> str | None:
    import httpx

    from .remote import RemoteClient

    try:
        with RemoteClient(server, ProgressLine(), timeout=httpx.Timeout(WAIT_S)) as client:
            version = client.health().get("version")
    except Failure:
        return None
    return str(version) if version else None
