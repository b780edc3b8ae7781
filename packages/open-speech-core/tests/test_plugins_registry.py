"""Providers are found, described and listed, and a broken one is listed as broken."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from open_speech._hosts import WorkerOptions
from open_speech._plugins import registry as registry_module
from open_speech._plugins.discovery import installed_providers
from open_speech._plugins.registry import ProviderEnvironment, Registry
from open_speech.testing.hostile import HOSTILE, hostile_source, provider_source
from open_speech.testing.install import install_provider


async def scan(environment, tmp_path=None) -> Registry:
    registry = Registry(
        cache=tmp_path / "manifests" if tmp_path else None,
        options=WorkerOptions(environment=environment),
        only={"tone", "faulty", "evil", "watched"},  # not what the developer has installed
    )
    await registry.scan()
    return registry


async def test_an_installed_provider_is_listed_with_its_models(site, environment):
    install_provider(site, "tone", "open_speech.testing.tone", version="1.2.3")
    registry = await scan(environment)
    [provider] = registry.providers
    assert (provider.name, provider.manifest.version) == ("tone", "1.2.3")
    assert not provider.broken
    assert "tone/sine" in {resolved.id for resolved in registry.router.catalogue}
    assert provider.manifest.versions["python"].startswith("3.")
    assert "numpy" not in provider.manifest.versions or provider.manifest.versions["numpy"]


async def test_no_provider_is_imported_into_this_process(site, environment):
    install_provider(site, "watched", provider_source("watched"))
    registry = await scan(environment)
    assert [provider.name for provider in registry.providers] == ["watched"]
    assert "open_speech_provider_watched" not in sys.modules


@pytest.mark.parametrize(
    "harm",
    ["import-error", "syntax-error", "raises", "exits", "exits-at-once", "segfaults", "hook-raises",
     "hook-returns-none", "hook-returns-text", "misspelt-hook", "hook-with-unknown-argument",
     "no-hook", "catalogue-raises", "abstract"],
)  # fmt: skip
async def test_a_broken_provider_is_listed_as_broken_and_the_others_work(site, environment, harm):
    install_provider(site, "tone", "open_speech.testing.tone")
    install_provider(site, "evil", hostile_source(harm, "evil"), version="6.6.6")
    registry = await scan(environment)
    evil, tone = registry.providers
    assert not tone.broken
    assert registry.router.resolve("tone/sine").provider.name == "tone"
    if harm == "abstract":  # the class cannot be made, which the hook's answer shows
        assert evil.broken or evil.manifest.backends
        return
    assert evil.broken
    assert evil.manifest.version == "6.6.6"
    assert "evil" in (evil.manifest.error or "")
    if harm in ("import-error", "syntax-error", "raises", "hook-raises", "catalogue-raises"):
        assert "Traceback" in (evil.manifest.detail or "")


@pytest.mark.parametrize(
    "harm",
    ["shouts", "reads-input", "takes-signals", "forks", "sets-locale", "sets-environment",
     "changes-folder", "starts-threads"],
)  # fmt: skip
async def test_a_provider_that_meddles_harms_only_its_own_worker(site, environment, harm):
    install_provider(site, "evil", hostile_source(harm, "evil"))
    before = dict(os.environ), Path.cwd()
    registry = await scan(environment)
    assert (dict(os.environ), Path.cwd()) == before
    [evil] = registry.providers
    assert [model.id for model in evil.manifest.backends[0].models] == ["evil/tone"]


@pytest.mark.parametrize("harm", ["hangs", "hangs-gil"])
async def test_a_provider_that_hangs_at_import_is_given_up(site, environment, harm, monkeypatch):
    monkeypatch.setattr(registry_module, "DESCRIBE_TIMEOUT_S", 2.0)
    install_provider(site, "evil", hostile_source(harm, "evil"))
    [evil] = (await scan(environment)).providers
    assert "took longer than 2 s" in (evil.manifest.error or "")


GARBAGE = """
    import os, socket, sys, time
    line = socket.socket(fileno=int(sys.argv[2]))
    {act}
