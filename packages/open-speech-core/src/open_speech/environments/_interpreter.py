"""Interpreters: what is installed for one, and layers on top of one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ._failures import InstallFailed
from ._records import Distribution, interpreter_of

_TIMEOUT_S = 120.0
_PTH = "zz_base.pth"
"""Sorts last, so that whatever the layer's own packages add stands in front of the base."""

_SITE = """
import json, os, site, sys, sysconfig
known = list(site.getsitepackages())
if site.ENABLE_USER_SITE:
    known.append(site.getusersitepackages())
known = {os.path.abspath(path) for path in known}
found = [path for path in sys.path if os.path.abspath(path) in known]
print(json.dumps(found or [sysconfig.get_path("purelib")]))
"""

_INVENTORY = """
import json, os, re, sys
from importlib.metadata import distributions
sized = set(sys.argv[2:])
names = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
extra = re.compile(r";.*\\bextra\\s*==")
def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()
def size(found):
    paths = (found.locate_file(file) for file in found.files or ())
    return sum(os.path.getsize(path) for path in paths if os.path.isfile(path))
out = {}
for found in distributions():
    name = normal(found.metadata["Name"] or "")
    if name and name not in out:
        out[name] = {
            "version": found.version,
            "requires": sorted({
                (normal(names.match(line)[0]), bool(extra.search(line)), line)
                for line in found.requires or ()
            }),
            "provider": any(point.group == sys.argv[1] for point in found.entry_points),
            "size_bytes": size(found) if name in sized else 0,
        }
print(json.dumps(out))
"""


_DATA = """
import json, sys
from importlib.metadata import distribution
name, file = sys.argv[1:]
found = [path for path in distribution(name).files or () if path.name == file]
print(json.dumps(found[0].locate().read_text("utf-8") if found else None))
"""


def clean_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Environment variables for another interpreter: without what would redirect its imports."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__")
    return {key: value for key, value in environ.items() if key not in dropped}


@dataclass(frozen=True, kw_only=True)
class Installed:
    """One entry of an inventory."""

    version: str
    requires: tuple[str, ...]
    """Normalised names, whatever their markers say of machine and Python."""
    extras: tuple[str, ...]
    """Names that only its extras require."""
    lines: tuple[str, ...]
    """Its requirements as its metadata writes them."""
    provider: bool
    """Declares an entry point of the group asked for."""
    size_bytes: int = 0
    """Bytes of its files, where asked for."""


def inventory(python: Path, group: str, sized: Iterable[str] = ()) -> dict[str, Installed]:
    """What an interpreter can import, by normalised name; the first on its path wins."""
    found = json.loads(_ask(python, _INVENTORY, group, *sized))
    return {
        name: Installed(
            version=str(entry["version"]),
            requires=tuple(needed for needed, extra, _ in entry["requires"] if not extra),
            extras=tuple(needed for needed, extra, _ in entry["requires"] if extra),
            lines=tuple(line for *_, line in entry["requires"]),
            provider=bool(entry["provider"]),
            size_bytes=int(entry["size_bytes"]),
        )
        for name, entry in found.items()
    }


def needed_by(name: str, installed: Mapping[str, Installed]) -> tuple[str, ...]:
    """Which installed distributions require this one, if only for an extra."""
    users = (user for user, entry in installed.items() if name in (*entry.requires, *entry.extras))
    return tuple(sorted(users))


def closure(names: Iterable[str], installed: Mapping[str, Installed]) -> set[str]:
    """Distributions and everything installed that they require, directly or not, extras aside."""
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        current = waiting.pop()
        if current in installed and current not in reached:
            reached.add(current)
            waiting.extend(installed[current].requires)
    return reached


def shared_with_base(
    roots: Iterable[str], own: Iterable[str], installed: Mapping[str, Installed]
) -> tuple[Distribution, ...]:
    """What distributions use that is not among their layer's own."""
    names = sorted(closure(roots, installed) - set(own))
    return tuple(Distribution(name=n, version=installed[n].version) for n in names)


def package_data(python: Path, name: str, file: str) -> str | None:
    """The text of a file, by its last name, among those that a distribution installed."""
    found: str | None = json.loads(_ask(python, _DATA, name, file))
    return found


def site_folders(python: Path) -> tuple[str, ...]:
    """An interpreter's package folders, in the order in which it searches them."""
    return tuple(str(folder) for folder in json.loads(_ask(python, _SITE)))


def make_layer(root: Path, base: Path, folders: Iterable[str]) -> Path:
    """Create a virtual environment that sees the base one's packages behind its own.

    Without a pip of its own: the base's is seen like every other package. Returns the interpreter.
    """
    command = [str(base), "-m", "venv", "--without-pip", "--symlinks", str(root)]
    done = _capture(command)
    if done.returncode != 0:
        raise InstallFailed(
            f"A virtual environment could not be made at {root}.",
            hint="Debian and Ubuntu keep what it takes in the package python3-venv.",
            detail=done.stdout + done.stderr,
        )
    python = interpreter_of(root)
    own = Path(site_folders(python)[0])
    (own / _PTH).write_text(_layering(folders), encoding="utf-8")
    return python


def _layering(folders: Iterable[str]) -> str:
    """The lines that put the base behind the layer.

    A plain line adds a folder but does not read the ``.pth`` files in it, through which editable
    installations work; ``addsitedir`` reads them. It must come second and not alone: pip hides an
    environment from the tools that build a package by taking away what plain lines add, and would
    leave them the base's setuptools otherwise.
    """
    folders = tuple(folders)
    reading = [f"import site; site.addsitedir({folder!a})" for folder in folders]
    return "\n".join([*folders, *reading]) + "\n"


def has_pip(python: Path) -> bool:
    """Whether ``python -m pip`` works."""
    return _capture([str(python), "-I", "-c", "import pip"]).returncode == 0


def bring_pip(python: Path, uv: str | None) -> bool:
    """Give a virtual environment a pip of its own; False if there is no way to."""
    ways = [[str(python), "-I", "-m", "ensurepip"]]
    if uv is not None:
        ways.append([uv, "pip", "install", "--quiet", "--python", str(python), "pip"])
    return any(_capture(way).returncode == 0 for way in ways)


def _ask(python: Path, script: str, *arguments: str) -> str:
    """Run a short script that prints JSON on its last line."""
    done = _capture([str(python), "-c", script, *arguments], cwd=python.parent)
    if done.returncode != 0:
        raise InstallFailed(
            f"The interpreter {python} does not work.",
            hint="Its virtual environment may be broken: make it anew.",
            detail=done.stderr,
        )
    return done.stdout.strip().splitlines()[-1]


def _capture(command: list[str], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env=clean_environ(os.environ),
            cwd=cwd,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))
