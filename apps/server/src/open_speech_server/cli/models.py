"""``open-speech models``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .connect import Server, command_settings, connected, server_options
from .console import Progress, emit, json_option, table
from .exits import Failure
from .groups import ListByDefault

if TYPE_CHECKING:
    from .client import ModelEntry


@click.group("models", cls=ListByDefault)
def command() -> None:
    """List models, look at one, fetch one; `list` may be left out."""


@command.command("list")
@click.option("--type", "kind", type=click.Choice(["stt", "tts"]), help="Only these.")
@json_option
@server_options
def listed(server: Server, kind: str | None, as_json: bool) -> None:  # noqa: FBT001
    """List every model; * marks the defaults."""
    with connected(server, Progress()) as client:
        models = [each for each in client.models() if kind in (None, each.type)]
    models.sort(key=lambda each: (each.type, not each.is_default, each.id))
    if as_json:
        emit({"models": models})
        return
    if not models:
        raise Failure(
            "There is no model, as no provider is installed. "
            "'open-speech providers install NAME' adds one."
        )
    table(
        ["MODEL", "TYPE", "STATE", "SIZE", "PROVIDER"],
        [
            [
                f"{each.id}{'*' if each.is_default else ''}",
                each.type,
                each.state,
                _size(each),
                each.provider or "-",
            ]
            for each in models
        ],
    )


@command.command("info")
@click.argument("model")
@json_option
@server_options
def info(server: Server, model: str, as_json: bool) -> None:  # noqa: FBT001
    """Show everything that is known of MODEL."""
    with connected(server, Progress()) as client:
        entry = client.model(model)
    _show(entry, as_json=as_json)


@command.command("pull")
@click.argument("model")
@json_option
@server_options
def pull(server: Server, model: str, as_json: bool) -> None:  # noqa: FBT001
    """Fetch MODEL into this machine's folder (OS_MODEL_DIR).

    Ctrl-C keeps what was fetched; the same command goes on from there.
    """
    if server.url:
        raise Failure(
            "Models are fetched into the folder of this machine, without a server: unset "
            "OPEN_SPEECH_URL, on the server's own machine."
        )
    from .local import opened

    progress = Progress()
    with opened(command_settings(), progress) as client:
        entry = client.pull(model)
    if as_json:
        emit(entry)
    else:
        click.echo(f"{entry.id} is here.")


def _size(entry: ModelEntry) -> str:
    return "-" if entry.size_mb is None else f"{entry.size_mb:g} MB"


def _show(entry: ModelEntry, *, as_json: bool) -> None:
    if as_json:
        emit(entry)
        return
    from dataclasses import asdict

    for name, value in asdict(entry).items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        if text not in (None, ""):
            click.echo(f"{name.replace('_', ' '):14} {text}")
