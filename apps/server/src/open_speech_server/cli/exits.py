"""How the command ends: exit statuses, and every failure as one sentence."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress

import click

OK = 0
FAILED = 1
"""What was asked for did not succeed, and would not the next time."""
USAGE = 2
"""The command line or a setting is wrong."""
UNAVAILABLE = 3
"""Not now: no server, a busy one, a model on its way, no network, no space."""
INTERRUPTED = 130
"""Ctrl-C: 128 and the number of SIGINT, as shells count."""
BROKEN_PIPE = 141
"""Nobody reads the output any more: 128 and the number of SIGPIPE."""


class Failure(Exception):
    """What went wrong, as a sentence, and how the command ends."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


class ReaderLeft(Exception):
    """Nobody reads what the command writes."""


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Run a command to its end and return its exit status; never raises but SystemExit."""
    try:
        result = _quietly(lambda: command.main(arguments, "open-speech", standalone_mode=False))
        sys.stdout.flush()
    except (ReaderLeft, BrokenPipeError):
        # What is still in the buffer would fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return result if isinstance(result, int) else OK


def _quietly(work: Callable[[], object]) -> object:
    try:
        return work()
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        return say(error)
    except (ReaderLeft, BrokenPipeError):
        raise
    except Exception as error:
        return say(error)


def say(error: Exception) -> int:
    """Write the sentence for an error to standard error; the status to end with."""
    message, status = explain(error)
    click.echo(f"open-speech: {message}", err=True)
    return status


def explain(error: Exception) -> tuple[str, int]:
    """The sentence for an error, and the status to end with."""
    # Imported late: most runs have no error to explain.
    from open_speech.errors import OpenSpeechError, Unavailable

    from ..settings.settings import ConfigurationError

    match error:
        case Failure():
            return str(error), error.status
        case click.UsageError():
            return _usage(error), USAGE
        case click.ClickException():
            return error.format_message(), FAILED
        case ConfigurationError():
            return str(error), USAGE
        case Unavailable():
            return str(error), UNAVAILABLE
        case OpenSpeechError():
            return str(error), FAILED
        case OSError(strerror=str(reason)):
            return (f"{error.filename}: {reason}." if error.filename else f"{reason}."), FAILED
    return _unforeseen(error), FAILED


def _unforeseen(error: Exception) -> str:
    """The sentence for a mistake of ours; the traceback only where debugging was asked for."""
    from ..settings.settings import ConfigurationError, load_settings

    with suppress(ConfigurationError):
        if load_settings().os_log_level == "debug":
            traceback.print_exception(error)
    said = " ".join(str(error).split())
    kind = type(error).__name__
    return f"This should not have happened: {kind}: {said} (OS_LOG_LEVEL=debug shows where)."


def _usage(error: click.UsageError) -> str:
    message = error.format_message()
    path = error.ctx.command_path if error.ctx else "open-speech"
    ending = "" if message.endswith((".", "?", ")")) else "."
    return f"{message}{ending} See '{path} --help'."
