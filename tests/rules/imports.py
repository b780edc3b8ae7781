"""Who may import whom. Each rule returns one line for each place that breaks it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from .repository import (
    CORE,
    PROVIDER_PREFIX,
    SERVER,
    Distribution,
    Import,
    Module,
    Role,
    distributions,
    is_inside,
    of_role,
    place,
)

OWN_ENVIRONMENT = "open-speech-environment.toml"
"""Where a provider lists what only an environment of its own is given."""

BASE = frozenset({"numpy", "pluggy"})
"""What core needs without extras."""

EXTRAS = {
    f"{CORE}.codecs": "audio",
    f"{CORE}.store": "hub",
    f"{CORE}.text": "text",
    f"{CORE}.testing": "testing",
}
"""Parts of core that may import what an extra of that name declares."""

WORKER_SIDE = frozenset(
    f"{CORE}.{name}"
    for name in (
        "_operations",
        "_plugins.backends",
        "_plugins.discovery",
        "_plugins.hookspecs",
        "_plugins.manifest",
        "_plugins.options",
        "_types",
        "_worker",
        "errors",
        "voices.mix",
    )
)
"""What runs next to an engine, in environments whose versions we do not choose."""

PROVIDER_API = frozenset({CORE, f"{CORE}.errors"})
"""Modules of core that are written for providers."""

ENGINES = frozenset(
    {
        "ctranslate2",
        "espeakng_loader",
        "faster_whisper",
        "kokoro",
        "misaki",
        "onnxruntime",
        "piper",
        "pocketsphinx",
        "qwen_tts",
        "tokenizers",
        "torch",
        "torchaudio",
        "transformers",
    }
)
WEB = frozenset({"fastapi", "pydantic", "pydantic_settings", "starlette", "uvicorn"})


def core_imports_only_its_base(root: Path) -> Iterator[str]:
    """Core without extras needs the standard library, numpy and pluggy."""
    for _, module in of_role(root, Role.CORE):
        if any(is_inside(module.name, part) for part in EXTRAS):
            continue
        for found in module.imports:
            if not _standard(found) and found.top not in BASE | {CORE}:
                yield f"{place(module, found.line)} imports {found.module}"


def core_imports_no_engine(root: Path) -> Iterator[str]:
    """No part of core imports a provider, an engine, the server or what it is made of."""
    for _, module in of_role(root, Role.CORE):
        for found in module.imports:
            foreign = found.top in ENGINES | WEB | {SERVER}
            if foreign or found.top.startswith(PROVIDER_PREFIX):
                yield f"{place(module, found.line)} imports {found.module}"


def worker_side_imports_no_extra(root: Path) -> Iterator[str]:
    """What runs in a worker imports no part of core that needs an extra, not even by detours."""
    known = {module.name: module for _, module in of_role(root, Role.CORE)}
    beside = (name for name in known if any(is_inside(name, part) for part in WORKER_SIDE))
    for start in sorted(beside):
        for name, trail in _reached(start, known).items():
            if any(is_inside(name, part) for part in EXTRAS):
                yield " -> ".join([*trail, name])
        for found in known[start].imports:
            target = _target(found, known)
            if any(is_inside(target, part) for part in EXTRAS):
                yield f"{place(known[start], found.line)} imports {target}, if only later"


def third_parties_are_declared(root: Path) -> Iterator[str]:
    """Whatever a distribution imports, it asks for: anywhere, or in an environment of its own."""
    owners = packages_distributions()
    for distribution in distributions(root):
        declared = _declared(distribution)
        for module in distribution.modules:
            for found in module.imports:
                if _standard(found) or found.top == distribution.package:
                    continue
                names = {_normal(owner) for owner in owners.get(found.top, [])}
                guess = _normal(found.top)
                if not names and any(guess in name for name in declared):
                    continue
                if not names & declared:
                    yield f"{place(module, found.line)} imports {found.module}, not declared"


def providers_use_public_names(root: Path) -> Iterator[str]:
    """A provider takes from core what is written for providers, and nothing private."""
    known = {module.name: module for _, module in of_role(root, Role.CORE)}
    for _, module in of_role(root, Role.PROVIDER):
        for found in module.imports:
            if found.top != CORE:
                continue
            if found.module not in PROVIDER_API:
                yield f"{place(module, found.line)} imports {found.module}, not for providers"
            else:
                yield from _private(module, found, known)


def providers_stand_alone(root: Path) -> Iterator[str]:
    """A provider imports no other provider, nothing of the server, and no client of the hub."""
    for distribution, module in of_role(root, Role.PROVIDER):
        for found in module.imports:
            other = found.top.startswith(PROVIDER_PREFIX) and found.top != distribution.package
            if other or found.top in WEB | {SERVER, "huggingface_hub"}:
                yield f"{place(module, found.line)} imports {found.module}"


def importing_a_provider_imports_no_engine(root: Path) -> Iterator[str]:
    """What the import of a provider drags in is the standard library, numpy and core."""
    for distribution in distributions(root):
        if distribution.role is not Role.PROVIDER:
            continue
        known = {module.name: module for module in distribution.modules}
        for entry in _entry_modules(distribution):
            for name, trail in _reached(entry, known).items():
                top = name.partition(".")[0]
                if top not in {*sys.stdlib_module_names, "numpy", CORE, distribution.package}:
                    yield " -> ".join([*trail, name])


def server_uses_public_names(root: Path) -> Iterator[str]:
    """The server is one consumer of core: public names only."""
    known = {module.name: module for _, module in of_role(root, Role.CORE)}
    for _, module in of_role(root, Role.SERVER):
        for found in module.imports:
            if found.top == CORE:
                yield from _private(module, found, known)


def server_imports_no_engine(root: Path) -> Iterator[str]:
    """The server knows no provider and no engine."""
    for _, module in of_role(root, Role.SERVER):
        for found in module.imports:
            if found.top in ENGINES or found.top.startswith(PROVIDER_PREFIX):
                yield f"{place(module, found.line)} imports {found.module}"


def one_file_reads_the_environment(root: Path) -> Iterator[str]:
    """In the server only settings.py does; core's callers decide for core."""
    names = {"environ", "environb", "getenv"}
    for _, module in of_role(root, Role.SERVER):
        if module.name == f"{SERVER}.settings.settings":
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in names:
                yield f"{place(module, node.lineno)} reads {ast.unparse(node)}"
        for found in module.imports:
            if found.module == "os" and found.name in names:
                yield f"{place(module, found.line)} imports os.{found.name}"


