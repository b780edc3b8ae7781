"""Commands: what `open-speech` can do, as its own help says."""

from __future__ import annotations

from collections.abc import Iterator

import click

from open_speech_server.cli.main import cli

from ._markdown import block, code, document, inline, table

_NAME = "open-speech"


def page() -> str:
    """The page commands.md."""
    parts = [part for path, command in _commands(cli, _NAME) for part in _section(path, command)]
    return document("# Commands", *parts)


def _commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from _commands(command, f"{path} {name}")


def _section(path: str, command: click.Command) -> Iterator[str]:
    yield f"## {code(path)}"
    context = click.Context(command, info_name=path)
    yield block(" ".join([path, *command.collect_usage_pieces(context)]))
    for paragraph in (command.help or "").split("\n\n"):
        yield inline(paragraph)
    options = [each for each in command.params if isinstance(each, click.Option)]
    if options:
        yield table(
            ["Option", "Variable", "Meaning"],
            [[_names(each, context), _variables(each), _meaning(each)] for each in options],
        )


def _names(option: click.Option, context: click.Context) -> str:
    names = "/".join([", ".join(option.opts), *option.secondary_opts])
    value = "" if option.is_flag else f" {option.make_metavar(context)}"
    return code(f"{names}{value}")


def _variables(option: click.Option) -> str:
    found = option.envvar or ()
    return ", ".join(map(code, [found] if isinstance(found, str) else found))


def _meaning(option: click.Option) -> str:
    return inline((option.help or "").replace("[default: ", "(Default: ").replace("]", ")"))
