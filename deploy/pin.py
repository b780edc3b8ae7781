"""Renew the versions that the image is built with: `python deploy/pin.py`, with Python 3.11.

Three files, versions only. `constraints.txt` is all that the CPU image installs beside this
repository's own distributions, `constraints-cuda.txt` what the CUDA image adds, and
`constraints-build.txt` what builds wheels and stays out of the image. Where packages come from is
pip's configuration, and no business of these files.
"""

from __future__ import annotations

import argparse
import json
import os
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


def resolve(
    wanted: Iterable[str], *options: str, local_wheels: bool = True
) -> dict[str, dict[str, str]]:
    """What pip would install for this Python, by normalised name; nothing is installed.

    Without `local_wheels` the folders named by pip's configuration are passed over: a CPU build of
    torch that lies in one would hide what the build with CUDA asks for.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet"]
        command += ["--ignore-installed", "--prefer-binary", "--report", str(report), *options]
        # An empty folder in their place: pip takes an empty value for none at all.
        env = os.environ if local_wheels else {**os.environ, "PIP_FIND_LINKS": folder}
        subprocess.run([*command, *wanted], check=True, env=env)
        items = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {canonicalize_name(item["metadata"]["name"]): item["metadata"] for item in items}


def versions(found: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Public versions by name: which build of torch it is, the index decides."""
    return {name: Version(metadata["version"]).public for name, metadata in found.items()}


def require_cuda(found: Mapping[str, Mapping[str, str]]) -> None:
    """End where the index offered a build of torch without CUDA: half of the pins would lack."""
    local = Version(found["torch"]["version"]).local
    if local == "cpu" or not any(name.startswith("nvidia-cudnn") for name in found):
        sys.exit(f"torch {found['torch']['version']} comes without CUDA from the index that pip is "
                 "configured for; name another by PIP_INDEX_URL. Nothing was written.")  # fmt: skip


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
    cpu = versions(resolve([*requirements(), *ALWAYS], *torch))
    pinned = [f"{name}=={version}" for name, version in cpu.items()]
    wanted = [*requirements(CUDA_EXTRAS), *CUDA, *pinned]
    with_cuda = resolve(wanted, *torch, local_wheels=False)
    require_cuda(with_cuda)
    more = {name: version for name, version in versions(with_cuda).items() if name not in cpu}
    write("constraints.txt", "", cpu)
    write("constraints-cuda.txt", " beside that where it has CUDA", more)
    write("constraints-build.txt", ", without being part of it", versions(resolve(BUILD)))


if __name__ == "__main__":
    main()
