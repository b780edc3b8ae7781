from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import ssl
import stat
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from open_speech_server.settings.settings import ConfigurationError, Settings
from open_speech_server.tls import (
    LIFETIME,
    RENEW_BEFORE,
    names_of_this_machine,
    self_signed,
    server_certificate,
)


def _read(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def _names(certificate):
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in found}


def test_the_key_is_private_from_its_creation(tmp_path, monkeypatch):
    modes = []

    def fdopen(handle, *rest):
        modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        return original(handle, *rest)

    original = os.fdopen
    monkeypatch.setattr(os, "fdopen", fdopen)
    before = os.umask(0)
    try:
        made = self_signed(tmp_path / "tls", host="0.0.0.0")
    finally:
        os.umask(before)
    assert modes == [0o600]
    assert stat.S_IMODE(made.keyfile.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.keyfile.parent.stat().st_mode) == 0o700
    assert list(made.keyfile.parent.iterdir()) == [made.keyfile]


def test_names_are_the_machines_and_no_wildcard(tmp_path):
    certificate = _read(self_signed(tmp_path, host="0.0.0.0").certfile)
    names = _names(certificate)
    assert {"localhost", "127.0.0.1", "::1", socket.gethostname()} <= names
    assert not {"0.0.0.0", "::"} & names
    assert "0.0.0.0" not in names_of_this_machine("0.0.0.0")
    assert "::" not in names_of_this_machine("::")
    assert "speech.example" in _names(_read(self_signed(tmp_path, host="speech.example").certfile))


def test_it_is_short_lived_and_of_a_modern_key(tmp_path):
    certificate = _read(self_signed(tmp_path, host="::").certfile)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= LIFETIME
    assert dt.timedelta(days=397) >= LIFETIME
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"


def test_it_is_kept_and_renewed_near_its_end(tmp_path):
    now = dt.datetime.now(dt.UTC)
    serial = _read(self_signed(tmp_path, host="0.0.0.0", now=now).certfile).serial_number

    def after(days: float) -> int:
        later = now + dt.timedelta(days=days)
        return _read(self_signed(tmp_path, host="0.0.0.0", now=later).certfile).serial_number

    assert after(0) == serial
    assert after(LIFETIME.days - RENEW_BEFORE.days - 1) == serial
    renewed = after(LIFETIME.days - RENEW_BEFORE.days + 1)
    assert renewed != serial
    assert after(LIFETIME.days) == renewed


def test_a_good_certificate_needs_no_library(tmp_path):
    self_signed(tmp_path, host="0.0.0.0")
    code = (
        "import sys, pathlib; from open_speech_server.tls import self_signed;"
        f"self_signed(pathlib.Path({str(tmp_path)!r}), host='0.0.0.0');"
        "print('cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("damage", [b"", b"torn", b"\xff\xfe", None])
def test_a_damaged_file_is_made_anew(tmp_path, damage):
    path = self_signed(tmp_path, host="0.0.0.0").certfile
    path.write_bytes(path.read_bytes()[:300] if damage is None else damage)
    _read(self_signed(tmp_path, host="0.0.0.0").certfile)


def test_wider_permissions_are_taken_back(tmp_path):
    path = self_signed(tmp_path / "tls", host="0.0.0.0").keyfile
    path.chmod(0o644)
    path.parent.chmod(0o755)
    serial = _read(path).serial_number
    assert _read(self_signed(tmp_path / "tls", host="0.0.0.0").keyfile).serial_number == serial
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command")
def test_openssl_verifies_it(tmp_path):
    path = self_signed(tmp_path, host="0.0.0.0").certfile
    command = ["openssl", "verify", "-x509_strict", "-verify_hostname", "localhost"]
    subprocess.run([*command, "-CAfile", path, path], capture_output=True, check=True)


def test_a_client_that_trusts_it_connects(serve, tiny, tmp_path):
    made = server_certificate(Settings(os_data_dir=tmp_path))
    port = serve(tiny(), ssl_certfile=str(made.certfile), ssl_keyfile=str(made.keyfile))
    context = ssl.create_default_context(cafile=made.certfile)
    for name in ("localhost", "127.0.0.1", socket.gethostname()):
        with (
            socket.create_connection(("127.0.0.1", port), 30) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            assert secure.version() in {"TLSv1.2", "TLSv1.3"}
            secure.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert secure.recv(65536).split()[1] == b"200"


OTHER_USER = """
import os, pathlib, sys
from open_speech_server.settings.settings import ConfigurationError
from open_speech_server.tls import self_signed
os.setgid(12345); os.setuid(12345)
try:
    self_signed(pathlib.Path(sys.argv[1]), host="0.0.0.0")
except ConfigurationError as error:
    print(error)
"""


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can be another"
)
@pytest.mark.parametrize("made", [True, False])
def test_another_user_gets_a_sentence_with_the_fix(tmp_path, made):
    folder = tmp_path / "tls"
    if made:
        self_signed(folder, host="0.0.0.0")
    tmp_path.chmod(0o755)
    for above in tmp_path.parents:
        if above.owner() == "root" and not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    command = [sys.executable, "-c", OTHER_USER, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "user id 12345" in done.stdout
    assert "OS_DATA_DIR" in done.stdout
    assert len(done.stdout.splitlines()) == 1


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "tls").write_text("not a folder")
    with pytest.raises(ConfigurationError, match="OS_DATA_DIR"):
        self_signed(tmp_path / "tls", host="0.0.0.0")


def test_the_operators_own_files(tmp_path):
    made = self_signed(tmp_path / "a", host="0.0.0.0").certfile
    other = self_signed(tmp_path / "b", host="0.0.0.0").certfile
    good = Settings(os_ssl_certfile=made, os_ssl_keyfile=made, os_data_dir=tmp_path / "c")
    assert server_certificate(good).certfile == made
    assert not (tmp_path / "c").exists()
    assert server_certificate(Settings(os_ssl_enabled=False)) is None
    with pytest.raises(ConfigurationError, match="do not work together"):
        server_certificate(Settings(os_ssl_certfile=made, os_ssl_keyfile=other))
    with pytest.raises(ConfigurationError, match=r"OS_SSL_KEYFILE.*cannot read"):
        server_certificate(Settings(os_ssl_certfile=made, os_ssl_keyfile=tmp_path / "none"))


def test_a_key_with_a_password_is_refused_without_asking(tmp_path):
    from cryptography.hazmat.primitives import serialization

    made = self_signed(tmp_path, host="0.0.0.0").certfile
    key = serialization.load_pem_private_key(made.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    with pytest.raises(ConfigurationError, match="without a password"):
        server_certificate(Settings(os_ssl_certfile=made, os_ssl_keyfile=locked))
