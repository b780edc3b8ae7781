"""Importing a provider changes nothing but ``sys.modules``: seen in a fresh interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

HEAVY_MODULES = frozenset(
    {
        "av",
        "ctranslate2",
        "huggingface_hub",
        "jax",
        "keras",
        "librosa",
        "mlx",
        "onnxruntime",
        "pandas",
        "scipy",
        "soxr",
        "tensorflow",
        "torch",
        "torchaudio",
        "transformers",
    }
)
"""Engines and their like: never imported before ``load``."""
IMPORT_DEADLINE_S = 60.0
_START = """\
import sys
sys.path.insert(0, sys.argv[1])
from open_speech.testing._probe import main
main(*sys.argv[2:])
"""


@dataclass(frozen=True, kw_only=True)
class Purity:
    """What importing a backend and asking for its catalogue did."""

    error: str | None = None
    """A traceback, or how the interpreter ended."""
    output: str = ""
    """What was written to standard output and error."""
    changes: Mapping[str, str] = field(default_factory=dict)
    """Changed state of the process (signals, locale, environment, folder, threads, path)."""
    modules: frozenset[str] = frozenset()
    """Modules imported, core's own not counted."""
    import_events: tuple[str, ...] = ()
    """Network, processes and written files during the import."""
    catalogue_events: tuple[str, ...] = ()
    """Any input or output while the catalogue was asked for."""

    def heavy(self, engine_modules: Iterable[str] = ()) -> list[str]:
        """Top-level engine modules among those imported."""
        heavy = HEAVY_MODULES | set(engine_modules)
        return sorted({name for name in self.modules if name in heavy or _top(name) in heavy})


@lru_cache(maxsize=256)
def probe(module: str, qualname: str) -> Purity:
    """Import ``module``, make ``qualname()`` and list its models, in a fresh interpreter.

    The interpreter has this one's ``sys.path``. Blocks, at most ``IMPORT_DEADLINE_S``.
    """
    with tempfile.TemporaryDirectory(prefix="open-speech-probe-") as folder:
        report = Path(folder, "report.json")
        ours = str(Path(__file__).resolve().parents[2])
        arguments = [ours, json.dumps(sys.path), module, qualname, str(report)]
        # Output goes to a file: a child that lives on would hold a pipe open for ever.
        with Path(folder, "output").open("w+b") as output:
            try:
                status = subprocess.run(
                    [sys.executable, "-c", _START, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                    timeout=IMPORT_DEADLINE_S,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                return Purity(error=f"no answer within {IMPORT_DEADLINE_S:.0f} seconds")
            output.seek(0)
            text = output.read().decode(errors="replace")
        if not report.exists():
            return Purity(error=f"the interpreter ended with status {status}: {text[-2000:]}")
        found = json.loads(report.read_text(encoding="utf-8"))
    return Purity(
        error=found["error"],
        output=text,
        changes=found["changes"],
        modules=frozenset(found["modules"]),
        import_events=tuple(found["events"]["import"]),
        catalogue_events=tuple(found["events"]["catalogue"]),
    )


def _top(name: str) -> str:
    return name.partition(".")[0]
