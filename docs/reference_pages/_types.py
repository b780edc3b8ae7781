"""Types: everything that ``import open_speech`` offers, by module."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import open_speech

from ._markdown import block, code, document, inline, prose, table
from ._source import Entry, class_of, entries, methods, tree_of

_INTRODUCTION = (
    "Everything here is imported from `open_speech`. Data types are frozen and take keywords "
    "only: a new field with a default breaks nobody."
)


def page() -> str:
    """The page types.md."""
    parts = ["# Types", _INTRODUCTION]
    for module, names in by_module().items():
        parts.append(f"## {_title(module)}")
        parts.append(prose(inspect.getdoc(module) or ""))
        parts += [_section(module, name) for name in names]
    return document(*parts)


def by_module() -> dict[ModuleType, list[str]]:
    """Public names by the module that defines them, as the sources order them."""
    found: dict[ModuleType, list[str]] = {}
    for module in _modules():
        defined = [
            name
            for node in tree_of(module).body
            if (name := _defined(node)) in open_speech.__all__ and not name.startswith("__")
        ]
        if defined:
            found[module] = defined
    return found


def _title(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2].replace("_", " ").capitalize()


def _modules() -> Iterator[ModuleType]:
    """Where ``open_speech`` takes its names from, in the order of its imports."""
    for node in ast.walk(tree_of(open_speech)):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield import_module(f"{open_speech.__name__}.{node.module}")


def _defined(node: ast.stmt) -> str:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return ""


def _section(module: ModuleType, name: str) -> str:
    node = class_of(module, name)
    body = tree_of(module).body
    if function := next((found for found in methods(body) if found.name == name), None):
        return document(f"### {name}", block(function.signature), prose(function.text))
    if node is None:
        entry = next(entry for entry in entries(body) if entry.name == name)
        return document(f"### {name}", block(f"{name} = {entry.default}"), prose(entry.text))
    bases = [ast.unparse(base) for base in node.bases]
    kinds = f"A kind of {', '.join(f'`{base}`' for base in bases)}." if bases else ""
    fields = list(entries(node.body))
    enum = any("Enum" in base for base in bases)
    return document(
        f"### {name}",
        prose(inspect.cleandoc(ast.get_docstring(node) or "")),
        kinds,
        (_members(fields) if enum else _fields(fields)) if fields else "",
        *(
            document(
                block(f"{method.signature}{'  (abstract)' if method.abstract else ''}"),
                prose(method.text),
            )
            for method in methods(node.body)
        ),
    )


def _members(fields: list[Entry]) -> str:
    rows = [[code(field.name), code(field.default), inline(field.text)] for field in fields]
    return table(["Member", "Value", "Meaning"], rows)


def _fields(fields: list[Entry]) -> str:
    rows = [
        [code(field.name), code(field.annotation), code(field.default), inline(field.text)]
        for field in fields
    ]
    return table(["Field", "Type", "Default", "Meaning"], rows)
