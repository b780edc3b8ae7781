"""The command's entry: its subcommands, and errors as one sentence."""

from __future__ import annotations

import sys

import click

from ..settings import ConfigurationError


@click.group()
@click.version_option(package_name="open-speech-server")
def cli() -> None:
    """Speak and listen with any engine."""


@cli.command()
def serve() -> None:
    """Serve HTTP; settings come from the environment."""
    from ..serve import run
    from ..settings import load_settings

    run(load_settings())


def main() -> None:
    """Run the command; a failure is one sentence and an exit status, never a traceback."""
    try:
        cli()
    except ConfigurationError as error:
        click.echo(f"open-speech: {error}", err=True)
        sys.exit(2)
