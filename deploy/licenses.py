"""The licences of everything that is installed: `python deploy/licenses.py` prints a table.

It reads the metadata of the interpreter that runs it, so it is run inside of the image, where the
whole table is kept as /opt/open-speech/LICENSES.md, next to the licence files of each package.
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib.metadata import Distribution, distributions

KNOWN = {
    "av": "BSD-3-Clause; FFmpeg inside: LGPL-3.0-or-later, x264 and x265: GPL-2.0-or-later",
    "cuda-toolkit": "names other packages and holds no code; theirs is NVIDIA's",
    "espeakng-loader": "MIT; espeak-ng inside: GPL-3.0-or-later",
    "phonemizer-fork": "GPL-3.0-or-later",
}
"""What the metadata leaves out, looked up at the source."""
_CLASSIFIER = "License :: "
_FILES = re.compile(r"(^|/)(licen[cs]e|copying|notice|authors|copyright)", re.IGNORECASE)
_LONGEST = 60


def licence(found: Distribution) -> str:
    """The licence in a few words, or nothing if the metadata tells none."""
    metadata = found.metadata
    expression = " ".join(metadata.get_all("License-Expression") or [])
    text = " ".join(" ".join(metadata.get_all("License") or []).split())
    classified = [
        line.rpartition(" :: ")[2]
        for line in metadata.get_all("Classifier") or []
        if line.startswith(_CLASSIFIER) and not line.endswith("OSI Approved")
    ]
    if found.name.lower() in KNOWN:
        return KNOWN[found.name.lower()]
    for answer in (expression, " and ".join(classified), text):
        if answer and answer.upper() not in {"UNKNOWN", "OTHER/PROPRIETARY LICENSE"}:
            return answer if len(answer) <= _LONGEST else f"{answer[:_LONGEST].rstrip()}…"
    return ""


def files(found: Distribution) -> int:
    """How many files with licences and notices are installed with it."""
    return sum(bool(_FILES.search(path.as_posix())) for path in found.files or [])


def installed() -> list[Distribution]:
    """What is installed, each once, by name."""
    named = {found.name.lower(): found for found in reversed(list(distributions()))}
    return [named[name] for name in sorted(named)]


def table(rows: list[tuple[str, ...]]) -> str:
    """As Markdown."""
    return "".join("| " + " | ".join(row).replace("\n", " ") + " |\n" for row in rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--require", action="store_true", help="Fail where a licence is not known.")
    required = parser.parse_args().require
    rows: list[tuple[str, ...]] = [("Package", "Version", "Licence", "Files"), ("---",) * 4]
    unknown = []
    for found in installed():
        said = licence(found)
        if not said:
            unknown.append(found.name)
        rows.append((found.name, found.version, said or "not known", str(files(found))))
    sys.stdout.write(table(rows))
    if unknown and required:
        sys.exit(f"No licence is known for: {', '.join(unknown)}. Look it up and add it to KNOWN.")


if __name__ == "__main__":
    main()
