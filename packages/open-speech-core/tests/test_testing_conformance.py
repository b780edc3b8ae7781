"""Each check of the conformance suite is seen to fail for what is broken in just that way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from open_speech.testing import (
    DiarizationConformance,
    STTConformance,
    TTSConformance,
    TurnConformance,
    VADConformance,
    hostile_source,
    install_provider,
    join,
    provider_source,
    silence,
    sine,
)
from open_speech.testing.tone import (
    EchoBackend,
    LevelBackend,
    LoudnessBackend,
    PitchBackend,
    ToneBackend,
)

HERE = Path(__file__).parent
Outcomes = Mapping[str, Mapping[str, str]]
"""By class and check: ``passed``, ``skipped`` or ``failed``."""


class TestToneSpeaks(TTSConformance):
    backend = ToneBackend
    models = ("tone/sine", "tone/plain", "tone/chorus")
    streams = True


class TestToneListens(STTConformance):
    backend = EchoBackend
    models = ("tone/echo", "tone/count")
    expected_words = ("16000", "peaking")
    known_text = "Whatever was said"


class TestToneListensLive(STTConformance):
    backend = EchoBackend
    models = ("tone/live",)
    expected_words = ("32000", "peaking")
    test_hears_the_words = None  # a recording is told second by second, and has other numbers


class TestToneDetects(VADConformance):
    backend = LevelBackend


class TestToneJudgesTurns(TurnConformance):
    backend = LoudnessBackend
    audio = sine(1.0)
    other_audio = sine(1.0, amplitude=0.9)


class TestTonePitch(DiarizationConformance):
    backend = PitchBackend
    audio = join(sine(1.0), silence(0.5), sine(1.0, frequency=880.0))
    speakers = 2
    voices = tuple(
        (sine(1.0, frequency=hertz), sine(1.5, frequency=hertz)) for hertz in (220.0, 880.0)
    )


HOSTILE_IMPORTS = {
    "shouts": "test_import_prints_nothing",
    "takes-signals": "test_import_keeps_signal_handlers",
    "sets-locale": "test_import_keeps_the_locale",
    "sets-environment": "test_import_keeps_the_environment",
    "changes-folder": "test_import_keeps_the_folder",
    "starts-threads": "test_import_starts_no_threads",
    "connects": "test_import_reaches_for_nothing",
    "writes-files": "test_import_reaches_for_nothing",
    "imports-engine": "test_import_loads_no_engine",
    "catalogue-reads": "test_catalogue_reads_nothing",
    "misspelt-hook": "test_provider_registers_its_backend",
    "hook-returns-none": "test_provider_registers_its_backend",
    "no-harm": "",
    "only-here": "test_imports_alone",
}
"""What each hostile provider must fail, of the checks of the import."""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    return run_suites(HERE / "broken_backends.py", tmp_path_factory.mktemp("broken"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    folder = tmp_path_factory.mktemp("hostile")
    lines = ["from open_speech.testing import TTSConformance"]
    for harm in HOSTILE_IMPORTS:
        name = harm.replace("-", "_")
        install_provider(folder / "site", name, import_source(harm, name))
        lines += [
            f"from open_speech_provider_{name} import MadeBackend as {name}",
            f"class Test_{name}(TTSConformance):",
            f"    backend = {name}",
        ]
    suites = folder / "suites.py"
    suites.write_text("\n".join(lines))
    chosen = "import or reads_nothing or registers or no_harm"
    return run_suites(suites, folder, site=folder / "site", chosen=chosen)


def import_source(harm: str, name: str) -> str:
    if harm == "no-harm":
        return provider_source(name)
    if harm == "only-here":
        return provider_source(name, prelude='import sys; sys.modules["_pytest"]')
    return hostile_source(harm, name)


def run_suites(
    suites: Path, folder: Path, *, site: Path | None = None, chosen: str = ""
) -> Outcomes:
    """Run a module of suites in a pytest of its own."""
    report = folder / "report.xml"
    (folder / "pytest.ini").write_text(
        f"[pytest]\nfilterwarnings = error\npython_files = {suites.name}\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"]
    command += ["-p", "open_speech.testing.plugin"]  # alone: the others cost time for each check
    command += ["-c", str(folder / "pytest.ini"), f"--junitxml={report}", "-k", chosen, str(suites)]
    path = os.pathsep.join(filter(None, [str(site or ""), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return read_report(report)


def read_report(report: Path) -> Outcomes:
    outcomes: dict[str, dict[str, str]] = defaultdict(dict)
    for case in ET.parse(report).iter("testcase"):
        suite = case.attrib["classname"].rpartition(".")[2]
        check = case.attrib["name"].partition("[")[0]
        tags = {child.tag for child in case}
        outcome = "failed" if tags & {"failure", "error"} else "skipped" if tags else "passed"
        if outcomes[suite].get(check) != "failed":
            outcomes[suite][check] = outcome
    return outcomes


def failed(checks: Mapping[str, str]) -> set[str]:
    return {check for check, outcome in checks.items() if outcome == "failed"}


def checks_of(suite: type) -> set[str]:
    return {name for name in dir(suite) if name.startswith("test_")}


def test_a_sound_backend_passes(broken: Outcomes) -> None:
    assert not failed(broken["TestSoundSpeaker"])
    assert not failed(broken["TestSoundListener"])
    assert not failed(broken["TestSoundDetector"])
    assert not failed(broken["TestSoundJudge"])


def test_each_broken_backend_fails_its_check_alone(broken: Outcomes) -> None:
    expected = {suite: {suite.partition("__")[2]} for suite in broken if "__" in suite}
    assert {suite: failed(broken[suite]) for suite in expected} == expected


def test_hostile_imports_are_noticed(hostile: Outcomes) -> None:
    of_import = {
        name
        for name in checks_of(TTSConformance)
        if "import" in name or name in HOSTILE_IMPORTS.values()
    }
    for harm, check in HOSTILE_IMPORTS.items():
        noticed = failed(hostile[f"Test_{harm.replace('-', '_')}"]) & of_import
        assert noticed == {check} - {""}, harm


def test_every_check_has_been_seen_to_fail(broken: Outcomes) -> None:
    red = set(HOSTILE_IMPORTS.values()).union(*(failed(checks) for checks in broken.values()))
    suites = (
        TTSConformance,
        STTConformance,
        VADConformance,
        TurnConformance,
        DiarizationConformance,
    )
    assert set().union(*map(checks_of, suites)) == red - {""}


def test_a_sound_provider_passes_from_outside(hostile: Outcomes) -> None:
    outcomes = hostile["Test_no_harm"]
    assert not failed(outcomes)
    assert outcomes["test_provider_registers_its_backend"] == "passed"
    assert outcomes["test_imports_alone"] == "passed"
