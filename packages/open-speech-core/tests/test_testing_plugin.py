"""The pytest plugin: loaded everywhere, so it must cost nothing and need nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

SUITE = """
from open_speech.testing import TTSConformance
from open_speech.testing.tone import ToneBackend

class TestTone(TTSConformance):
    backend = ToneBackend

def test_other():
    pass
"""


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_suite.py").write_text(SUITE)
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_is_an_entry_point() -> None:
    points = metadata.entry_points(group="pytest11", name="open_speech")
    assert [point.value for point in points] == ["open_speech.testing.plugin"]


def test_suites_are_chosen_by_marker(tmp_path: Path) -> None:
    chosen = ["--strict-markers", "-q", "-p", "open_speech.testing.plugin", "--collect-only"]
    done = run_pytest(tmp_path, *chosen, "-m", "conformance")
    assert "test_speaks" in done.stdout
    assert "test_other" not in done.stdout


def test_suites_run_without_the_plugin(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "-q", "-k", "not import")
    assert done.returncode == 0, done.stdout


def test_it_imports_no_suite_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text(
        "import sys\n"
        "def test_plain():\n"
        "    assert 'open_speech.testing.plugin' in sys.modules\n"
        "    assert 'open_speech.testing.conformance' not in sys.modules\n"
        "    assert 'open_speech.testing.tone' not in sys.modules\n"
    )
    done = run_pytest(tmp_path, "-q", "-p", "open_speech.testing.plugin", "test_plain.py")
    assert done.returncode == 0, done.stdout
