"""Where a hub may send us: the guard against being made to fetch from inside a private network."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from ..errors import DownloadFailed

_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of a URL, or ValueError if it is none that can be fetched."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url[:200]!a} is no http(s) address")
    return parts.scheme, parts.hostname.lower(), parts.port or _PORTS[parts.scheme]


def is_http(url: str) -> bool:
    """Whether a URL can be fetched."""
    try:
        origin(url)
    except ValueError:
        return False
    return True


async def check_redirect(
    endpoint: str, target: str, *, bytes_of_file: bool, allowed: Collection[str]
) -> None:
    """Raise DownloadFailed unless the endpoint may send us to ``target``.

    Data comes from the endpoint alone. The bytes of a file may come from any public host (that is
    how hubs use delivery networks), or from one of ``allowed`` (``host`` or ``host:port``), but not
    unencrypted where the endpoint itself is encrypted.
    """
    try:
        scheme, host, port = origin(target)
    except ValueError:
        raise _refused(endpoint, target, "it is not an http(s) URL") from None
    home = origin(endpoint)
    if (scheme, host, port) == home:
        return
    if not bytes_of_file:
        raise _refused(endpoint, target, "data is accepted from the hub itself only")
    if home[0] == "https" and scheme != "https":
        raise _refused(endpoint, target, "that connection would not be encrypted")
    if host in allowed or f"{host}:{port}" in allowed:
        return
    for address in await _addresses(host, port):
        if not _is_public(address):
            raise _refused(endpoint, target, "that is an address of a private network")


async def _addresses(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError):
        # Whoever cannot resolve it cannot connect to it either, other than through a proxy.
        return []
    return [str(entry[4][0]) for entry in found]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_global and not address.is_multicast


def _refused(endpoint: str, target: str, why: str) -> DownloadFailed:
    parts: SplitResult = urlsplit(target)
    shown = ascii(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")
    return DownloadFailed(
        f"The hub at {endpoint} redirects to {shown}: {why}.",
        hint="Check the endpoint; further hosts for files can be allowed in the settings.",
    )
