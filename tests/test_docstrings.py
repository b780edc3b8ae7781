"""The examples in docstrings run: whatever is indented there and reads as Python."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from open_speech.testing.install import install_provider
from rules.repository import ROOT, distributions

_BLOCK = re.compile(r"(?:^|\n)\n((?: {4,}.*(?:\n|$)|\n(?= {4}))+)")
TIMEOUT_S = 300.0


def examples(docstring: str) -> Iterator[str]:
    """What is indented and reads as Python; layouts, tables and commands do not."""
    for block in _BLOCK.findall(docstring):
        text = textwrap.dedent(block).strip()
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue
        if any(isinstance(node, ast.Import | ast.ImportFrom | ast.Call) for node in ast.walk(tree)):
            yield text


def documented() -> Iterator[tuple[str, str]]:
    """Each example of the sources of all distributions, with its place."""
    for distribution in distributions():
        for module in distribution.modules:
            for node in ast.walk(module.tree):
                if not isinstance(
                    node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
                ):
                    continue
                name = getattr(node, "name", "")
                for text in examples(ast.get_docstring(node) or ""):
                    yield f"{module.path.relative_to(ROOT)}:{name}".rstrip(":"), text


EXAMPLES = list(documented())


def run(source: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run an example alone, where a provider for tests is installed."""
    install_provider(folder / "site", "tone", "open_speech.testing.tone")
    return subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", source],
        env={**os.environ, "PYTHONPATH": str(folder / "site")},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.mark.parametrize("source", [text for _, text in EXAMPLES], ids=[at for at, _ in EXAMPLES])
def test_an_example_runs(source: str, tmp_path: Path) -> None:
    done = run(source, tmp_path)
    assert done.returncode == 0, done.stderr


def test_there_are_examples() -> None:
    assert any("Portal()" in text for _, text in EXAMPLES)


def test_an_example_of_a_method_that_does_not_exist_is_found(tmp_path: Path) -> None:
    docstring = "Speaks::\n\n    from open_speech import OpenSpeech\n\n    OpenSpeech.whisper()\n"
    (found,) = examples(docstring)
    assert "whisper" in run(found, tmp_path).stderr


@pytest.mark.parametrize(
    "docstring",
    [
        "One sentence.",
        "A layout::\n\n    <root>/model/\n        file.bin\n",
        "A command::\n\n    python -m something FOLDER --port 1\n",
        "A table::\n\n    [any]\n    nginx = { say = 'x' }\n",
    ],
)
def test_what_is_no_python_is_left_alone(docstring: str) -> None:
    assert list(examples(docstring)) == []
