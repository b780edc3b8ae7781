"""The packages of core and server, with the first sentence of each docstring."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ._markdown import code, inline, table

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "architecture.md"
SOURCES = {
    "core": ROOT / "packages" / "open-speech-core" / "src" / "open_speech",
    "server": ROOT / "apps" / "server" / "src" / "open_speech_server",
}
"""Name of a section -> the package that it lists."""


def render(text: str) -> str:
    """The page with its tables of packages renewed; each lies between two comments."""
    for name, folder in SOURCES.items():
        begin, end = f"<!-- packages of {name} -->", "<!-- end -->"
        head, found, rest = text.partition(begin)
        if not found:
            raise ValueError(f"{PAGE.name} has no {begin}")
        tail = rest.partition(end)[2]
        text = f"{head}{begin}\n\n{_table(folder)}\n\n{end}{tail}"
    return text


def _table(folder: Path) -> str:
    rows = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name.strip("_")):
        package = path / "__init__.py"
        if path.is_dir() and package.is_file():
            modules = sorted(each.stem for each in path.glob("*.py") if each != package)
            rows.append([code(f"{path.name}/"), _sentence(package), ", ".join(modules)])
        elif path.suffix == ".py" and path.stem not in {"__init__", "_version"}:
            rows.append([code(path.name), _sentence(path), ""])
    return table(["Package", "What it holds", "Modules"], rows)


def _sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    first = text.partition("\n\n")[0].replace("\n", " ")
    return inline(re.split(r"(?<=\.)\s", first)[0])
