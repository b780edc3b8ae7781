"""Environments of providers: real virtual environments, real pip, wheels made here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Sequence
from importlib.metadata import distribution
from pathlib import Path

import pytest

from open_speech._hosts import WorkerOptions
from open_speech.environments import (
    Distribution,
    Environment,
    EnvironmentStore,
    InstallCancelled,
    InstallClash,
    InstallFailed,
    worker_environments,
)
from open_speech.environments._pip import find_uv
from open_speech.errors import InvalidRequest


@pytest.fixture
def base(tmp_path: Path, wheels: Path) -> Path:
    """An interpreter with common 1.0 and a user of it, and the pip that runs with us."""
    root = tmp_path / "base"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root)], check=True)
    python = root / "bin" / "python"
    site = site_of(python)
    ours = distribution("pip")
    for name in ("pip", f"pip-{ours.version}.dist-info"):
        (site / name).symlink_to(str(ours.locate_file(name)))
    for name in ("common", "needs_common"):
        with zipfile.ZipFile(wheels / f"{name}-1.0-py3-none-any.whl") as archive:
            archive.extractall(site)
    return python


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place that pip looks for packages."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    for version in ("0.9", "1.0", "2.0"):
        make_wheel(folder, "common", version)
    make_wheel(folder, "needs-common", "1.0", requires=["common>=1"])
    optional = 'needs-common ; extra == "loud"'
    make_wheel(folder, "speaker", "1.0", requires=["common", optional], provider=True)
    make_wheel(folder, "elder", "1.0", requires=["common<1", "needs-nothing"], provider=True)
    make_wheel(folder, "needs-nothing", "1.0")
    return folder


@pytest.fixture
def store(base: Path, tmp_path: Path) -> EnvironmentStore:
    return EnvironmentStore(tmp_path / "environments", base_python=base, use_uv=False)


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    provider: bool = False,
    needs: str | None = None,
) -> Path:
    """A wheel with one module that knows its version."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    lines = [f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    points = f"[open_speech]\n{name} = {module}\n" if provider else ""
    files = {
        f"{module}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", *lines, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
    }
    if needs is not None:
        files[f"{module}_data/open-speech-environment.toml"] = needs
    record = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in (*files.items(), (f"{info}/RECORD", record)):
            archive.writestr(path, text)
    return wheel


