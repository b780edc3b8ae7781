"""What no source may contain. Each rule returns one line for each place that breaks it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

from .repository import CORE, Call, Module, Role, distributions, is_inside, of_role, place

KNOWN_PROVIDERS = frozenset(
    {"espeak", "fish", "kokoro", "piper", "pocketsphinx", "qwen", "whisper"}
)
"""Checked for even where such a provider is not in the repository."""

DATA_FILES = frozenset({"compat.toml", "known.toml", "known.json"})
"""The only files of core and server that may name providers and their models."""

API_FIELDS = frozenset(
    {
        "input",
        "file",
        "response_format",
        "stream_format",
        "reference_audio",
        "timestamp_granularities",
        "timestamp_granularities[]",
        "chunking_strategy",
        "include",
        "include[]",
    }
)
"""Fields of the server's API that core's requests do not have."""

_ROUTE = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE) /|(?<![\w.])/(?:v1|api)/")

WEB_FILES = frozenset({".css", ".html", ".js", ".mjs", ".svg"})

PICKLES = frozenset({"cPickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"})


def provider_names(root: Path) -> Iterator[str]:
    """Core and server name no provider: not in code, not in pages; comments may explain."""
    names = set(KNOWN_PROVIDERS)
    for distribution in distributions(root):
        if distribution.role is Role.PROVIDER:
            names.add(distribution.name.removeprefix("open-speech-provider-"))
    pattern = re.compile(rf"(?<![a-z])(?:{'|'.join(sorted(names))})(?![a-z])", re.IGNORECASE)
    for _, module in of_role(root, Role.CORE, Role.SERVER):
        for line, text in _code_texts(module.tree):
            if found := pattern.search(text):
                yield f"{place(module, line)} names {found.group()!r}"
    for distribution in distributions(root):
        if distribution.role is not Role.PROVIDER:
            yield from _data_names(distribution.folder / "src", pattern)


def http_outside_the_server(root: Path) -> Iterator[str]:
    """Core and providers speak of no route and of no field that only a request over HTTP has.

    A client of somebody else's server may name that one's routes, outside of sentences.
    """
    for _, module in of_role(root, Role.CORE, Role.PROVIDER):
        for line, text in _code_texts(module.tree):
            if _ROUTE.search(text) and " " in text.strip():
                yield f"{place(module, line)} speaks of a route: {text.strip()[:60]!r}"
        if is_inside(module.name, f"{CORE}.text"):
            continue
        for call in module.calls:
            for given in call.node.keywords:
                value = given.value
                for node in ast.walk(value) if given.arg == "param" else ():
                    if isinstance(node, ast.Constant) and node.value in API_FIELDS:
                        yield f"{place(module, node.lineno)} names the field {node.value!r}"


def pickles(root: Path) -> Iterator[str]:
    """Nothing is unpickled: that runs whatever the file says."""
    for _, module in of_role(root, *Role):
        for found in module.imports:
            if found.top in PICKLES:
                yield f"{place(module, found.line)} imports {found.module}"
        yield from _calls(module, _unpickles)


def remote_code(root: Path) -> Iterator[str]:
    """No weights bring their own code."""
    for _, module in of_role(root, *Role):
        yield from _calls(module, lambda call: call.passes("trust_remote_code"))
        for line, text in _code_texts(module.tree):
            if text == "trust_remote_code":
                yield f"{place(module, line)} names trust_remote_code"


def archives(root: Path) -> Iterator[str]:
    """No archive is unpacked. The test kit writes wheels, so it may open zip files."""
    for _, module in of_role(root, *Role):
        for found in module.imports:
            zipped = found.top == "zipfile" and not is_inside(module.name, f"{CORE}.testing")
            if found.top in {"tarfile", "patoolib", "py7zr"} or zipped:
                yield f"{place(module, found.line)} imports {found.module}"
        yield from _calls(module, _unpacks)


def shells(root: Path) -> Iterator[str]:
    """No text becomes a shell command, no audio goes through the command ffmpeg."""
    for _, module in of_role(root, *Role):
        yield from _calls(module, _starts_shell)
        yield from _calls(module, _starts_ffmpeg)


def collections(root: Path) -> Iterator[str]:
    """Nobody collects garbage at work: memory comes back when a worker ends.

    Once, right before `gc.freeze`, is how a process settles after its start.
    """
    for _, module in of_role(root, *Role):
        settling = _before_freezing(module.tree)
        for call in module.calls:
            if call.name == "gc.collect" and id(call.node) not in settling:
                yield f"{place(module, call.node.lineno)} calls gc.collect()"


def long_files(root: Path, *, lines: int = 700) -> Iterator[str]:
    """A longer file wants to be two."""
    for _, module in of_role(root, *Role):
        count = module.path.read_text(encoding="utf-8").count("\n")
        if count > lines:
            yield f"{place(module)} has {count} lines"


def long_functions(root: Path, *, lines: int = 60) -> Iterator[str]:
    """A longer function wants two names."""
    for _, module in of_role(root, *Role):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count = (node.end_lineno or node.lineno) - node.lineno + 1
                if count > lines:
                    yield f"{place(module, node.lineno)} {node.name} has {count} lines"


def _before_freezing(tree: ast.Module) -> set[int]:
    """Calls, by identity, that stand right before `gc.freeze()`."""
    return {
        id(before.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for before, after in pairwise(node.body)
        if ast.unparse(after) == "gc.freeze()" and isinstance(before, ast.Expr)
    }


def _code_texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts and names that take part in the program: no docstring, no comment."""
    explanations = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in explanations:
                yield node.lineno, text
            case ast.Name(id=text) | ast.Attribute(attr=text):
                yield node.lineno, text
            case ast.FunctionDef(name=text) | ast.AsyncFunctionDef(name=text):
                yield node.lineno, text
            case ast.ClassDef(name=text):
                yield node.lineno, text
            case ast.keyword(arg=str(text)):
                yield node.value.lineno, text


def _data_names(source: Path, pattern: re.Pattern[str]) -> Iterator[str]:
    for path in sorted(source.rglob("*")):
        if path.name in DATA_FILES or path.suffix not in WEB_FILES | {".json", ".toml"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if found := pattern.search(line):
                yield f"{path.relative_to(source)}:{number} names {found.group()!r}"


def _calls(module: Module, wrong: Callable[[Call], bool]) -> Iterator[str]:
    for call in module.calls:
        if wrong(call):
            yield f"{place(module, call.node.lineno)} calls {ast.unparse(call.node)[:80]}"


def _unpickles(call: Call) -> bool:
    if call.name in {"torch.load", "torch.jit.load"}:
        return not any(
            given.arg == "weights_only" and ast.unparse(given.value) == "True"
            for given in call.node.keywords
        )
    return call.passes("allow_pickle") or call.last in {"Unpickler", "read_pickle"}


def _unpacks(call: Call) -> bool:
    return call.last in {"extract", "extractall", "unpack_archive"}


def _starts_shell(call: Call) -> bool:
    shell = call.name in {"os.system", "os.popen"} or call.last == "create_subprocess_shell"
    return shell or call.passes("shell")


def _starts_ffmpeg(call: Call) -> bool:
    starts = any(word in call.name for word in ("subprocess", "Popen", "execv", "spawn"))
    return starts and any(
        isinstance(node, ast.Constant) and node.value in {"ffmpeg", "ffprobe", "sox"}
        for node in ast.walk(call.node)
    )
