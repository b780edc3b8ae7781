"""``open-speech health``."""

from __future__ import annotations

from typing import NoReturn

import click

from .exits import UNAVAILABLE

WAIT_S = 10.0
"""How long the server may take to answer: less than the 30 s after which Docker gives up."""


@click.command("health")
@click.option(
    "--host",
    metavar="ADDRESS",
    default="127.0.0.1",
    envvar=["OS_HOST", "STT_HOST"],
    help="Address that the server listens on (OS_HOST).",
)
@click.option(
    "--port",
    metavar="NUMBER",
    type=click.IntRange(0, 65535),
    default=8100,
    envvar=["OS_PORT", "STT_PORT"],
    help="Port that it listens on (OS_PORT).",
)
@click.option(
    "--tls/--no-tls",
    default=True,
    envvar=["OS_SSL_ENABLED", "STT_SSL_ENABLED"],
    help="Whether it serves HTTPS (OS_SSL_ENABLED).",
)
@click.option("--ready", is_flag=True, help="Succeed only if the configured models are ready.")
def command(host: str, port: int, tls: bool, ready: bool) -> None:  # noqa: FBT001 - click's way
    """Check whether the server on this machine answers.

    For containers and supervisors: it costs little, and ends with status 0 or 3. It never leaves
    this machine, so the server's certificate is not checked.
    """
    # The settings are not read: checking all of them takes longer than the question itself.
    import http.client
    import ssl

    where = _reached(host.strip("[]"))
    connection: http.client.HTTPConnection
    if tls:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(where, port, timeout=WAIT_S, context=context)
    else:
        connection = http.client.HTTPConnection(where, port, timeout=WAIT_S)
    try:
        connection.request("GET", "/health/ready" if ready else "/health")
        answer = connection.getresponse()
        said = answer.read(10_000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        reason = str(error) or type(error).__name__
        _end(f"No server answers on port {port}: {reason}.")
    finally:
        connection.close()
    if answer.status != http.client.OK:
        _end(f"The server answers {answer.status}: {said}")
    click.echo(said)


def _end(sentence: str) -> NoReturn:
    """As any failure of the command ends, without loading what explains the others."""
    click.echo(f"open-speech: {sentence}", err=True)
    raise click.exceptions.Exit(UNAVAILABLE)


def _reached(host: str) -> str:
    """Where what listens on an address is reached from the same machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