def one_module_talks_to_the_hub(root: Path) -> Iterator[str]:
    """All but the first module that imports the hub's client."""
    users = [
        module
        for _, module in of_role(root, *Role)
        if any(found.top == "huggingface_hub" for found in module.imports)
    ]
    for module in users[1:]:
        yield f"{place(module)} imports huggingface_hub, as does {place(users[0])}"


def _standard(found: Import) -> bool:
    return found.top in sys.stdlib_module_names


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _declared(distribution: Distribution) -> set[str]:
    """Normalised names of all dependencies: of extras and of an environment of its own, too."""
    project = distribution.project
    extras: Iterable[list[str]] = project.get("optional-dependencies", {}).values()
    lines = [*project.get("dependencies", []), *(line for extra in extras for line in extra)]
    for file in distribution.folder.glob(f"src/*/{OWN_ENVIRONMENT}"):
        lines += [line for part in tomllib.loads(file.read_text("utf-8")).values() for line in part]
    return {_normal(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in lines}


def _entry_modules(distribution: Distribution) -> list[str]:
    group = distribution.project.get("entry-points", {}).get(CORE, {})
    return [value.partition(":")[0] for value in group.values()] or [distribution.package]


def _private(module: Module, found: Import, known: dict[str, Module]) -> Iterator[str]:
    parts = [*found.module.split("."), *([found.name] if found.name else [])]
    if any(part.startswith("_") and part != "__version__" for part in parts):
        yield f"{place(module, found.line)} imports {'.'.join(parts)}, which is private"
        return
    origin = known.get(found.module)
    listed = origin.exported if origin else None
    if listed is None:
        yield f"{place(module, found.line)}: {found.module} has no __all__, so it promises nothing"
    elif found.name and found.name not in listed and ".".join(parts) not in known:
        yield f"{place(module, found.line)}: {found.module}.__all__ lacks {found.name}"


def _target(found: Import, known: dict[str, Module]) -> str:
    """The module that an import loads: `from package import module` names it last."""
    full = f"{found.module}.{found.name}"
    return full if full in known else found.module


def _reached(start: str, known: dict[str, Module]) -> dict[str, list[str]]:
    """Every module that importing one loads, with the way there; parents load as well."""
    trails: dict[str, list[str]] = {}
    waiting: list[tuple[str, list[str]]] = [(start, [])]
    while waiting:
        name, trail = waiting.pop(0)
        if name in trails:
            continue
        trails[name] = trail
        if parent := name.rpartition(".")[0]:
            waiting.append((parent, [*trail, name]))
        if name in known:
            waiting += [
                (_target(found, known), [*trail, name])
                for found in known[name].imports
                if found.eager
            ]
    return trails
