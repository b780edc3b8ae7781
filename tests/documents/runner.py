"""Running the code of a document, from its first block to its last, in one empty folder.

A comment right above a block says what to do with it:

    <!-- test: run -->            run it (python or bash); it must succeed
    <!-- test: continue -->       python that goes on from the block before, in one program
    <!-- test: fails -->          run it; it must not succeed
    <!-- test: file NAME -->      put it into a file of that name, for the blocks that follow
    <!-- test: server -->         run it against a server on the address that the text shows
    <!-- test: skip REASON -->    leave it alone

Blocks without a mark are read, not run: python must compile; json, toml and yaml must parse.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from .markdown import Block, blocks

TIMEOUT_S = 120.0
ADDRESS = re.compile(r"(http|ws)s?://(?:127\.0\.0\.1|localhost):8100")
VERBS = frozenset({"", "run", "continue", "fails", "file", "server", "skip"})

PIP = """#!/usr/bin/env bash
# Stands in for pip, so that a document's example is installed for that document alone.
shift
arguments=()
for argument in "$@"; do
  case $argument in -e|--editable) ;; *) arguments+=("$argument") ;; esac
done
exec "{python}" -m pip install --quiet --disable-pip-version-check --no-deps \\
  --no-build-isolation --target "{site}" "${{arguments[@]}}"
"""


class DocumentError(Exception):
    """A block does not do what the document says."""


@dataclass(frozen=True)
class Runner:
    """One document at work."""

    folder: Path
    """Empty at first; where files are put and commands run."""
    server: Callable[[], str]
    """Starts a server, or gives the one that runs: its address without a slash at the end."""

    def run(self, text: str, name: str) -> int:
        """Do what the blocks say; how many were run. DocumentError names the line."""
        self._prepare()
        done = 0
        for block in _joined(text):
            try:
                done += self._do(block)
            except (DocumentError, SyntaxError, ValueError, yaml.YAMLError) as error:
                raise DocumentError(f"{name}:{block.line}: {error}") from error
        return done

    def _prepare(self) -> None:
        for part in ("bin", "site", "work"):
            (self.folder / part).mkdir()
        pip = self.folder / "bin" / "pip"
        pip.write_text(PIP.format(python=sys.executable, site=self.folder / "site"))
        pip.chmod(0o755)

    def _do(self, block: Block) -> int:
        if block.verb not in VERBS:
            raise DocumentError(f"unknown mark {block.verb!r}")
        if block.verb == "skip":
            if not block.argument:
                raise DocumentError("a block that is skipped needs a reason")
            return 0
        if block.verb == "file":
            self._put(block)
            return 0
        _read(block)
        if not block.verb:
            return 0
        self._execute(block)
        return 1

    def _put(self, block: Block) -> None:
        work = self.folder / "work"
        path = (work / block.argument).resolve()
        if not path.is_relative_to(work.resolve()):
            raise DocumentError(f"{block.argument} lies outside of the example")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def _execute(self, block: Block) -> None:
        text = self._addressed(block.text) if block.verb == "server" else block.text
        if block.language in {"python", "py"}:
            command = [sys.executable, "-W", "error", "-c", text]
        elif block.language in {"bash", "sh", "console"}:
            command = ["bash", "-euo", "pipefail", "-c", text]
        else:
            raise DocumentError(f"cannot run {block.language or 'a block without a language'}")
        done = subprocess.run(
            command,
            cwd=self.folder / "work",
            env=self._environment(),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
        if (done.returncode == 0) == (block.verb == "fails"):
            said = f"{done.stdout[-2000:]}{done.stderr[-4000:]}"
            raise DocumentError(f"ended with status {done.returncode}\n{text}\n{said}")

    def _addressed(self, text: str) -> str:
        """The text with the address of the server that runs."""
        host = self.server().removeprefix("http://")
        return ADDRESS.sub(lambda match: f"{match[1]}://{host}", text)

    def _environment(self) -> dict[str, str]:
        tools = [str(self.folder / "bin"), str(Path(sys.executable).parent)]
        return {
            **os.environ,
            "HOME": str(self.folder),
            "PATH": os.pathsep.join([*tools, os.environ["PATH"]]),
            "PYTHONPATH": str(self.folder / "site"),
        }


def unmarked_python(text: str) -> list[int]:
    """Lines of Python blocks of which nobody says whether they run."""
    return [block.line for block in blocks(text) if block.language == "python" and not block.verb]


def _joined(text: str) -> list[Block]:
    """The blocks, with each ``continue`` put at the end of the program that it goes on with.

    The earlier part still runs at its own place, so that a reader can stop there.
    """
    found: list[Block] = []
    for block in blocks(text):
        if block.verb == "continue":
            before = next((each for each in reversed(found) if each.language == "python"), None)
            if before is None:
                raise DocumentError(f"line {block.line} continues nothing")
            found.append(replace(before, text=f"{before.text}\n{block.text}", line=block.line))
        else:
            found.append(block)
    return found


def _read(block: Block) -> None:
    match block.language:
        case "python":
            compile(block.text, "block", "exec", dont_inherit=True)
        case "json":
            json.loads(block.text)
        case "toml":
            tomllib.loads(block.text)
        case "yaml" | "yml":
            list(yaml.safe_load_all(block.text))
