"""Whether everything that the image pins can be had for 64-bit Arm: `python deploy/arm.py`.

Asks pip, for Debian bookworm's Python and C library, and downloads nothing but metadata. Says what
is missing and ends with status 1, or prints what was found.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
GLIBC = range(17, 37)
"""Minor versions of glibc 2 that wheels may ask for; bookworm has 2.36."""
BUILT = frozenset({"docopt"})
"""Pure Python that was published without a wheel: the builder, which has no compiler, makes one."""
_MISSING = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)==")


def pins(name: str) -> list[str]:
    """The lines of a file of constraints."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def ask(wanted: list[str]) -> tuple[dict[str, str], str]:
    """File names by requirement, and the first that has none, if any."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--target", folder, "--report", str(report)]
        command += ["--python-version", "3.11", "--implementation", "cp"]
        for abi in ("cp311", "abi3", "none"):
            command += ["--abi", abi]
        for platform in ["manylinux2014_aarch64", *(f"manylinux_2_{n}_aarch64" for n in GLIBC)]:
            command += ["--platform", platform]
        done = subprocess.run([*command, *wanted], check=False, capture_output=True, text=True)
        if done.returncode == 0:
            items = json.loads(report.read_text(encoding="utf-8"))["install"]
            return {
                item["metadata"]["name"]: item["download_info"]["url"].rpartition("/")[2]
                for item in items
            }, ""
        missing = _MISSING.search(done.stderr)
        if missing is None:
            sys.exit(done.stderr)
        return {}, missing[1]


def main() -> None:
    """Ask for all pins, again without what is missing, until nothing is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuda", action="store_true", help="The CUDA variant's pins as well.")
    names = ["constraints.txt", *(["constraints-cuda.txt"] if parser.parse_args().cuda else [])]
    wanted = [line for name in names for line in pins(name) if line.split("==")[0] not in BUILT]
    missing: list[str] = []
    while True:
        found, lacking = ask(wanted)
        if not lacking:
            break
        missing.append(lacking)
        wanted = [line for line in wanted if line.split("==")[0] != lacking.lower()]
    machine = sum("aarch64" in file for file in found.values())
    print(
        f"{len(found)} have a wheel: {machine} for aarch64, {len(found) - machine} for any machine."
    )
    print(f"Built by the image: {', '.join(sorted(BUILT))}.")
    if missing:
        sys.exit(f"No wheel for aarch64: {', '.join(missing)}.")


if __name__ == "__main__":
    main()
