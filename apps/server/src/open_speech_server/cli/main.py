"""The command's entry: its subcommands."""

from __future__ import annotations

import sys

import click

from . import (
    doctor,
    exits,
    health,
    listen,
    migrate,
    models,
    providers,
    say,
    serve,
    transcribe,
    voices,
)


class _Command(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        """Run the subcommand; click would turn a reader that left into an ordinary failure."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise exits.ReaderLeft from error


@click.group(cls=_Command)
@click.version_option(package_name="open-speech-server")
def cli() -> None:
    """Speech to text and text to speech with any engine.

    With OPEN_SPEECH_URL set, a server does the work; otherwise the engines installed here do.
    """


for _module in (
    serve, say, transcribe, listen, models, voices, providers, doctor, health, migrate,
):  # fmt: skip
    cli.add_command(_module.command)


def main() -> None:
    """Run the command; a failure is one sentence and an exit status, never a traceback."""
    sys.exit(exits.run(cli, sys.argv[1:]))
