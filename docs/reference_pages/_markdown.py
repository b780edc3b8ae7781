"""Pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def prose(text: str) -> str:
    """A docstring as Markdown: double backticks become single ones."""
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def inline(text: str) -> str:
    """The same on one line, for a cell or an item."""
    return prose(" ".join(text.split()))


def code(text: str) -> str:
    """As code, if there is any."""
    return f"`{text}`" if text else ""


def block(text: str) -> str:
    """A fenced block of Python's signatures, which is not a program."""
    return f"```text\n{text}\n```"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; bars inside cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines
    )


def document(*parts: str) -> str:
    """Parts with one empty line between them."""
    return "\n\n".join(part.strip() for part in parts if part.strip())