"""
"""A provider that finds the connection of its worker and misuses it while it is imported."""
MISUSES = {
    "writes text": "line.sendall(b'garbage ' * 1000); os._exit(0)",
    "claims a huge frame": "line.sendall(b'\\xff' * 64); time.sleep(600)",
    "writes half a frame": "line.sendall(b'\\0\\0\\0\\x40\\0\\0\\0\\0{'); os._exit(0)",
    "writes JSON of another kind": "line.sendall(b'\\0\\0\\0\\2\\0\\0\\0\\0[]'); os._exit(0)",
    "closes the connection and goes on": "line.close(); time.sleep(600)",
    "ends well": "os._exit(0)",
}
HARMS = {
    **{name: GARBAGE.format(act=act) for name, act in MISUSES.items()},
    **{
        name: hostile_source(name, "evil")
        for name in ("exits-at-once", "segfaults", "hangs", "hangs-gil", "raises")
    },
}
HANGING = {"claims a huge frame", "closes the connection and goes on", "hangs", "hangs-gil"}


def isolated(layer: Path, environment: dict[str, str], *, listed: bool) -> ProviderEnvironment:
    """An environment with what is installed in a folder, whose metadata can be read or not."""
    found = installed_providers([str(layer)])
    return ProviderEnvironment(
        name="open-speech-provider-evil",
        options=WorkerOptions(environment={**environment, "PYTHONPATH": str(layer)}),
        providers=tuple(found) if listed else (),
    )


@pytest.mark.parametrize("harm", HARMS)
async def test_a_broken_provider_in_its_own_environment_is_listed_and_logged(
    tmp_path, environment, monkeypatch, caplog, harm
):
    layer = tmp_path / "layer"
    install_provider(layer, "evil", HARMS[harm], version="6.6.6")
    if harm in HANGING:
        monkeypatch.setattr(registry_module, "DESCRIBE_TIMEOUT_S", 2.0)
    else:
        install_provider(layer, "tone", "open_speech.testing.tone")
    place = isolated(layer, environment, listed=True)
    registry = Registry(environments=lambda: [place], only=set())
    await registry.scan()
    evil, *others = registry.providers
    assert (evil.name, evil.broken, evil.manifest.version) == ("evil", True, "6.6.6")
    assert evil.environment.name == "open-speech-provider-evil"
    assert evil.manifest.error
    assert evil.manifest.error in caplog.messages
    assert [other.broken for other in others] == ([] if harm in HANGING else [False])


@pytest.mark.parametrize("python", ["gone", "no program"])
async def test_an_environment_whose_interpreter_does_not_start_is_listed_as_broken(
    tmp_path, environment, python
):
    layer = tmp_path / "layer"
    install_provider(layer, "tone", "open_speech.testing.tone")
    program = tmp_path / python
    if python != "gone":
        program.write_bytes(b"\0")
        program.chmod(0o755)
    place = isolated(layer, environment, listed=True)
    place = replace(place, options=replace(place.options, python=program))
    registry = Registry(environments=lambda: [place], only=set())
    await registry.scan()
    [tone] = registry.providers
    assert tone.broken
    assert f"{program} does not start" in (tone.manifest.error or "")


async def test_an_environment_that_dies_before_it_names_a_provider_is_listed_as_broken(
    tmp_path, environment, caplog
):
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "sitecustomize.py").write_text("import os; os._exit(7)")
    place = isolated(layer, environment, listed=False)
    registry = Registry(environments=lambda: [place], only=set())
    await registry.scan()
    [lost] = registry.providers
    assert (lost.name, lost.broken) == ("open-speech-provider-evil", True)
    assert "status 7" in (lost.manifest.error or "")
    assert lost.manifest.error in caplog.messages


async def test_a_provider_for_a_newer_core_is_refused_with_a_sentence(site, environment):
    install_provider(site, "evil", hostile_source("future-api", "evil"))
    [evil] = (await scan(environment)).providers
    assert "written for version 999" in (evil.manifest.error or "")
    assert "Upgrade open-speech-core" in (evil.manifest.error or "")


async def test_what_a_provider_said_is_kept_until_it_changes(site, environment, tmp_path):
    asked = tmp_path / "asked"
    prelude = f"open({str(asked)!r}, 'a').write('x')"
    install_provider(site, "tone", provider_source("tone", prelude=prelude))
    for _ in range(3):
        registry = await scan(environment, tmp_path)
        assert [provider.name for provider in registry.providers] == ["tone"]
    assert asked.read_text() == "x"
    install_provider(site, "tone", provider_source("tone", prelude=prelude), version="2.0")
    [provider] = (await scan(environment, tmp_path)).providers
    assert provider.manifest.version == "2.0"
    assert asked.read_text() == "xx"


async def test_a_provider_of_one_file_is_asked_again_when_it_was_edited(
    site, environment, tmp_path
):
    install_provider(site, "watched", provider_source("watched"))
    before = await scan(environment, tmp_path)
    install_provider(site, "watched", "raise RuntimeError('edited since')")
    os.utime(site / "open_speech_provider_watched.py", (1, 1))  # clocks may be coarse
    after = await scan(environment, tmp_path)
    assert [before.providers[0].broken, after.providers[0].broken] == [False, True]


async def test_a_kept_manifest_that_is_damaged_is_asked_for_again(site, environment, tmp_path):
    install_provider(site, "tone", "open_speech.testing.tone")
    await scan(environment, tmp_path)
    for file in (tmp_path / "manifests").iterdir():
        file.write_text('[{"$type": "ProviderManifest", "name": 3')
    registry = await scan(environment, tmp_path)
    assert "tone/sine" in {resolved.id for resolved in registry.router.catalogue}


async def test_a_folder_that_cannot_be_written_is_no_obstacle(site, environment, tmp_path):
    (tmp_path / "manifests").write_text("a file where the folder should be")
    install_provider(site, "tone", "open_speech.testing.tone")
    assert (await scan(environment, tmp_path)).providers


async def test_a_provider_installed_later_is_found_by_the_next_scan(site, environment):
    install_provider(site, "tone", "open_speech.testing.tone")
    registry = await scan(environment)
    install_provider(site, "faulty", "open_speech.testing.faulty")
    await registry.scan()
    assert [provider.name for provider in registry.providers] == ["faulty", "tone"]


def test_every_harm_is_tried():
    tried = {
        "import-error", "syntax-error", "raises", "exits", "exits-at-once", "segfaults",
        "hook-raises", "hook-returns-none", "hook-returns-text", "misspelt-hook",
        "hook-with-unknown-argument", "no-hook", "catalogue-raises", "abstract", "shouts",
        "reads-input", "takes-signals", "forks", "sets-locale", "sets-environment",
        "changes-folder", "starts-threads", "hangs", "hangs-gil", "future-api",
    }  # fmt: skip
    looking = {harm for harm in HOSTILE if harm.startswith("inspect-")}  # test_local_models.py
    # These are breaches of manners that the conformance suite finds; they harm nobody here.
    manners = {"connects", "writes-files", "imports-engine", "catalogue-reads"}
    assert tried | looking | manners == set(HOSTILE)


def test_core_imports_no_provider_engine_or_server():
    code = (
        "import sys, open_speech, open_speech.service, open_speech._worker.process;"
        "bad = {'fastapi', 'torch', 'av', 'soxr', 'huggingface_hub', 'onnxruntime'};"
        "sys.exit(bool(bad & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
