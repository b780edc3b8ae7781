"""Reading sources: what Python forgets at run time is the text under a field."""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from types import ModuleType


@dataclass(frozen=True)
class Entry:
    """One field, constant or member with the text under it."""

    name: str
    annotation: str
    default: str
    """As written; empty where there is none."""
    text: str


@dataclass(frozen=True)
class Method:
    """One function or property of a class, or of a module."""

    name: str
    signature: str
    """``name(arguments) -> result``, or ``name: result`` of a property."""
    text: str
    abstract: bool = False


@cache
def tree_of(module: ModuleType) -> ast.Module:
    """A module's syntax."""
    return ast.parse(inspect.getsource(module))


def class_of(module: ModuleType, name: str) -> ast.ClassDef | None:
    """The class of that name, if the module defines it."""
    for node in tree_of(module).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    return None


def entries(body: list[ast.stmt]) -> Iterator[Entry]:
    """The public assignments of a class or module, in order."""
    for node, after in zip(body, [*body[1:], None], strict=True):
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                found = Entry(name, ast.unparse(annotation), _default(value), _text(after))
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found = Entry(name, "", ast.unparse(value), _text(after))
            case _:
                continue
        if not name.startswith("_"):
            yield found


def methods(body: list[ast.stmt]) -> Iterator[Method]:
    """The public functions of a class or module, in order."""
    for node in body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_") and node.name not in {"__init__", "__call__"}:
            continue
        marks = {ast.unparse(mark).rpartition(".")[2] for mark in node.decorator_list}
        text = ast.get_docstring(node) or ""
        if marks & {"setter", "overload"} or (node.name == "__init__" and not text):
            continue
        yield Method(node.name, signature(node, marks), text, "abstractmethod" in marks)


def signature(
    node: ast.FunctionDef | ast.AsyncFunctionDef, marks: AbstractSet[str] = frozenset()
) -> str:
    """How one calls it, without ``self``."""
    result = ast.unparse(node.returns) if node.returns else "None"
    if marks & {"property", "cached_property"}:
        return f"{node.name}: {result}"
    arguments = copy.deepcopy(node.args)
    if arguments.args and arguments.args[0].arg in {"self", "cls"}:
        arguments.args.pop(0)
    word = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"{word}{node.name}({ast.unparse(arguments)}) -> {result}"


def _default(value: ast.expr | None) -> str:
    """``field(default=x)`` and ``field(default_factory=x)`` as one would say them."""
    if not isinstance(value, ast.Call) or ast.unparse(value.func) != "field":
        return ast.unparse(value) if value else ""
    for given in value.keywords:
        if given.arg == "default":
            return ast.unparse(given.value)
        if given.arg == "default_factory":
            return f"{ast.unparse(given.value)}()"
    return ""


def _text(node: ast.stmt | None) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return inspect.cleandoc(text)
    return ""
