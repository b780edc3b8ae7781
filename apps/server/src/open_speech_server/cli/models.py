"""``open-speech models``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .connect import Server, command_settings, connected, server_options
from .console import ProgressLine, emit, json_option, table
from .exits import Failure
from .groups import ListByDefault

if TYPE_CHECKING:
    from .client import ModelEntry
    from .remote import RemoteClient


accept_option = click.option(
    "--accept-license",
    is_flag=True,
    help="Accept the license of the weights; 'models info' shows it.",
)


@click.group("models", cls=ListByDefault)
def command() -> None:
    """Manage models; without a subcommand, list them."""


@command.command("list")
@click.option("--type", "kind", type=click.Choice(["stt", "tts"]), help="Only models of this type.")
@json_option
@server_options
def listed(server: Server, kind: str | None, as_json: bool) -> None:  # noqa: FBT001
    """List all models; * marks the defaults."""
    with connected(server, ProgressLine()) as client:
        models = [each for each in client.models() if kind in (None, each.type)]
    models.sort(key=lambda each: (each.type, not each.is_default, each.id))
    if as_json:
        emit({"models": models})
        return
    if not models:
        raise Failure(
            "No provider is installed, so there are no models. "
            "'open-speech providers install NAME' adds one."
        )
    table(
        ["MODEL", "TYPE", "STATE", "SIZE", "PROVIDER", "LICENSE"],
        [
            [
                f"{each.id}{'*' if each.is_default else ''}",
                each.type,
                each.state,
                _size(each),
                each.provider or "-",
                _license(each),
            ]
            for each in models
        ],
    )


@command.command("info")
@click.argument("model")
@json_option
@server_options
def info(server: Server, model: str, as_json: bool) -> None:  # noqa: FBT001
    """Show details of MODEL."""
    with connected(server, ProgressLine()) as client:
        entry = client.model(model)
    _show(entry, as_json=as_json)


@command.command("pull")
@click.argument("model")
@accept_option
@json_option
@server_options
def pull(server: Server, model: str, accept_license: bool, as_json: bool) -> None:  # noqa: FBT001
    """Download MODEL; without a server, into OS_MODEL_DIR of this machine.

    Ctrl-C keeps what was fetched; the same command goes on from there.
    """
    with connected(server, ProgressLine()) as client:
        entry = client.pull(model, accept_license=accept_license)
    _tell(entry, "is here", as_json=as_json)


@command.command("update")
@click.argument("model")
@json_option
@server_options
def update(server: Server, model: str, as_json: bool) -> None:  # noqa: FBT001
    """Update MODEL to the latest revision of its weights."""
    with connected(server, ProgressLine()) as client:
        entry, moved = client.update(model)
    _tell(entry, "is at a newer revision now" if moved else "was up to date", as_json=as_json)


@command.command("rm")
@click.argument("model")
@server_options
def remove(server: Server, model: str) -> None:
    """Delete the weights of MODEL from disk; it must not be loaded."""
    with connected(server, ProgressLine()) as client:
        client.remove(model)
    click.echo(f"{model} is deleted.")


@command.command("load")
@click.argument("model")
@click.option("--device", help="Device, such as cpu or cuda:1.  [default: as configured]")
@click.option("--compute-type", help="Number format of the weights.  [default: as configured]")
@click.option("--keep-alive", help="Idle time before it is unloaded: 5m, 1h; -1 for never.")
@click.option("--pin/--no-pin", default=None, help="Never unload it to make room for another.")
@accept_option
@json_option
@server_options
def load(
    server: Server,
    model: str,
    device: str | None,
    compute_type: str | None,
    keep_alive: str | None,
    pin: bool | None,  # noqa: FBT001
    accept_license: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Load MODEL on the server; download it first if necessary."""
    given = {
        "device": device,
        "compute_type": compute_type,
        "keep_alive": keep_alive,
        "pin": pin,
        "accept_license": accept_license or None,
    }
    with _serving(server) as client:
        entry = client.load(model, {name: v for name, v in given.items() if v is not None})
    _tell(entry, "is loaded", as_json=as_json)


@command.command("unload")
@click.argument("model")
@server_options
def unload(server: Server, model: str) -> None:
    """Unload MODEL on the server; its weights stay on disk."""
    with _serving(server) as client:
        client.unload(model)
    click.echo(f"{model} is unloaded.")


@command.command("export")
@click.argument("model")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(model: str, folder: Path) -> None:
    """Export the weights of MODEL to FOLDER, for a machine without a network."""
    from ..settings.core_config import weight_store
    from .local import opened

    settings = command_settings()
    with opened(settings, ProgressLine()) as client:
        resolved = client.resolved(model)
    weight_store(settings).export(resolved.model, folder, resolved.revision)
    click.echo(f"{resolved.id} is in {folder}.")


@command.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def import_(folder: Path) -> None:
    """Import and verify all models of FOLDER into OS_MODEL_DIR of this machine."""
    from ..settings.core_config import weight_store

    taken = weight_store(command_settings()).import_(folder)
    if not taken:
        raise Failure(f"There is no exported model in {folder}.")
    for stored in taken:
        click.echo(f"{stored.id} is here.")


@contextmanager
def _serving(server: Server) -> Iterator[RemoteClient]:
    """A server, for what only one that runs can do."""
    if not server.url:
        raise Failure(
            "Models are loaded by a server; without one, 'open-speech say' and 'transcribe' load "
            "what they need. Name the server with OPEN_SPEECH_URL or --url."
        )
    from .remote import RemoteClient

    with RemoteClient(server, ProgressLine()) as client:
        yield client


def _tell(entry: ModelEntry, done: str, *, as_json: bool) -> None:
    if as_json:
        emit(entry)
    else:
        click.echo(f"{entry.id} {done}.")


def _size(entry: ModelEntry) -> str:
    return "-" if entry.size_mb is None else f"{entry.size_mb:g} MB"


def _license(entry: ModelEntry) -> str:
    return f"{entry.license or '-'}{' (to be accepted)' if entry.license_pending else ''}"


def _show(entry: ModelEntry, *, as_json: bool) -> None:
    if as_json:
        emit(entry)
        return
    from dataclasses import asdict

    for name, value in asdict(entry).items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        if text not in (None, ""):
            click.echo(f"{name.replace('_', ' '):14} {text}")
