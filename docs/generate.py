"""Compare docs/reference with the code; with ``--write``, renew it."""

from __future__ import annotations

import sys

import reference_pages


def main(arguments: list[str]) -> int:
    """Exit status: 1 if a page differs from what the code says."""
    if arguments == ["--write"]:
        for path in reference_pages.write():
            print(f"wrote {path}")
        return 0
    stale = reference_pages.outdated()
    for name in stale:
        print(f"{name}.md is out of date: run nox -s docs -- --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