def make_project(folder: Path, name: str, backend: str, *, requires: Sequence[str] = ()) -> Path:
    """A provider's sources with a build backend of their own, so that no index is needed."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        f"[build-system]\nrequires = {json.dumps(list(requires))}\nbuild-backend = 'backend'\n"
        f"backend-path = ['.']\n[project]\nname = '{name}'\nversion = '1.0'\n"
    )
    (folder / "backend.py").write_text(backend)
    return folder


def pip(python: Path, *arguments: str) -> None:
    command = [str(python), "-m", "pip", "install", "-q", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def ask(python: Path, code: str) -> str:
    done = subprocess.run(
        [str(python), "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    return done.stdout.strip()


def version(python: Path, module: str = "common") -> str:
    return ask(python, f"import {module}; print({module}.VERSION)")


def site_of(python: Path) -> Path:
    return Path(ask(python, "import sysconfig; print(sysconfig.get_path('purelib'))"))


def folder_of(environment: Environment) -> Path:
    assert environment.root is not None
    return environment.root


def folders(store: EnvironmentStore) -> set[str]:
    return {path.name for path in store.root.iterdir() if path.is_dir()}


def test_layer_holds_what_clashes_in_front_of_the_base(store: EnvironmentStore, base: Path) -> None:
    before = sorted(path.name for path in site_of(base).iterdir())
    environment = store.install("elder", isolated=True)

    assert environment.name == "elder"
    assert environment.version == "1.0"
    assert environment.problem is None
    assert version(environment.python) == "0.9"
    assert version(environment.python, "needs_common") == "1.0"
    assert {d.name for d in environment.distributions} == {"common", "elder", "needs-nothing"}
    assert environment.shared == ()
    on_disk = sum(p.lstat().st_size for p in folder_of(environment).rglob("*") if not p.is_dir())
    assert environment.size_bytes == on_disk > 0
    assert version(base) == "1.0"
    assert sorted(path.name for path in site_of(base).iterdir()) == before
    assert store.list() == [environment]
    assert store.get("Elder") == environment


def test_layer_installs_nothing_that_the_base_has(store: EnvironmentStore) -> None:
    environment = store.install("speaker", isolated=True)
    assert environment.distributions == (Distribution(name="speaker", version="1.0"),)
    assert environment.shared == (Distribution(name="common", version="1.0"),)
    assert ask(environment.python, "import common; print(common.__file__)").startswith(
        str(store.root.parent / "base")
    )


def test_layer_sees_editable_installations_of_the_base(
    store: EnvironmentStore, base: Path, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "edited.py").write_text("VERSION = 'edited'\n")
    (source / "common.py").write_text("VERSION = 'shadow'\n")
    (site_of(base) / "__editable__.edited.pth").write_text(f"{source}\n")
    (site_of(base) / "hook.pth").write_text("import sys; sys.hooked_by_base = True\n")
    environment = store.install("elder", isolated=True)
    assert version(environment.python, "edited") == "edited"
    assert version(environment.python) == "0.9"
    assert ask(environment.python, "import sys; print(sys.hooked_by_base)") == "True"


def test_build_tools_do_not_see_the_base(
    store: EnvironmentStore, wheels: Path, tmp_path: Path
) -> None:
    make_wheel(wheels, "builder", "1.0")
    pip(store.root.parent / "base" / "bin" / "python", "builder==1.0")
    make_wheel(wheels, "builder", "2.0")
    backend = (
        "import builder, zipfile\n"
        f"exec(open({str(tmp_path / 'make.py')!r}).read())\n"
        "def build_wheel(folder, *_):\n"
        "    make(folder, builder.VERSION)\n"
        "    return 'built-1.0-py3-none-any.whl'\n"
    )
    wheel = make_wheel(tmp_path, "built", "1.0", provider=True)
    (tmp_path / "make.py").write_text(
        "def make(folder, version):\n"
        f"    with zipfile.ZipFile({str(wheel)!r}) as old:\n"
        "        with zipfile.ZipFile(folder + '/built-1.0-py3-none-any.whl', 'w') as new:\n"
        "            for name in old.namelist():\n"
        "                text = old.read(name) if name != 'built.py' else f'VERSION={version!r}'\n"
        "                new.writestr(name, text)\n"
    )
    project = make_project(tmp_path / "built", "built", backend, requires=["builder>=2"])
    environment = store.install(str(project), isolated=True)
    assert version(environment.python, "built") == "2.0"


def test_older_pips_can_hide_the_base_from_build_tools(store: EnvironmentStore, base: Path) -> None:
    """They take away what reading the layer's own folder again adds to the path."""
    python = store.install("speaker", isolated=True).python
    code = (
        f"import site, sys; before = len(sys.path)\n"
        f"site.addsitedir({str(site_of(python))!r}, set())\n"
        f"print({str(site_of(base))!r} in sys.path[before:])"
    )
    assert ask(python, code) == "True"


def test_provider_that_the_base_has_too_gets_a_copy_of_its_own(
    store: EnvironmentStore, base: Path, wheels: Path
) -> None:
    pip(base, "speaker==1.0")
    make_wheel(wheels, "speaker", "1.1", requires=["common>=2"], provider=True)
    environment = store.install("speaker", isolated=True)
    assert environment.version == "1.1"
    assert version(environment.python) == "2.0"
    assert version(base, "speaker") == "1.0"


def test_constraints_hold(store: EnvironmentStore) -> None:
    environment = store.install("elder", isolated=True, constraints=["common==0.9"])
    assert version(environment.python) == "0.9"
    with pytest.raises(InstallFailed, match="contradict"):
        store.install("elder", isolated=True, upgrade=True, constraints=["common==2.0"])
    assert store.get("elder") == environment


def _unbuildable(tmp_path: Path) -> str:
    backend = "def build_wheel(*_):\n    raise SystemExit('no compiler')\n"
    return str(make_project(tmp_path / "crooked", "crooked", backend))


