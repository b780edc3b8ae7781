"""Who may import whom, and what no source may contain."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rules import imports, source
from rules.repository import ROOT, distributions

Rule = Callable[[Path], Iterator[str]]

CORE_SOURCE = "packages/open-speech-core/src/open_speech"
SERVER_SOURCE = "apps/server/src/open_speech_server"
PROVIDER_SOURCE = "packages/open-speech-provider-tick/src/open_speech_provider_tick"


def check(rule: Rule) -> None:
    broken = list(rule(ROOT))
    assert not broken, "\n".join([rule.__doc__ or rule.__name__, *broken])


IMPORT_RULES: tuple[Rule, ...] = (
    imports.core_imports_only_its_base,
    imports.core_imports_no_engine,
    imports.worker_side_imports_no_extra,
    imports.third_parties_are_declared,
    imports.providers_use_public_names,
    imports.providers_stand_alone,
    imports.importing_a_provider_imports_no_engine,
    imports.server_uses_public_names,
    imports.server_imports_no_engine,
    imports.one_file_reads_the_environment,
    imports.one_module_talks_to_the_hub,
    source.provider_names,
    source.http_outside_the_server,
    source.collections,
)


@pytest.mark.parametrize("rule", IMPORT_RULES, ids=lambda rule: rule.__name__)
def test_rule(rule: Rule) -> None:
    check(rule)


def test_nothing_is_unpickled_and_no_remote_code_runs() -> None:
    check(source.pickles)
    check(source.remote_code)


def test_no_archive_is_unpacked() -> None:
    check(source.archives)


def test_no_text_becomes_a_command() -> None:
    check(source.shells)


def test_a_worker_loads_no_extra() -> None:
    """The same as the rule, asked of Python itself."""
    code = (
        "import sys, open_speech._worker.process, open_speech._worker.runner\n"
        "extras = {'av', 'soxr', 'huggingface_hub', 'filelock', 'pytest', 'hypothesis'}\n"
        "print(*sorted(extras & sys.modules.keys()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []


def test_the_repository_is_seen() -> None:
    names = [distribution.name for distribution in distributions()]
    assert "open-speech-core" in names
    assert all(distribution.modules for distribution in distributions())


# Each rule, broken once.

BREAKS: list[tuple[Rule, str, str]] = [
    (imports.core_imports_only_its_base, f"{CORE_SOURCE}/_types/audio.py", "import av"),
    (
        imports.core_imports_only_its_base,
        f"{CORE_SOURCE}/_types/audio.py",
        "def f():\n    import av",
    ),
    (imports.core_imports_no_engine, f"{CORE_SOURCE}/codecs/x.py", "from torch import nn"),
    (imports.core_imports_no_engine, f"{CORE_SOURCE}/x.py", "import open_speech_provider_tick"),
    (imports.core_imports_no_engine, f"{CORE_SOURCE}/testing/x.py", "import fastapi.routing"),
    (
        imports.worker_side_imports_no_extra,
        f"{CORE_SOURCE}/_worker/framing.py",
        "from ..codecs import x",
    ),
    (
        imports.worker_side_imports_no_extra,
        f"{CORE_SOURCE}/_worker/framing.py",
        "from .. import detour",
    ),
    (imports.worker_side_imports_no_extra, f"{CORE_SOURCE}/__init__.py", "from . import store"),
    (
        imports.worker_side_imports_no_extra,
        f"{CORE_SOURCE}/_worker/process.py",
        "def f():\n    from ..store import x",
    ),
    (imports.third_parties_are_declared, f"{PROVIDER_SOURCE}/x.py", "import pytest"),
    (imports.third_parties_are_declared, f"{PROVIDER_SOURCE}/x.py", "import not_there_at_all"),
    (
        imports.providers_use_public_names,
        f"{PROVIDER_SOURCE}/x.py",
        "from open_speech._lifecycle.manager import Manager",
    ),
    (
        imports.providers_use_public_names,
        f"{PROVIDER_SOURCE}/x.py",
        "from open_speech._types.audio import _x",
    ),
    (imports.providers_use_public_names, f"{PROVIDER_SOURCE}/x.py", "from open_speech import Nay"),
    (imports.providers_stand_alone, f"{PROVIDER_SOURCE}/x.py", "import open_speech_provider_tock"),
    (imports.providers_stand_alone, f"{PROVIDER_SOURCE}/x.py", "import huggingface_hub"),
    (imports.providers_stand_alone, f"{PROVIDER_SOURCE}/x.py", "import open_speech_server.app"),
    (
        imports.importing_a_provider_imports_no_engine,
        f"{PROVIDER_SOURCE}/model.py",
        "try:\n    import engine\nexcept ImportError:\n    pass",
    ),
    (imports.server_uses_public_names, f"{SERVER_SOURCE}/x.py", "import open_speech._version"),
    (imports.server_uses_public_names, f"{SERVER_SOURCE}/x.py", "from open_speech import Nay"),
    (imports.server_imports_no_engine, f"{SERVER_SOURCE}/x.py", "import onnxruntime"),
    (imports.server_imports_no_engine, f"{SERVER_SOURCE}/x.py", "import open_speech_provider_a"),
    (imports.one_file_reads_the_environment, f"{SERVER_SOURCE}/x.py", "import os\nos.environ"),
    (
        imports.one_file_reads_the_environment,
        f"{SERVER_SOURCE}/x.py",
        "from os import getenv",
    ),
    (imports.one_module_talks_to_the_hub, f"{SERVER_SOURCE}/x.py", "import huggingface_hub"),
    (source.provider_names, f"{CORE_SOURCE}/x.py", "x = 'Systran/faster-whisper-base'"),
    (source.provider_names, f"{SERVER_SOURCE}/x.py", "def load_kokoro(): ..."),
    (source.provider_names, f"{SERVER_SOURCE}/x.py", "x = f'{1} tick'"),
    (source.provider_names, f"{SERVER_SOURCE}/static/x.js", "if (model === 'tick') {}"),
    (source.http_outside_the_server, f"{CORE_SOURCE}/x.py", "E(hint='GET /v1/models lists it')"),
    (source.http_outside_the_server, f"{CORE_SOURCE}/x.py", "x = f'/api/models lists {y}'"),
    (source.http_outside_the_server, f"{PROVIDER_SOURCE}/x.py", "E('No.', param='input')"),
    (source.http_outside_the_server, f"{PROVIDER_SOURCE}/x.py", "E(param='file' if x else None)"),
    (source.collections, f"{PROVIDER_SOURCE}/x.py", "import gc\ngc.collect()"),
    (source.pickles, f"{PROVIDER_SOURCE}/x.py", "import pickle"),
    (source.pickles, f"{PROVIDER_SOURCE}/x.py", "torch.load(path)"),
    (source.pickles, f"{PROVIDER_SOURCE}/x.py", "torch.load(path, weights_only=False)"),
    (source.pickles, f"{PROVIDER_SOURCE}/x.py", "numpy.load(path, allow_pickle=True)"),
    (source.remote_code, f"{PROVIDER_SOURCE}/x.py", "load(path, trust_remote_code=True)"),
    (source.remote_code, f"{PROVIDER_SOURCE}/x.py", "x = {'trust_remote_code': 1}"),
    (source.archives, f"{SERVER_SOURCE}/x.py", "import tarfile"),
    (source.archives, f"{SERVER_SOURCE}/x.py", "import zipfile"),
    (source.archives, f"{SERVER_SOURCE}/x.py", "shutil.unpack_archive(path)"),
    (source.archives, f"{CORE_SOURCE}/testing/x.py", "archive.extractall(path)"),
    (source.shells, f"{SERVER_SOURCE}/x.py", "subprocess.run(text, shell=True)"),
    (source.shells, f"{SERVER_SOURCE}/x.py", "os.system(text)"),
    (source.shells, f"{CORE_SOURCE}/x.py", "subprocess.Popen(['ffmpeg', '-i', path])"),
    (source.long_files, f"{CORE_SOURCE}/x.py", "pass\n" * 701),
    (source.long_functions, f"{CORE_SOURCE}/x.py", "def f():\n" + "    pass\n" * 60),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small repository in which every rule holds."""
    write(tmp_path, "packages/open-speech-core/pyproject.toml", PROJECT.format(name="core"))
    write(
        tmp_path,
        "packages/open-speech-provider-tick/pyproject.toml",
        PROJECT.format(name="provider-tick")
        + 'dependencies = ["open-speech-core>=0.1", "some-engine"]\n'
        + '[project.entry-points.open_speech]\ntick = "open_speech_provider_tick"\n',
    )
    write(tmp_path, "apps/server/pyproject.toml", PROJECT.format(name="server"))
    write(tmp_path, f"{CORE_SOURCE}/__init__.py", '__all__ = ["Audio"]\n"""Not for ticks."""\n')
    write(tmp_path, f"{CORE_SOURCE}/_types/audio.py", "import json\nimport numpy\n")
    write(tmp_path, f"{CORE_SOURCE}/wire.py", "from . import audio\n")
    write(tmp_path, f"{CORE_SOURCE}/worker.py", "from .wire import x\n")
    write(tmp_path, f"{CORE_SOURCE}/detour.py", "from .codecs import x\n")
    write(tmp_path, f"{CORE_SOURCE}/codecs/__init__.py", "import av\n")
    write(tmp_path, f"{CORE_SOURCE}/store/__init__.py", "import huggingface_hub\n")
    write(tmp_path, f"{CORE_SOURCE}/testing/__init__.py", "import zipfile\n")
    write(
        tmp_path,
        f"{PROVIDER_SOURCE}/__init__.py",
        "from open_speech import Audio\nfrom .model import Model\n",
    )
    write(
        tmp_path,
        f"{PROVIDER_SOURCE}/model.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import some_engine\n"
        "def load():\n    import some_engine\n    torch.load(path, weights_only=True)\n",
    )
    write(tmp_path, f"{SERVER_SOURCE}/settings/settings.py", "import os\nx = os.environ['X']\n")
    write(tmp_path, f"{SERVER_SOURCE}/known.toml", "model = 'tick'\n")
    return tmp_path


PROJECT = '[project]\nname = "open-speech-{name}"\n'
ALL_RULES = sorted({rule for rule, _, _ in BREAKS}, key=lambda rule: rule.__name__)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{text}\n")


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.__name__)
def test_rule_holds_in_a_good_tree(rule: Rule, tree: Path) -> None:
    if rule is imports.third_parties_are_declared:
        # The tree's core and server declare nothing; its provider does.
        assert not [line for line in rule(tree) if "provider" in line]
    else:
        assert list(rule(tree)) == []


@pytest.mark.parametrize(("rule", "path", "text"), BREAKS)
def test_rule_can_fail(rule: Rule, path: str, text: str, tree: Path) -> None:
    before = set(rule(tree))
    write(tree, path, text)
    assert set(rule(tree)) - before


def test_every_rule_is_broken_once() -> None:
    defined = {
        value
        for module in (imports, source)
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "") == module.__name__
        if not name.startswith("_")
    }
    assert defined == set(ALL_RULES)
