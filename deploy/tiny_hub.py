"""Write a hub of tiny models, one for each provider that fetches weights: for `smoke.py`.

    python deploy/tiny_hub.py FOLDER [whisper] [piper] [kokoro] [qwen3]

The models come from the makers beside the providers' own tests, so this needs what those tests
need. Weights are random, but for whisper's, which knows digits.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
WHISPER = (
    "Systran/faster-whisper-tiny",
    "Systran/faster-whisper-base",
    "deepdml/faster-whisper-large-v3-turbo-ct2",
)


def maker(provider: str, name: str) -> ModuleType:
    """A module from the tests of a provider."""
    path = ROOT / "packages" / f"open-speech-provider-{provider}" / "tests" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def whisper(hub: Path) -> None:
    """A model that understands digits, under the name of each that a compose file asks for."""
    data = ROOT / "packages/open-speech-provider-whisper/tests/data/whisper-digits"
    for name in WHISPER:
        shutil.copytree(data, hub / name, dirs_exist_ok=True)


def piper(hub: Path) -> None:
    """A voice, where the catalogue looks for it."""
    folder = hub / "rhasspy/piper-voices/en/en_US/lessac/medium"
    maker("piper", "random_piper").make(folder)
    (folder / "MODEL_CARD").write_text("random numbers")


def kokoro(hub: Path) -> None:
    """The model with all voices, and a tagger that learned one sentence."""
    maker("kokoro", "random_kokoro").make(hub / "hexgrad/Kokoro-82M")
    maker("kokoro", "small_tagger").make(hub / "spacy/en_core_web_sm")


def qwen3(hub: Path) -> None:
    """Checkpoints that say a second of sound: one with voices of its own, one that clones."""
    made = maker("qwen3", "tiny_checkpoint")
    for kind, name in (("custom_voice", "CustomVoice"), ("base", "Base")):
        made.write(hub / f"Qwen/Qwen3-TTS-12Hz-0.6B-{name}", kind, frames=12)


MAKERS: dict[str, Callable[[Path], None]] = {
    made.__name__: made for made in (whisper, piper, kokoro, qwen3)
}


def main() -> None:
    """Write those that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("providers", nargs="*", choices=[*MAKERS, []], metavar="PROVIDER")
    given = parser.parse_args()
    for name in given.providers or MAKERS:
        MAKERS[name](given.folder)


if __name__ == "__main__":
    main()
