"""What each distribution must have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from packaging.requirements import Requirement

from .repository import Distribution, Role

Rule = Callable[[Path], Iterator[str]]

AUTHORS = [{"name": "The Open Speech authors"}]
FILES = ("CHANGELOG.md", "LICENSE", "README.md")

COPYLEFT = frozenset({"open-speech-provider-espeak", "open-speech-provider-piper"})
"""Distributions that load a library under GPL-3 into their own process."""


def incomplete(distribution: Distribution) -> Iterator[str]:
    """One sentence for each thing that is missing or wrong."""
    yield from _files(distribution)
    yield from _metadata(distribution)
    yield from _licence(distribution)
    if distribution.role is not Role.CORE:
        yield from _core_range(distribution)
    if distribution.role is Role.PROVIDER:
        yield from _entry_point(distribution)


def _files(distribution: Distribution) -> Iterator[str]:
    marker = f"src/{distribution.package}/py.typed"
    for name in (*FILES, marker):
        if not (distribution.folder / name).is_file():
            yield f"{distribution.name} lacks {name}."
    if not any((distribution.folder / "tests").glob("test_*.py")):
        yield f"{distribution.name} has no tests."
    folder = "server" if distribution.role is Role.SERVER else distribution.name
    if distribution.folder.name != folder:
        yield f"{distribution.name} lies in a folder named {distribution.folder.name}."


def _metadata(distribution: Distribution) -> Iterator[str]:
    project = distribution.project
    for field in ("version", "description", "readme", "requires-python", "license-files"):
        if not project.get(field):
            yield f"{distribution.name} declares no {field}."
    if project.get("authors") != AUTHORS:
        yield f"{distribution.name} names other authors than {AUTHORS}."
    if project.get("urls"):
        yield f"{distribution.name} gives an address that does not exist yet."


def _licence(distribution: Distribution) -> Iterator[str]:
    copyleft = distribution.name in COPYLEFT
    expected = "GPL-3.0-or-later" if copyleft else "Apache-2.0"
    if distribution.project.get("license") != expected:
        yield f"{distribution.name} must declare the licence {expected}."
    file = distribution.folder / "LICENSE"
    title = "GNU GENERAL PUBLIC LICENSE" if copyleft else "Apache License"
    if file.is_file() and title not in file.read_text(encoding="utf-8"):
        yield f"{distribution.name} carries another licence's text than that of {expected}."


def _core_range(distribution: Distribution) -> Iterator[str]:
    """Core's next major version may break it, so that one is excluded."""
    for line in distribution.project.get("dependencies", []):
        requirement = Requirement(line)
        if requirement.name == "open-speech-core":
            operators = {specifier.operator for specifier in requirement.specifier}
            if operators != {">=", "<"}:
                yield f"{distribution.name} must give core a range, such as >=0.1,<1."
            return
    yield f"{distribution.name} does not depend on open-speech-core in any range."


def _entry_point(distribution: Distribution) -> Iterator[str]:
    name = distribution.name.removeprefix("open-speech-provider-")
    group = distribution.project.get("entry-points", {}).get("open_speech", {})
    module = str(group.get(name, ""))
    if set(group) != {name} or module.split(".", maxsplit=1)[0] != distribution.package:
        yield f"{distribution.name} needs one entry point open_speech: {name} = its package."
