"""Hooks: each with the exact list of its arguments as heading."""

from __future__ import annotations

import ast

from open_speech._plugins import hookspecs

from ._markdown import block, document, prose
from ._source import entries, signature, tree_of


def page() -> str:
    """The page hooks.md."""
    parts = ["# Hooks", prose(hookspecs.__doc__ or "")]
    for node in tree_of(hookspecs).body:
        if isinstance(node, ast.FunctionDef) and _is_hook(node):
            parts += [
                f"## {node.name}({ast.unparse(node.args)})",
                block(signature(node)),
                prose(ast.get_docstring(node) or ""),
            ]
    parts.append("## Constants")
    parts += [
        f"- `{entry.name} = {entry.default}`: {prose(entry.text)}"
        for entry in entries(tree_of(hookspecs).body)
        if entry.text
    ]
    return document(*parts)


def _is_hook(node: ast.FunctionDef) -> bool:
    return any(ast.unparse(mark).split("(")[0] == "hookspec" for mark in node.decorator_list)
