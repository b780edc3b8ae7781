"""The repository as data: its distributions, their modules and what each module imports."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CORE = "open_speech"
SERVER = "open_speech_server"
PROVIDER_PREFIX = "open_speech_provider_"


class Role(StrEnum):
    """What a distribution is."""

    CORE = "core"
    PROVIDER = "provider"
    SERVER = "server"


@dataclass(frozen=True, kw_only=True)
class Import:
    """One name that a module imports."""

    module: str
    """Absolute: relative imports are resolved."""
    name: str | None
    """What is taken from the module; None for `import module`."""
    line: int
    eager: bool
    """It happens when the module is imported, not later inside a function."""

    @property
    def top(self) -> str:
        """The first component."""
        return self.module.partition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Call:
    """One place where something is called."""

    name: str
    """As written: `torch.load`."""
    node: ast.Call

    @property
    def last(self) -> str:
        """The name without what it belongs to: `load`."""
        return self.name.rpartition(".")[2]

    def passes(self, keyword: str) -> bool:
        """Whether the keyword is given and is not plainly False."""
        return any(
            given.arg == keyword
            and not (isinstance(given.value, ast.Constant) and given.value.value is False)
            for given in self.node.keywords
        )


@dataclass(frozen=True)
class Module:
    """One source file."""

    name: str
    path: Path

    @property
    def package(self) -> str:
        """What relative imports start from."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.path.read_text(encoding="utf-8"), str(self.path))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import but those for type checkers alone."""
        return tuple(_imports(self.tree.body, self.package, eager=True))

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """Every call in it."""
        return tuple(
            Call(name=ast.unparse(node.func), node=node)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
        )

    @cached_property
    def exported(self) -> frozenset[str] | None:
        """Its `__all__`, where it has one."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return frozenset(ast.literal_eval(node.value))
        return None


@dataclass(frozen=True)
class Distribution:
    """One folder with a pyproject.toml."""

    folder: Path

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """What its pyproject.toml says."""
        return tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))

    @property
    def project(self) -> dict[str, Any]:
        """The table `project`."""
        table: dict[str, Any] = self.pyproject["project"]
        return table

    @property
    def name(self) -> str:
        """As a package index knows it."""
        return str(self.project["name"])

    @property
    def package(self) -> str:
        """What one imports."""
        return CORE if self.role is Role.CORE else self.name.replace("-", "_")

    @property
    def role(self) -> Role:
        """Told by the name, which `test_layout` checks."""
        if self.name == "open-speech-core":
            return Role.CORE
        return Role.SERVER if self.name == "open-speech-server" else Role.PROVIDER

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """Its sources, without its tests."""
        source = self.folder / "src"
        return tuple(
            _module(_dotted(path.relative_to(source)), path, path.stat().st_mtime_ns)
            for path in sorted(source.rglob("*.py"))
        )


def distributions(root: Path = ROOT) -> list[Distribution]:
    """Every distribution of the repository: a new folder is found by itself."""
    files = [*root.glob("packages/*/pyproject.toml"), *root.glob("apps/*/pyproject.toml")]
    return [Distribution(file.parent) for file in sorted(files)]


def of_role(root: Path, *roles: Role) -> Iterator[tuple[Distribution, Module]]:
    """Every module of the distributions with one of these roles."""
    for distribution in distributions(root):
        if distribution.role in roles:
            for module in distribution.modules:
                yield distribution, module


def is_inside(module: str, package: str) -> bool:
    """Whether a dotted name is a package or lies in it."""
    return module == package or module.startswith(f"{package}.")


def place(module: Module, line: int | None = None) -> str:
    """Where a rule is broken, for people: the distribution's folder and below."""
    shown = "/".join(module.path.parts[-4:])
    return f"{shown}:{line}" if line else shown


@cache
def _module(name: str, path: Path, changed: int) -> Module:
    """Read each version of a file once, however many rules look at it."""
    return Module(name, path)


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(body: list[ast.stmt], package: str, *, eager: bool) -> Iterator[Import]:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module=alias.name, name=None, line=node.lineno, eager=eager)
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, package)
            for alias in node.names:
                yield Import(module=origin, name=alias.name, line=node.lineno, eager=eager)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _imports(node.orelse, package, eager=eager)
        else:
            inside = eager and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for block in _blocks(node):
                yield from _imports(block, package, eager=inside)


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        yield getattr(node, field, [])
    for handler in getattr(node, "handlers", []):
        yield handler.body
    for case in getattr(node, "cases", []):
        yield case.body


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parent = package.split(".")
    parent = parent[: len(parent) - node.level + 1]
    return ".".join([*parent, *(node.module.split(".") if node.module else [])])
