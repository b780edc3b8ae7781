"""Reading Markdown: fenced blocks with their marks, headings, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATTERNS = (
    "*.md",
    "docs/**/*.md",
    "packages/*/*.md",
    "apps/*/*.md",
    "bench/*.md",
    "deploy/**/*.md",
)

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,})\s*(?P<info>[^`]*)$")
_MARK = re.compile(r"^\s*<!--\s*test:\s*(?P<verb>\w+)(?:\s+(?P<argument>.*?))?\s*-->\s*$")
_HEADING = re.compile(r"^#{1,6}\s+(?P<text>.+?)\s*#*$")
_LINK = re.compile(
    r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?(?P<target>[^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)"
)
_REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s+<?(?P<target>\S+?)>?$")


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    line: int
    """Where its first line of text stands."""
    verb: str = ""
    """What the comment above says to do: run, continue, file, server, fails, skip; or nothing."""
    argument: str = ""


def documents(root: Path = ROOT) -> list[Path]:
    """Every document of the repository."""
    found = {path for pattern in PATTERNS for path in root.glob(pattern)}
    return sorted(path for path in found if "node_modules" not in path.parts)


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks, each with the mark that stands right above it."""
    mark: re.Match[str] | None = None
    fence: re.Match[str] | None = None
    inside: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if fence is not None:
            if line.strip().startswith(fence["ticks"]) and not line.strip().strip("`~"):
                words = fence["info"].split()
                yield Block(
                    language=words[0].lower() if words else "",
                    text="".join(f"{_outdent(each, len(fence['indent']))}\n" for each in inside),
                    line=number - len(inside),
                    verb=mark["verb"] if mark else "",
                    argument=(mark["argument"] or "") if mark else "",
                )
                fence, mark, inside = None, None, []
            else:
                inside.append(line)
        elif found := _FENCE.match(line):
            fence = found
        elif found := _MARK.match(line):
            mark = found
        elif line.strip():
            mark = None


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside of fenced blocks, with their numbers."""
    ticks = ""
    for number, line in enumerate(text.splitlines(), 1):
        found = _FENCE.match(line)
        if ticks:
            if line.strip().startswith(ticks):
                ticks = ""
        elif found:
            ticks = found["ticks"]
        else:
            yield number, line


def headings(text: str) -> list[str]:
    """The texts of all headings, as written."""
    return [found["text"] for _, line in prose(text) if (found := _HEADING.match(line))]


def anchors(text: str) -> set[str]:
    """What can stand behind ``#``: headings as GitHub names them, and explicit anchors."""
    found: set[str] = set(re.findall(r"<a\s+(?:id|name)=\"([^\"]+)\"", text))
    for heading in headings(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")
        copies = (f"{name}-{number}" for number in range(1, 1000))
        found.add(name if name not in found else next(each for each in copies if each not in found))
    return found


def links(text: str) -> Iterator[tuple[int, str]]:
    """Where links lead, with their line numbers; not those inside code."""
    for number, line in prose(text):
        plain = re.sub(r"`[^`]*`", "``", line)
        for found in _LINK.finditer(plain):
            yield number, found["target"]
        if defined := _REFERENCE.match(plain):
            yield number, defined["target"]


def broken_links(path: Path, root: Path = ROOT) -> Iterator[str]:
    """Links that lead to no file, to no heading, or out of the repository."""
    text = path.read_text(encoding="utf-8")
    for number, target in links(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        other = (path.parent / name).resolve() if name else path
        where = f"{path.relative_to(root)}:{number}: {target}"
        if not other.is_relative_to(root) or not other.exists():
            yield f"{where} leads nowhere"
        elif anchor and anchor not in anchors(other.read_text(encoding="utf-8")):
            yield f"{where} names no heading"


def _outdent(line: str, count: int) -> str:
    return line[count:] if not line[:count].strip() else line
