"""What takes the space in an image, by distribution, in MB: `nox -s image -- --only measure`.

Runs inside of the image, with nothing but the standard library, and prints a table in Markdown.
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, distributions
from importlib.util import cache_from_source
from pathlib import Path

LEAST = 10_000_000
"""Bytes from which a distribution has a row of its own."""


def size(path: Path) -> int:
    """Bytes of a file, or of all below a folder; 0 for what is not there. No link is followed."""
    if path.is_dir() and not path.is_symlink():
        return sum(map(size, path.iterdir()))
    return path.lstat().st_size if path.is_symlink() or path.exists() else 0


def installed(found: Distribution) -> int:
    """Bytes of a distribution's files and of the bytecode made of them."""
    total = 0
    for file in found.files or ():
        path = Path(str(found.locate_file(file)))
        if path.suffix == ".pyc":
            continue
        total += size(path)
        if path.suffix == ".py":
            total += size(Path(cache_from_source(path)))
    return total


def main() -> None:
    """Print the table: what is large, what is left, and everything that is no distribution."""
    sizes = {found.name.lower(): installed(found) for found in distributions()}
    tree = size(Path(sys.prefix))
    top = ("bin", "etc", "lib", "lib32", "lib64", "opt", "root", "sbin", "usr", "var")
    system = sum(size(Path("/", name)) for name in top) - tree
    large = {name: each for name, each in sizes.items() if each >= LEAST}
    ours = sum(each for name, each in sizes.items() if name.startswith("open-speech"))
    rows = sorted(large.items(), key=lambda row: -row[1])
    rows += [("Open Speech", ours), ("Debian, Python, tini", system)]
    rows += [("everything else", tree - sum(large.values()) - ours), ("together", tree + system)]
    print("| distribution | MB |\n|---|---:|")
    for name, each in rows:
        print(f"| {name} | {each / 1e6:,.0f} |")


if __name__ == "__main__":
    main()
