"""The certificate: the operator's, or a self-signed one that is made and renewed here."""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
import os
import socket
import ssl
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .settings.settings import ConfigurationError, Settings

if TYPE_CHECKING:
    from cryptography import x509

_log = logging.getLogger(__name__)

LIFETIME = dt.timedelta(days=397)
"""Longest lifetime that browsers accept (CA/Browser Forum baseline requirements, 6.3.2)."""
RENEW_BEFORE = dt.timedelta(days=30)
BACKDATED = dt.timedelta(hours=1)
"""For clients whose clock is behind."""
FILE = "server.pem"
"""Key and certificate in one file, so that the two are replaced together."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """Files to serve TLS with; they may be one and the same."""

    certfile: Path
    keyfile: Path


def server_certificate(settings: Settings, *, now: dt.datetime | None = None) -> Certificate | None:
    """The certificate to serve with, or None where TLS is off; ConfigurationError if unusable."""
    if not settings.os_ssl_enabled:
        return None
    if settings.os_ssl_certfile and settings.os_ssl_keyfile:
        given = Certificate(certfile=settings.os_ssl_certfile, keyfile=settings.os_ssl_keyfile)
        _check_given(given)
        return given
    return self_signed(settings.os_data_dir / "tls", host=settings.os_host, now=now)


def self_signed(folder: Path, *, host: str, now: dt.datetime | None = None) -> Certificate:
    """The self-signed certificate in ``folder``, made or renewed as needed."""
    moment = now or dt.datetime.now(dt.UTC)
    path = folder / FILE
    try:
        _private_folder(folder)
        if not _still_good(path, host, moment):
            _replace(path, _make(names_of_this_machine(host), moment))
    except PermissionError as error:
        raise ConfigurationError(
            f"The certificate in {folder} cannot be used by {_user()}: {error.strerror}. Give the "
            "folder to that user, point OS_DATA_DIR to another one, or set OS_SSL_ENABLED=false."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"The certificate cannot be kept in {folder}: {error.strerror}. Point OS_DATA_DIR to a "
            "folder that can be written, or set OS_SSL_ENABLED=false."
        ) from error
    return Certificate(certfile=path, keyfile=path)


def names_of_this_machine(host: str) -> list[str]:
    """Names and addresses by which clients may reach this machine; never a wildcard address."""
    name = socket.gethostname()
    found = ["localhost", "127.0.0.1", "::1", name, f"{name.partition('.')[0]}.local", host]
    found += _addresses(name)
    return [one for one in dict.fromkeys(found) if _is_name(one)]


def _is_name(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text.isascii() and 0 < len(text) <= 64 and " " not in text
    return not address.is_unspecified


def _addresses(name: str) -> list[str]:
    found: list[str] = []
    with suppress(OSError):  # a machine need not be able to resolve its own name
        found += [str(item[4][0]).partition("%")[0] for item in socket.getaddrinfo(name, None)]
    # A UDP socket that is connected sends nothing; it tells the address of the usual route. The
    # two destinations are those reserved for documentation (RFC 5737, RFC 3849).
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((target, 9))
                found.append(probe.getsockname()[0])
        except OSError:
            continue
    return found


def _private_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def _still_good(path: Path, host: str, now: dt.datetime) -> bool:
    """Whether the file holds a key and a certificate for ``host`` with time left."""
    try:
        preamble = dict(
            line.split(": ", 1) for line in path.read_text("ascii").splitlines() if ": " in line
        )
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, password=_no_password)
        expires = dt.datetime.fromisoformat(preamble["not-after"])
        names = preamble["names"].split()
    except (KeyError, ValueError, ssl.SSLError):
        return False  # torn or foreign; it is ours to replace
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return expires - now > RENEW_BEFORE and (host in names or not _is_name(host))


def _make(names: Sequence[str], now: dt.datetime) -> bytes:
    """A P-256 key and a certificate for ``names``, in PEM.

    OpenSSL skips what stands before the first block. There the file says what is in it, so that a
    start that finds it good need not import the library that made it.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Open Speech (self-signed)")])
    expires = (now - BACKDATED + LIFETIME).replace(microsecond=0)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(expires)
        .add_extension(x509.SubjectAlternativeName(list(map(_san, names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    preamble = f"not-after: {expires.isoformat()}\nnames: {' '.join(names)}\n"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return preamble.encode() + private + certificate.public_bytes(serialization.Encoding.PEM)


def _san(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _replace(path: Path, data: bytes) -> None:
    """Write atomically; the file is 0600 from its creation on."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".server-", suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _check_given(given: Certificate) -> None:
    for name, path in (("OS_SSL_CERTFILE", given.certfile), ("OS_SSL_KEYFILE", given.keyfile)):
        try:
            path.read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"{name} is {str(path)!r}, which {_user()} cannot read: {error.strerror}."
            ) from error
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(given.certfile, given.keyfile, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(
            f"OS_SSL_CERTFILE {str(given.certfile)!r} and OS_SSL_KEYFILE {str(given.keyfile)!r} do "
            "not work together: both must be PEM, of one key, without a password."
        ) from error
    _warn_of_expiry(given.certfile)


def _warn_of_expiry(path: Path) -> None:
    from cryptography import x509

    expires = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    if expires < dt.datetime.now(dt.UTC):
        _log.warning(
            "The certificate %s (OS_SSL_CERTFILE) expired on %s: clients will refuse it",
            path,
            f"{expires:%Y-%m-%d}",
        )


def _no_password() -> str:
    """Keep OpenSSL from asking at a terminal that a server does not have."""
    raise ValueError("the key has a password")


def _user() -> str:
    return f"user id {os.getuid()}" if hasattr(os, "getuid") else "this user"
