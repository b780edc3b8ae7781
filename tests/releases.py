"""Other releases of core, made from this one and put into environments of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from rules.repository import ROOT

SOURCE = ROOT / "packages" / "open-speech-core" / "src" / "open_speech"
Edits = Mapping[str, list[tuple[str, str]]]

_CLASS = "@dataclass(frozen=True, kw_only=True)\nclass "
_EVENTS = "TranscriptionEvent = DetectedLanguage | Partial | Segment"
_HUM = "class Hum(Transcribe):\n    name = 'hum'\n\n\n"
_GRAMMAR = '"""Name or text of a grammar (``Capability.GRAMMAR``)."""'
_STARTED = "                    self._emit(Started(call=number))\n"
_FEEDING = "            calling.feed(fed, self._send)\n"
_RUMOUR = "from open_speech._worker.protocol import Rumour\n"
_SEND = "            await self._send(Rumour(call=1, about='it'))\n"

LATER: Edits = {
    # A field more in a request and in an event, and an event more.
    "_types/transcription.py": [
        ("    partials: bool = False\n", "    mood: str = ''\n    partials: bool = False\n"),
        ("    seek: int = 0\n", "    mood: str = ''\n    seek: int = 0\n"),
        (_EVENTS, f"{_CLASS}Applause:\n    claps: int\n\n\n{_EVENTS} | Applause"),
    ],
    "_operations/transcribe.py": [
        ("    events = (Detected", "    events = (Applause, Detected"),
        ("    DetectedLanguage,\n", "    Applause,\n    DetectedLanguage,\n"),
        (
            "        event = check_event(item, duration)\n",
            "        event = item if type(item) is Applause else check_event(item, duration)\n",
        ),
        # An operation more.
        (
            "TRANSCRIBE = ",
            f"{_HUM}HUM = Hum()\nTRANSCRIBE = ",
        ),
    ],
    "_operations/__init__.py": [("import TRANSCRIBE\n", "import HUM, TRANSCRIBE\n")],
    "_plugins/backends.py": [
        ("    ALIGN,\n    DETECT", "    ALIGN,\n    HUM,\n    DETECT"),
        ("(TRANSCRIBE, ALIGN, LISTEN)\n", "(TRANSCRIBE, ALIGN, LISTEN, HUM)\n"),
    ],
    # A kind and a capability more.
    "_types/models.py": [
        ('    TTS = "tts"\n', '    HUM = "hum"\n    TTS = "tts"\n'),
        ('    SEED = "seed"\n', '    SEED = "seed"\n    MOOD = "mood"\n'),
    ],
    # A message more, sent by both sides in each call.
    "_worker/protocol.py": [
        (
            "ToWorker = Load | ",
            f"{_CLASS}Rumour:\n    call: int\n    about: str\n\n\nToWorker = Rumour | Load | ",
        ),
        ("FromWorker = Loaded | ", "FromWorker = Rumour | Loaded | "),
    ],
    "_worker/runner.py": [
        (
            _STARTED,
            f"{' ' * 20}{_RUMOUR}{' ' * 20}self._emit(Rumour(call=number, about='it'))\n{_STARTED}",
        ),
    ],
    "_hosts/host.py": [
        (
            _FEEDING,
            f"{_FEEDING}{' ' * 12}{_RUMOUR}{_SEND}",
        ),
    ],
}
"""What a release may add: nothing of it may trouble an older one."""

EARLIER: Edits = {
    "_types/transcription.py": [
        (f"    grammar: str | None = None\n    {_GRAMMAR}\n", ""),
    ],
    "_operations/transcribe.py": [
        (
            "    events = (DetectedLanguage, Partial, Segment)",
            "    events = (DetectedLanguage, Segment)",
        ),
        ('            Capability.GRAMMAR: ("grammar", request.grammar is not None),\n', ""),
    ],
    "_plugins/backends.py": [("] = (TRANSCRIBE, ALIGN, LISTEN)\n", "] = (TRANSCRIBE,)\n")],
    "_types/models.py": [
        ('    SEED = "seed"\n    """Repeats its output for the same seed."""\n', "")
    ],
    "_operations/synthesize.py": [
        ('            Capability.SEED: ("seed", request.seed is not None),\n', ""),
    ],
    "testing/tone.py": [("            Capability.SEED,\n", "")],
}
"""This release as it may have been: without a field, an event, an operation and a capability."""


def make_release(folder: Path, version: str, edits: Edits) -> Path:
    """Make an environment with a release of core and all else as here; return its interpreter."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", "--symlinks", str(folder)], check=True
    )
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (site / "rest.pth").write_text(sysconfig.get_path("purelib") + "\n")
    package = site / "open_speech"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, pairs in edits.items():
        text = (package / name).read_text()
        for old, new in pairs:
            assert text.count(old) == 1, f"{name}: {old!r}"
            text = text.replace(old, new)
        (package / name).write_text(text)
    info = site / f"open_speech_core-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: open-speech-core\nVersion: {version}\n"
    )
    return folder / "bin" / "python"


def site_of(python: Path) -> Path:
    """Where an environment's packages are."""
    return Path(sysconfig.get_path("purelib", vars={"base": str(python.parents[1])}))
