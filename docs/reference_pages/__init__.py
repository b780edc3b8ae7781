"""The pages of docs/reference, made from the code: names, signatures and docstrings.

``NAME.intro.md`` beside a page is put at its top, for what no docstring is the place of.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from . import _commands, _endpoints, _errors, _hooks, _packages, _public_api, _settings, _types

FOLDER = Path(__file__).parents[1] / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "commands": _commands.page,
    "endpoints": _endpoints.page,
    "errors": _errors.page,
    "hooks": _hooks.page,
    "public-api": _public_api.page,
    "settings": _settings.page,
    "types": _types.page,
}
"""Name of a page -> what makes it."""

PACKAGES_PAGE = _packages.PAGE
"""The page with a table of all packages."""

NOTE = "<!-- Made by `nox -s docs -- --write` from the code; change the docstrings instead. -->"


def render(name: str) -> str:
    """One whole page."""
    title, _, rest = PAGES[name]().partition("\n")
    intro = FOLDER / f"{name}.intro.md"
    parts = [title, NOTE, intro.read_text(encoding="utf-8").strip() if intro.is_file() else ""]
    return "\n\n".join([*filter(None, parts), rest.strip()]) + "\n"


def outdated() -> list[str]:
    """Names of pages that differ from what the code says, or are missing."""
    pages = [name for name in PAGES if _committed(name) != render(name)]
    return [*pages, *([_packages.PAGE.stem] if packages_page() else [])]


def write() -> list[Path]:
    """Renew the pages; what was written."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    changed = [(FOLDER / f"{name}.md", render(name)) for name in outdated() if name in PAGES]
    if text := packages_page():
        changed.append((_packages.PAGE, text))
    for path, text in changed:
        path.write_text(text, encoding="utf-8")
    return [path for path, _ in changed]


def packages_page() -> str:
    """The page with the tables of packages as it should be; empty if it is so."""
    text = _packages.PAGE.read_text(encoding="utf-8")
    renewed = _packages.render(text)
    return renewed if renewed != text else ""


def _committed(name: str) -> str | None:
    path = FOLDER / f"{name}.md"
    return path.read_text(encoding="utf-8") if path.is_file() else None
