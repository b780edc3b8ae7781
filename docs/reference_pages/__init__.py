"""The pages of docs/reference, made from the code: names, signatures and docstrings.

``NAME.intro.md`` beside a page is put at its top, for what no docstring is the place of.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import _commands, _endpoints, _errors, _hooks, _settings, _types

FOLDER = Path(__file__).parents[1] / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "commands": _commands.page,
    "endpoints": _endpoints.page,
    "errors": _errors.page,
    "hooks": _hooks.page,
    "settings": _settings.page,
    "types": _types.page,
}
"""Name of a page -> what makes it."""

NOTE = "<!-- Made by `nox -s docs -- --write` from the code; change the docstrings instead. -->"


def render(name: str) -> str:
    """One whole page."""
    title, _, rest = PAGES[name]().partition("\n")
    intro = FOLDER / f"{name}.intro.md"
    parts = [title, NOTE, intro.read_text(encoding="utf-8").strip() if intro.is_file() else ""]
    return "\n\n".join([*filter(None, parts), rest.strip()]) + "\n"


def outdated() -> list[str]:
    """Names of pages that differ from what the code says, or are missing."""
    return [name for name in PAGES if _committed(name) != render(name)]


def write() -> list[Path]:
    """Renew the pages; what was written."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    changed = [(FOLDER / f"{name}.md", render(name)) for name in outdated()]
    for path, text in changed:
        path.write_text(text, encoding="utf-8")
    return [path for path, _ in changed]


def _committed(name: str) -> str | None:
    path = FOLDER / f"{name}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else None
