"""The names that compatibility.md promises: what each public module of core exports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from ._markdown import block, document, inline

CORE = Path(__file__).parents[2] / "packages" / "open-speech-core" / "src" / "open_speech"
PROVIDERS = ("open_speech", "open_speech.errors", "open_speech.testing")
"""Modules that the authors of providers need, with everything below the last one."""

_INTRODUCTION = (
    "[What stays compatible](../explanation/compatibility.md) applies to these names, and to no "
    "others. A module that is not listed may change in any release."
)


def page() -> str:
    """The page public-api.md."""
    listed = dict(exported())
    providers = [name for name in listed if _is_for_providers(name)]
    applications = [name for name in listed if name not in providers]
    return document(
        "# Public API",
        _INTRODUCTION,
        "## For providers",
        *(_section(name, *listed[name]) for name in providers),
        "## For applications",
        *(_section(name, *listed[name]) for name in applications),
    )


def exported() -> Iterator[tuple[str, tuple[str, list[str]]]]:
    """Each public module with a list of exports: its name, first sentence, and names."""
    for path in sorted(CORE.rglob("*.py")):
        parts = path.relative_to(CORE.parent).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = _exports(tree)
        if names and not any(part.startswith("_") for part in parts):
            summary = (ast.get_docstring(tree) or "").partition("\n\n")[0]
            yield ".".join(parts), (summary.replace("\n", " "), names)


def _is_for_providers(name: str) -> bool:
    return name in PROVIDERS or name.startswith(f"{PROVIDERS[-1]}.")


def _section(name: str, summary: str, names: list[str]) -> str:
    return document(f"### {name}", inline(summary), block("\n".join(names)))


def _exports(tree: ast.Module) -> list[str]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List(elts=items)):
                return [str(item.value) for item in items if isinstance(item, ast.Constant)]
    return []
