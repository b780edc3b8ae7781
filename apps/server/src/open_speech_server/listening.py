"""Opening the port, with what is wrong said in the words of the settings."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from .settings.settings import ConfigurationError

BACKLOG = 2048


def open_port(host: str, port: int, setting: str = "OS_PORT") -> list[socket.socket]:
    """Listening sockets on every address of ``host``; 0 picks a free port, the same for all.

    ``setting`` is what the operator would change.

    Raises ConfigurationError.
    """
    opened: list[socket.socket] = []
    problems: list[OSError] = []
    for family, address in _addresses(host, port):
        try:
            made = _listening(family, address, port)
        except OSError as error:
            problems.append(error)
            continue
        opened.append(made)
        port = port or made.getsockname()[1]
    taken = next((each for each in problems if each.errno == errno.EADDRINUSE), None)
    if problems and (taken or not opened):
        for made in opened:
            made.close()
        raise ConfigurationError(_sentence(taken or problems[0], host, port, setting))
    return opened


def _addresses(host: str, port: int) -> Iterator[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ConfigurationError(
            f"OS_HOST is {host!r}, which is neither an address nor a host name that can be "
            "resolved. Set it to an address of this machine, or to 0.0.0.0 for all."
        ) from None
    for family, _, _, _, address in dict.fromkeys(found):
        yield family, str(address[0])


def _listening(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _sentence(error: OSError, host: str, port: int, setting: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use. Stop what uses it, or set another {setting}."
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}. Set {setting} to a port above 1023."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"OS_HOST is {host!r}, which is not an address of this machine."
    return f"The server cannot listen on {host}, port {port}: {error.strerror or error}."
