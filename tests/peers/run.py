"""Run the own tests of Speaches and Kokoro-FastAPI against our server, and print what came of them.

``nox -s peers -- SPEACHES KOKORO_FASTAPI`` with checkouts of both. Their tests run in an
environment of their own (Python 3.12, as Speaches needs), with our conftest in the place of theirs:
it sends what their test clients send to our server, which runs with published weights.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from open_speech.testing.hub import FakeHub
from peers.servers import free_address
from real.repositories import BASE, KOKORO, TAGGER, TINY_EN, repository

HERE = Path(__file__).parent
NEEDED = (
    "aiofiles", "anyio", "av<17", "fastapi", "faster-whisper", "httpx", "httpx-sse", "inflect",
    "jiwer", "loguru", "numpy", "openai", "psutil", "pydantic-settings", "pydub", "pytest",
    "pytest-asyncio", "pytest-mock", "pytest-timeout", "python-dotenv", "requests", "scipy",
    "soundfile", "srt", "uvicorn", "webvtt-py",
)  # fmt: skip
"""What their tests import, engines apart (``stand_ins``)."""


@dataclass(frozen=True)
class Peer:
    """One of them."""

    name: str
    conftest: str
    tests: tuple[str, ...]
    """What in its checkout goes to servers."""
    copied: tuple[str, ...]
    place: str
    """Where the conftest goes."""


PEERS = (
    Peer("speaches", "speaches_conftest.py", ("tests",), ("tests", "audio.wav"), "tests"),
    Peer(
        "kokoro",
        "kokoro_conftest.py",
        tuple(
            f"api/tests/test_{name}.py"
            for name in ("openai_endpoints", "model_unload", "debug_endpoints", "ssml")
        ),
        ("api/src", "api/tests"),
        "api/tests",
    ),
)


def main(checkouts: list[str]) -> int:
    """Run all; 1 if a test failed that has no reason in ``reasons.toml``."""
    if len(checkouts) != len(PEERS):
        sys.exit("Give the checkouts: SPEACHES KOKORO_FASTAPI")
    reasons = tomllib.loads((HERE / "reasons.toml").read_text())
    work = Path(os.environ.get("OPEN_SPEECH_PEERS_FOLDER", ".nox/peers-work")).absolute()
    python = _environment(work)
    unexplained = 0
    with FakeHub() as hub:
        for name in (TINY_EN, BASE, KOKORO, TAGGER):
            hub.add(name, repository(name))
        variables = {
            **os.environ,
            "OPEN_SPEECH_COMMAND": str(Path(sys.executable).with_name("open-speech")),
            "OPEN_SPEECH_HUB": hub.url,
            "OPEN_SPEECH_MODELS": str(work / "models"),
            "WHISPER_MODEL": str(repository(BASE)),
        }
        for peer, checkout in zip(PEERS, checkouts, strict=True):
            ignored = reasons[peer.name].get("ignored", {})
            report = _run(
                peer, Path(checkout).absolute(), work / peer.name, python, variables, ignored
            )
            unexplained += _tell(peer, report, reasons[peer.name])
    return min(unexplained, 1)


def _environment(work: Path) -> Path:
    """The interpreter of the environment for their tests, made once."""
    folder = work / "venv"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run(["python3.12", "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *NEEDED], check=True)
    return python


def _run(
    peer: Peer,
    checkout: Path,
    folder: Path,
    python: Path,
    variables: Mapping[str, str],
    ignored: Iterable[str],
) -> Path:
    """Run a peer's tests; the report."""
    shutil.rmtree(folder, ignore_errors=True)
    for each in peer.copied:
        source, target = checkout / each, folder / each
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    shutil.copy(HERE / peer.conftest, folder / peer.place / "conftest.py")
    integration = folder / "api" / "tests" / "integration"
    suites = [peer.tests]
    if integration.is_dir():  # goes to the server by itself
        variables = {**variables, "KOKORO_BASE_URL": free_address()}
        suites.append(("api/tests/integration",))
    report = folder / "report.xml"
    paths = [HERE.parent, checkout / "src"]
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    options = ("-c", "pytest.ini", "-p", "peers.stand_ins", "-p", "no:cacheprovider")
    quiet = ("-q", "-W", "ignore", "--timeout=180", f"--junitxml={report}")
    skipped = (f"--ignore-glob=*{part}*" for part in ignored)
    tests = (test for suite in suites for test in suite)
    subprocess.run(
        [python, "-m", "pytest", *options, *quiet, *skipped, *tests],
        cwd=folder,
        env={**variables, "PYTHONPATH": os.pathsep.join(map(str, paths))},
        check=False,
    )
    return report


def _outcomes(report: Path) -> Iterator[tuple[str, str]]:
    for case in ET.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}-"
        kinds = {child.tag for child in case}
        failed = bool(kinds & {"failure", "error"})
        yield name, "failed" if failed else "skipped" if "skipped" in kinds else "passed"


def _tell(peer: Peer, report: Path, reasons: Mapping[str, Mapping[str, str]]) -> int:
    """Write the figures and each reason; how many failures have none."""
    counts: Counter[str] = Counter()
    told: Counter[str] = Counter()
    unexplained = 0
    for name, outcome in _outcomes(report):
        judged, reason = _judged(name, outcome, reasons)
        counts[judged] += 1
        if judged == "failed" and reason is None:
            unexplained += 1
            told[f"failed without a known reason: {name}"] += 1
        elif reason:
            told[f"{judged}: {reason}"] += 1
    applicable = counts["passed"] + counts["failed"]
    share = 100 * counts["passed"] / max(1, applicable)
    figures = f"{counts['passed']} of {applicable} passed ({share:.0f} %)"
    lines = [
        f"{peer.name}: {figures}, {counts['not applicable']} not applicable",
        *(f"  not run, {part}: {why}" for part, why in reasons.get("ignored", {}).items()),
        *(f"  {count} {line}" for line, count in sorted(told.items())),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return unexplained


def _judged(
    name: str, outcome: str, reasons: Mapping[str, Mapping[str, str]]
) -> tuple[str, str | None]:
    """What an outcome counts as, and why."""
    if why := _reason(name, reasons["not_applicable"]):
        return "not applicable", why
    if outcome == "skipped":
        return "not applicable", "asks for what is not there"
    return outcome, _reason(name, reasons["failed"]) if outcome == "failed" else None


def _reason(name: str, reasons: Mapping[str, str]) -> str | None:
    return next((why for part, why in reasons.items() if part in name), None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