@pytest.mark.parametrize(
    ("requirement", "said"),
    [
        ("no-such-thing", "No package index has no-such-thing"),
        ("elder==7", r"There is no elder==7\. The newest versions for this Python are 1\.0\."),
        ("torn", r"torn cannot .* contradict each other: .*common<1.*"),
        ("lacking", r"No package index has gone>=1 \(needed by lacking\)"),
        ("common==2.0", "common is no provider"),
        ("./crooked", "could not be built"),
    ],
)
def test_failed_installation_leaves_nothing_and_names_the_requirement(
    store: EnvironmentStore,
    wheels: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    requirement: str,
    said: str,
) -> None:
    make_wheel(wheels, "torn", "1.0", requires=["common<1", "needs-common"], provider=True)
    make_wheel(wheels, "lacking", "1.0", requires=["gone>=1"], provider=True)
    _unbuildable(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InstallFailed, match=said):
        store.install(requirement, isolated=True)
    assert store.list() == []
    assert folders(store) == set()


@pytest.mark.parametrize("requirement", ["", "  ", "--pre", "a\nb"])
def test_what_is_no_requirement_is_refused(store: EnvironmentStore, requirement: str) -> None:
    with pytest.raises(InvalidRequest):
        store.install(requirement, isolated=True)


def test_same_requirement_is_kept_and_another_one_replaces_it(
    store: EnvironmentStore, wheels: Path
) -> None:
    first = store.install("speaker==1.0", isolated=True)
    stamp = store.fingerprint()
    assert store.install("speaker==1.0", isolated=True) == first
    assert store.fingerprint() == stamp

    make_wheel(wheels, "speaker", "1.1", requires=["common"], provider=True)
    second = store.install("speaker==1.1", isolated=True)
    assert second.version == "1.1"
    assert second.root != first.root
    assert store.list() == [second]
    assert store.fingerprint() != stamp


def test_upgrade_builds_beside_and_the_old_one_goes_at_the_sweep(
    store: EnvironmentStore, wheels: Path
) -> None:
    first = store.install("speaker", isolated=True)
    make_wheel(wheels, "speaker", "1.1", requires=["common"], provider=True)
    second = store.install("speaker", isolated=True, upgrade=True)
    assert second.version == "1.1"
    assert version(first.python, "speaker") == "1.0"
    assert store.sweep() == 1
    assert not folder_of(first).exists()
    assert version(second.python, "speaker") == "1.1"


def test_failed_upgrade_keeps_what_was_there(store: EnvironmentStore, wheels: Path) -> None:
    first = store.install("speaker", isolated=True)
    make_wheel(wheels, "speaker", "1.1", requires=["gone"], provider=True)
    with pytest.raises(InstallFailed, match="gone"):
        store.install("speaker==1.1", isolated=True)
    assert store.list() == [first]
    assert folders(store) == {folder_of(first).name}


def test_removed_environment_is_gone(store: EnvironmentStore) -> None:
    environment = store.install("speaker", isolated=True)
    stamp = store.fingerprint()
    store.remove("Speaker")
    assert store.list() == []
    assert not folder_of(environment).exists()
    assert store.fingerprint() != stamp
    with pytest.raises(InvalidRequest, match="no provider 'speaker'"):
        store.remove("speaker")


def test_what_was_installed_by_path_is_removed_by_path(
    store: EnvironmentStore, wheels: Path
) -> None:
    wheel = str(wheels / "speaker-1.0-py3-none-any.whl")
    store.install(wheel, isolated=True)
    store.remove(wheel)
    assert store.list() == []


def test_check_proposes_isolation_and_says_what_would_change(store: EnvironmentStore) -> None:
    clash = store.check("elder")
    assert clash is not None
    (change,) = clash.changes
    assert (change.name, change.installed, change.wanted) == ("common", "1.0", "0.9")
    assert change.needed_by == ("needs-common",)
    assert (
        "common 1.0 by 0.9, since elder requires common<1; here needs-common requires common>=1"
    ) in str(clash)
    assert "--isolated" in str(clash)
    assert store.check("speaker") is None
    with pytest.raises(InstallFailed, match="No package index has"):
        store.check("no-such-thing")


