"""Renew the versions that the image is built with: `python deploy/pin.py`, with Python 3.11.

Three files, versions only. `constraints.txt` is all that the CPU image installs beside this
repository's own distributions, `constraints-cuda.txt` what the CUDA image adds, and
`constraints-build.txt` what builds wheels and stays out of the image. Where packages come from is
pip's configuration, and no business of these files.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import Version

HERE = Path(__file__).parent
ROOT = HERE.parent
CORE_EXTRAS = ("audio", "hub", "text")
CUDA_EXTRAS = {"open-speech-provider-kokoro": ("torch",)}
"""Extras of providers that need torch on a GPU and do without it on a CPU."""
# pip puts providers into environments of their own; setuptools builds what has no wheel.
ALWAYS = ("pip", "setuptools")
# CTranslate2 4 opens libcublas.so.12, whatever CUDA torch brings. 12.8 is the first for Blackwell.
CUDA = ("nvidia-cublas-cu12>=12.8,<13",)
BUILD = ("hatchling>=1.27", "pip", "setuptools")

HEADER = """\
# What the image is built with{what}. Made by deploy/pin.py; versions only.
"""


def requirements(extras: Mapping[str, tuple[str, ...]] | None = None) -> list[str]:
    """What all distributions of the repository ask for, each other left out."""
    found: set[str] = set()
    for file in sorted(
        [*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("apps/*/pyproject.toml")]
    ):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        wanted: tuple[str, ...] = CORE_EXTRAS if project["name"] == "open-speech-core" else ()
        wanted += (extras or {}).get(project["name"], ())
        lines = list(project["dependencies"])
        for extra in wanted:
            lines += project["optional-dependencies"][extra]
        found.update(line for line in lines if not line.startswith("open-speech-"))
    return sorted(found)


def resolve(wanted: Iterable[str], *options: str) -> dict[str, str]:
    """Versions by name, as pip would install them for this Python; nothing is installed."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet"]
        command += ["--ignore-installed", "--prefer-binary", "--report", str(report), *options]
        subprocess.run([*command, *wanted], check=True)
        return versions(json.loads(report.read_text(encoding="utf-8")))


def versions(report: dict[str, list[dict[str, dict[str, str]]]]) -> dict[str, str]:
    """Public versions by normalised name: which build of torch it is, the index decides."""
    items = (item["metadata"] for item in report["install"])
    return {canonicalize_name(item["name"]): Version(item["version"]).public for item in items}


def write(name: str, what: str, pins: dict[str, str]) -> None:
    """Write a file of constraints."""
    lines = [f"{package}=={version}\n" for package, version in sorted(pins.items())]
    (HERE / name).write_text(HEADER.format(what=what) + "".join(lines), encoding="utf-8")


def main() -> None:
    """Resolve for this interpreter, which must be that of the image, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--torch", default="constraints/torch-cpu.txt", help="Constraints on the version of torch."
    )
    torch = ["--constraint", str(ROOT / parser.parse_args().torch)]
    if sys.version_info[:2] != (3, 11):
        sys.exit("Debian bookworm has Python 3.11; run this with it.")
    cpu = resolve([*requirements(), *ALWAYS], *torch)
    pinned = [f"{name}=={version}" for name, version in cpu.items()]
    # Without the folders in which a CPU build of torch may lie: it would hide what CUDA asks for.
    isolated = resolve([*requirements(CUDA_EXTRAS), *CUDA, *pinned], "--find-links=", *torch)
    write("constraints.txt", "", cpu)
    cuda = {name: version for name, version in isolated.items() if name not in cpu}
    write("constraints-cuda.txt", " beside that where it has CUDA", cuda)
    write("constraints-build.txt", ", without being part of it", resolve(BUILD))


if __name__ == "__main__":
    main()
