"""A complete provider is short: that of the tutorial, which another test runs."""

from __future__ import annotations

import ast
import io
import tokenize

from documents import markdown
from rules.repository import ROOT

MAX_LINES = 20
MAX_NAMES = 6
_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def shortest() -> str:
    """The module of the tutorial's provider."""
    text = (ROOT / "docs" / "tutorial" / "write-a-provider.md").read_text(encoding="utf-8")
    (found,) = (block.text for block in markdown.blocks(text) if "class TickBackend" in block.text)
    return found


def code_lines(source: str) -> set[int]:
    """Numbers of the lines that hold code: no blank line, no comment, no docstring."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {
        number
        for token in tokens
        if token.type not in _NO_CODE and token.string
        for number in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def imported(source: str, package: str) -> list[str]:
    """Names that a module imports from a package."""
    return [
        name.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package
        for name in node.names
    ]


def test_a_complete_provider_has_few_lines() -> None:
    assert len(code_lines(shortest())) <= MAX_LINES


def test_a_complete_provider_needs_few_names() -> None:
    names = imported(shortest(), "open_speech")
    assert 0 < len(names) <= MAX_NAMES, names


def test_lines_and_names_are_counted() -> None:
    source = (
        '"""A\nmodule."""\n\nfrom open_speech.x import (\n    A,\n    B,\n)\n'
        '\n# No.\nx = """1\n2"""\n'
    )
    assert code_lines(source) == {4, 5, 6, 7, 10, 11}
    assert imported(source, "open_speech") == ["A", "B"]
