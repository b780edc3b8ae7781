"""What the command writes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from shutil import get_terminal_size
from typing import Any

import click

_BAR = 24


def emit(value: object) -> None:
    """Write JSON: data classes become objects."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write columns, each as wide as its widest cell."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def note(text: str) -> None:
    """Write a line for people to standard error."""
    click.echo(f"open-speech: {text}", err=True)


def json_option(command: Any) -> Any:
    """``--json``, the same for every command."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Write JSON, for programs to read."
    )(command)


class ProgressLine:
    """One line on standard error that changes; nothing at all where that is no terminal."""

    def __init__(self) -> None:
        self.shown = False
        self._terminal = sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Replace the line."""
        if self._terminal:
            width = get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{' '.join(text.split())[:width]}")
            sys.stderr.flush()
            self.shown = True

    def bytes(self, what: str, done: int, total: int, per_second: float) -> None:
        """Show how far a download is."""
        filled = _BAR * done // total if total else 0
        bar = "#" * filled + "." * (_BAR - filled)
        self.show(f"{what} [{bar}] {size(done)} of {size(total)}, {size(int(per_second))}/s")

    def clear(self) -> None:
        """Take the line away, before anything else is written."""
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.shown = False


def size(count: int) -> str:
    """Bytes for people, in decimal units."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