def test_what_an_extra_of_the_base_requires_is_named_too(
    store: EnvironmentStore, base: Path, wheels: Path
) -> None:
    make_wheel(wheels, "server", "1.0", requires=['common>=1 ; extra == "hub"'])
    pip(base, "server")
    clash = store.check("elder")
    assert clash is not None
    assert clash.changes[0].keeping[-1] == "server requires common>=1"


def test_check_of_several_is_of_installing_them_together(
    store: EnvironmentStore, wheels: Path
) -> None:
    make_wheel(wheels, "singer", "1.0", requires=["common>=2"], provider=True)
    make_wheel(wheels, "whistler", "1.0", requires=["common<2"], provider=True)
    assert store.check("speaker", "whistler") is None
    clash = store.check("speaker", "singer")
    assert clash is not None
    assert "Installing speaker and singer here would replace common 1.0 by 2.0" in str(clash)
    with pytest.raises(InstallFailed, match=r"singer .*common>=2.*whistler .*common<2"):
        store.check("singer", "whistler")


NEEDS = """
requires = ["common==0.9"]
alone = ["glutton==1.0"]
"""


@pytest.mark.parametrize("use_uv", [False, True])
def test_own_environment_gets_what_only_it_is_to_have(
    base: Path, tmp_path: Path, wheels: Path, use_uv: bool
) -> None:
    if use_uv and find_uv(base) is None:
        pytest.skip("uv is not installed")
    store = EnvironmentStore(tmp_path / "environments", base_python=base, use_uv=use_uv)
    make_wheel(wheels, "glutton", "1.0", requires=["no-such-thing", "needs-common"])
    make_wheel(wheels, "guest", "1.0", requires=["common"], provider=True, needs=NEEDS)
    assert store.check("guest") is None
    assert store.left_out("guest") == ("glutton==1.0", "common==0.9")
    assert store.left_out("speaker") == ()

    environment = store.install("guest", isolated=True)
    assert version(environment.python) == "0.9"
    assert version(environment.python, "glutton") == "1.0"
    assert {d.name for d in environment.distributions} == {"common", "glutton", "guest"}
    assert environment.version == "1.0"
    assert {d.name for d in environment.shared} == {"needs-common"}
    assert version(base) == "1.0"

    beside = store.install("guest", isolated=False)
    assert [d.name for d in beside.distributions] == ["guest"]
    assert beside.left_out == store.left_out("guest") == ("glutton==1.0", "common==0.9")
    assert environment.left_out == ()
    assert version(base) == "1.0"


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ('requires = ["gone==3"]', "gone==3 \\(needed by guest\\)"),
        ('alone = ["common==7"]', "common==7 \\(needed by guest\\)"),
        ("requires = 5", "cannot be used"),
        ('requires = ["--evil"]', "'--evil' is no requirement"),
        ("else = []", "it has else"),
        ("no toml", "cannot be used"),
    ],
)
def test_environment_that_cannot_have_what_it_needs_is_not_made(
    store: EnvironmentStore, wheels: Path, needs: str, said: str
) -> None:
    make_wheel(wheels, "guest", "1.0", provider=True, needs=needs)
    with pytest.raises(InstallFailed, match=said):
        store.install("guest", isolated=True)
    assert folders(store) == set()
    assert store.list() == []


def test_base_takes_what_fits_and_gives_it_back(store: EnvironmentStore, base: Path) -> None:
    stamp = store.fingerprint()
    environment = store.install("speaker", isolated=False)
    assert environment == Environment(
        name=None,
        python=base,
        requirement="speaker",
        distributions=(Distribution(name="speaker", version="1.0"),),
        size_bytes=environment.size_bytes,
    )
    assert environment.size_bytes > 0
    assert version(base, "speaker") == "1.0"
    assert store.list() == []
    installed = store.fingerprint()
    assert installed != stamp
    store.remove("speaker")
    assert store.fingerprint() != installed
    with pytest.raises(subprocess.CalledProcessError):
        version(base, "speaker")
    with pytest.raises(InvalidRequest, match="no provider 'common'"):
        store.remove("common")


