"""Sources of providers whose very import, hook or catalogue does harm.

``install_provider(folder, "evil", hostile_source("shouts", "evil"))`` installs one. Where the harm
leaves the provider usable, its one model ``<name>/tone`` speaks as ``tone`` does.
"""

from __future__ import annotations

import textwrap

__all__ = [
    "hostile_source",
    "provider_source",
]


_HEALTHY = '''
"""The provider {name}, made for tests."""
from dataclasses import replace

from open_speech._plugins.hookspecs import hookimpl
from open_speech.testing.tone import ToneBackend

{prelude}

class MadeBackend(ToneBackend):
    name = "{name}"
    patterns = ()
    {body}

    def list_available(self):
        sine = super().list_available()[0]
        return [replace(sine, id="{name}/tone", aliases=())]


@hookimpl
def {hook}:
    {answer}
'''

_PRELUDES = {
    "import-error": "import a_module_that_nobody_has",
    "syntax-error": "def broken(:",
    "raises": "raise RuntimeError('the engine is not for this machine')",
    "exits": "import sys; sys.exit(5)",
    "exits-at-once": "import os; os._exit(5)",
    "segfaults": "import ctypes; ctypes.string_at(0)",
    "hangs": "import threading; threading.Event().wait(3600)",
    "hangs-gil": "import ctypes; ctypes.PyDLL(None).sleep(3600)",
    "shouts": """
        import os, sys
        print("noise from print")
        print("noise from print", file=sys.stderr)
        os.write(1, b"noise from write\\n")
        os.write(2, b"noise from write\\n")
    """,
    "reads-input": "import sys; line = sys.stdin.readline()",
    "takes-signals": """
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, lambda *_: None)
    """,
    "forks": """
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    """,
    "sets-locale": """
        import locale
        old = locale.setlocale(locale.LC_ALL)
        locale.setlocale(locale.LC_ALL, "C.UTF-8" if old == "C" else "C")
    """,
    "sets-environment": """
        import os
        os.environ["OMP_NUM_THREADS"] = "97"
    """,
    "changes-folder": "import os; os.chdir('/')",
    "starts-threads": """
        import threading
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    """,
    "connects": """
        import socket
        with socket.socket() as probe:
            probe.settimeout(0.1)
            probe.connect_ex(("127.0.0.1", 9))
    """,
    "writes-files": """
        import os, tempfile
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("x")
    """,
    "imports-engine": """
        import sys, types
        sys.modules["torch"] = types.ModuleType("torch")
    """,
}
"""Code that runs at import."""

_BODIES = {
    "catalogue-raises": "def list_available(self): raise RuntimeError('no catalogue')",
    "catalogue-reads": "def list_available(self): open('/etc/hostname'); return []",
    "abstract": "from abc import abstractmethod as _a; forgotten = _a(lambda self: None)",
    "future-api": "api_version = 999",
    "inspect-raises": "def inspect(self, path): raise RuntimeError('no idea')",
    "inspect-exits": "def inspect(self, path): raise SystemExit(5)",
    "inspect-exits-at-once": "def inspect(self, path): import os; os._exit(5)",
    "inspect-segfaults": "def inspect(self, path): import ctypes; ctypes.string_at(0)",
    "inspect-hangs": "def inspect(self, path): import threading; threading.Event().wait(3600)",
    "inspect-returns-text": "def inspect(self, path): return 'tone'",
    "inspect-claims-all": "def inspect(self, path): return self.list_available()[0]",
}
"""Code inside the backend; these replace the catalogue where they define it."""

_ANSWERS = {
    "hook-raises": "raise RuntimeError('no backends today')",
    "hook-returns-none": "return None",
    "hook-returns-text": "return ['tone']",
}
"""What the hook does."""

_HOOKS = {
    "misspelt-hook": "open_speech_backend()",
    "hook-with-unknown-argument": "open_speech_backends(registry)",
}
"""The hook's signature."""

HOSTILE = (*_PRELUDES, *_BODIES, *_ANSWERS, *_HOOKS, "no-hook")
"""Every kind of harm that ``hostile_source`` knows."""


def hostile_source(harm: str, name: str) -> str:
    """Write the source of a provider that does one kind of harm; KeyError for an unknown one."""
    if harm not in HOSTILE:
        raise KeyError(f"{harm!r} is none of {', '.join(HOSTILE)}")
    if harm == "no-hook":
        return f'"""The provider {name}, which forgot its hook."""\n'
    return provider_source(
        name,
        prelude=_PRELUDES.get(harm, ""),
        body=_BODIES.get(harm, ""),
        hook=_HOOKS.get(harm, "open_speech_backends()"),
        answer=_ANSWERS.get(harm, "return [MadeBackend()]"),
    )


def provider_source(
    name: str,
    *,
    prelude: str = "",
    body: str = "",
    hook: str = "open_speech_backends()",
    answer: str = "return [MadeBackend()]",
) -> str:
    """Write the source of a provider with one speaking model ``<name>/tone``.

    ``prelude`` runs at import, ``body`` is one line inside the backend's class, ``hook`` and
    ``answer`` are the hook's signature and its body.
    """
    source = _HEALTHY.format(
        name=name,
        prelude=textwrap.dedent(prelude).strip(),
        body=body,
        hook=hook,
        answer=answer,
    )
    if "def list_available" in body:
        before, _, after = source.rpartition("    def list_available(self):\n        sine")
        source = before + after[after.index("@hookimpl") :]
    return source.lstrip()