def test_base_refuses_what_would_change_it(store: EnvironmentStore, base: Path) -> None:
    with pytest.raises(InstallClash, match="--isolated") as caught:
        store.install("elder", isolated=False)
    assert caught.value.clash.changes[0].name == "common"
    assert version(base) == "1.0"
    store.install("elder", isolated=False, force=True)
    assert version(base) == "0.9"


def test_base_is_rid_of_what_turns_out_to_be_no_provider(
    store: EnvironmentStore, base: Path
) -> None:
    before = sorted(path.name for path in site_of(base).glob("*.dist-info"))
    with pytest.raises(InstallFailed, match="needs-nothing is no provider"):
        store.install("needs-nothing", isolated=False)
    assert sorted(path.name for path in site_of(base).glob("*.dist-info")) == before


@pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import ensurepip"], check=False).returncode != 0,
    reason="this Python has no ensurepip to bring a pip from",
)
@pytest.mark.deep  # ensurepip takes its time
def test_base_without_pip_is_served_too(store: EnvironmentStore, base: Path) -> None:
    for path in site_of(base).glob("pip*"):
        path.unlink()
    store.install("speaker", isolated=False)
    assert version(base, "speaker") == "1.0"


@pytest.mark.skipif(find_uv(Path(sys.executable)) is None, reason="uv is not installed")
def test_uv_installs_just_what_pip_resolved(store: EnvironmentStore, base: Path) -> None:
    told: list[str] = []
    environment = EnvironmentStore(store.root, base_python=base).install(
        "elder", isolated=True, progress=told.append
    )
    assert "Installing 3 packages with uv" in told
    assert "Installing collected packages: needs-nothing, common, elder" not in told
    assert version(environment.python) == "0.9"
    assert {d.name for d in environment.distributions} == {"common", "elder", "needs-nothing"}


def test_two_installations_at_once_wait_for_each_other(store: EnvironmentStore) -> None:
    results: dict[str, Environment] = {}
    told: list[str] = []
    both = threading.Barrier(2)

    def install(name: str) -> None:
        both.wait()
        results[name] = store.install(name, isolated=True, progress=told.append)

    threads = [threading.Thread(target=install, args=(name,)) for name in ("elder", "speaker")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.list() == [results["elder"], results["speaker"]]
    assert told.count("Waiting for another installation to finish") == 1
    assert version(results["elder"].python) == "0.9"
    assert version(results["speaker"].python) == "1.0"


@pytest.fixture
def busy(store: EnvironmentStore) -> Iterator[None]:
    """Another process installs all the while."""
    store.root.mkdir()
    code = (
        "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
        "print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(store.root / ".lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        yield
        other.communicate()


@pytest.mark.usefixtures("busy")
def test_waiting_installation_can_be_cancelled(store: EnvironmentStore) -> None:
    cancelled = threading.Event()
    told: list[str] = []

    def cancel(line: str) -> None:
        told.append(line)
        cancelled.set()

    with pytest.raises(InstallCancelled):
        store.install("speaker", isolated=True, progress=cancel, cancelled=cancelled)
    assert told == ["Waiting for another installation to finish"]
    assert folders(store) == set()


@pytest.mark.usefixtures("busy")
def test_sweep_leaves_alone_what_is_being_installed(store: EnvironmentStore) -> None:
    (store.root / "elder-0123abcd").mkdir()
    assert store.sweep() == 0
    assert folders(store) == {"elder-0123abcd"}


def test_sweep_deletes_what_a_killed_installation_left(store: EnvironmentStore) -> None:
    assert store.sweep() == 0
    environment = store.install("speaker", isolated=True)
    (store.root / "elder-0123abcd" / "lib").mkdir(parents=True)
    (store.root / "speaker-0123abcd").mkdir()
    (store.root / "kept by a person").mkdir()
    assert store.sweep() == 2
    assert folders(store) == {folder_of(environment).name, "kept by a person"}


def test_sweep_keeps_the_folders_of_a_record_that_it_cannot_read(
    store: EnvironmentStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.root.mkdir()
    (store.root / "later-0123abcd").mkdir()
    (store.root / "later.json").write_text('{"format": 99, "directory": "later-0123abcd"}')
    assert store.list() == []
    assert store.sweep() == 0
    (told,) = (record.getMessage() for record in caplog.records)
    assert str(store.root / "later.json") in told
    assert "later version" in told


def test_cancelling_ends_whatever_builds(store: EnvironmentStore, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    backend = (
        "import threading\n"
        "def build_wheel(*_):\n"
        f"    held = open({str(pipe)!r}, 'w', buffering=1)\n"
        "    held.write('building\\n')\n"
        "    threading.Event().wait()\n"
    )
    project = make_project(tmp_path / "endless", "endless", backend)
    cancelled = threading.Event()
    seen: list[str] = []

    def cancel_once_it_builds() -> None:
        with pipe.open() as told:
            seen.append(told.readline())
            cancelled.set()
            seen.append(told.readline())  # empty: the builder holds the pipe no more

    watcher = threading.Thread(target=cancel_once_it_builds)
    watcher.start()
    with pytest.raises(InstallCancelled, match="endless"):
        store.install(str(project), isolated=True, cancelled=cancelled)
    watcher.join()
    assert seen == ["building\n", ""]
    assert folders(store) == set()


def test_environment_without_its_base_says_what_to_do(store: EnvironmentStore, base: Path) -> None:
    store.install("speaker", isolated=True)
    shutil.rmtree(site_of(base))
    problem = store.list()[0].problem
    assert problem is not None
    assert "--upgrade speaker" in problem


def test_drift_of_the_base_is_seen_and_an_upgrade_settles_it(
    store: EnvironmentStore, base: Path
) -> None:
    environment = store.install("speaker", isolated=True)
    assert store.drifted(environment) == ()
    pip(base, "common==2.0")
    (change,) = store.drifted(environment)
    assert (change.name, change.installed, change.wanted) == ("common", "2.0", "1.0")
    assert store.drifted(store.install("speaker", isolated=True, upgrade=True)) == ()


def test_real_provider_runs_with_a_pydantic_that_the_base_could_not_have(tmp_path: Path) -> None:
    here = subprocess.run(
        [sys.executable, "-c", "import pydantic; print(pydantic.VERSION)"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    wheel = make_wheel(
        tmp_path, "veteran", "1.0", requires=["pydantic==1.10.*", "open-speech-core"], provider=True
    )
    store = EnvironmentStore(tmp_path / "environments")
    try:
        environment = store.install(str(wheel), isolated=True)
    except InstallFailed as error:
        if "could not be reached" in str(error):
            pytest.skip(str(error))
        raise
    code = "import open_speech, pydantic, numpy; print(pydantic.VERSION, open_speech.__file__)"
    old, core = ask(environment.python, code).split()
    assert old.startswith("1.10.")
    assert core == sys.modules["open_speech"].__file__
    assert "open-speech-core" in {d.name for d in environment.shared}
    after = subprocess.run(
        [sys.executable, "-c", "import pydantic; print(pydantic.VERSION)"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert after.stdout == here.stdout


def test_worker_environments_name_interpreters_and_change_with_them(
    store: EnvironmentStore, base: Path, wheels: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.install("elder", isolated=True)
    speaker = store.install("speaker", isolated=True)
    options = WorkerOptions(environment={"PATH": "/bin", "PYTHONPATH": "/elsewhere"})
    before = worker_environments(store, options)
    assert [e.name for e in before] == ["elder", "speaker"]
    assert [[p.name for p in e.providers] for e in before] == [["elder"], ["speaker"]]
    assert before[1].options == WorkerOptions(python=speaker.python, environment={"PATH": "/bin"})

    store.install("speaker", isolated=True, upgrade=True)
    after = worker_environments(store, options)
    assert after[0] == before[0]
    assert after[1].fingerprint != before[1].fingerprint

    shutil.rmtree(site_of(base))
    caplog.set_level("WARNING", "open_speech")
    assert worker_environments(store, options) == []
    assert "--upgrade speaker" in caplog.text
