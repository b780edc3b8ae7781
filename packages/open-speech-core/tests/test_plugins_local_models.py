"""Folders and files of the operator's own: recognised, served, left alone; harm stays apart."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from open_speech import Kind, SpeechRequest
from open_speech._hosts import WorkerOptions
from open_speech._lifecycle.states import ModelState
from open_speech._plugins import local_models as local_models_module
from open_speech._plugins.local_models import Contents
from open_speech._plugins.registry import Registry
from open_speech.errors import DeleteRefused, InvalidModelId, ModelConflict, ModelNotFound
from open_speech.store import Store
from open_speech.testing.hostile import hostile_source, provider_source
from open_speech.testing.install import install_provider, remove_provider

MINE = "local/mine"
INSPECTS = """def inspect(self, path):
        if path.suffix != ".{name}":
            return None
        return replace(ToneBackend().list_available()[0], id=path.stem, aliases=("other",))

    def load(self, model, context):
        if not context.path.is_file() or set(context.paths) != {{"model"}} or model.sources:
            raise RuntimeError(f"not what was recognised: {{context.paths}}")
        return super().load(model, context)
"""


def recognising(name: str, ending: str = "tone", prelude: str = "") -> str:
    """Source of a provider that recognises files by their ending."""
    return provider_source(name, body=INSPECTS.format(name=ending), prelude=prelude)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "folder, with = signs" / "voice.tone"
    path.parent.mkdir()
    path.write_bytes(bytes(1000))
    return path


async def scan(
    environment: dict[str, str],
    local: Mapping[str, Path],
    *,
    cache: Path | None = None,
    isolated: bool = True,
) -> Registry:
    registry = Registry(
        cache=cache,
        options=WorkerOptions(environment=environment),
        local=local,
        isolated=isolated,
        only={"good", "evil", "other"},
    )
    await registry.scan()
    return registry


@pytest.mark.parametrize("isolated", [True, False])
async def test_a_path_is_served_under_the_name_it_was_given(
    site: Path, environment: dict[str, str], file: Path, isolated: bool
) -> None:
    name = "good" if isolated else "other"  # a module of its own for this process
    install_provider(site, name, recognising(name))
    registry = await scan(environment, {MINE: file}, isolated=isolated)
    resolved = registry.router.resolve(MINE)
    assert (resolved.provider.name, resolved.path) == (name, file)
    model = resolved.model
    assert (model.id, model.kind, model.aliases, model.sources, model.size_bytes) == (
        MINE, Kind.TTS, (), (), 1000,
    )  # fmt: skip
    assert registry.router.catalogue[-1].model is model
    assert registry.router.resolve(f"{name}:{MINE}").path == file
    assert not registry.router.unserved


async def test_it_speaks_without_a_store_and_is_not_deleted(make_speech, site, file, tmp_path):
    install_provider(site, "good", recognising("good"))
    store = Store(tmp_path / "weights", endpoint="http://127.0.0.1:9", offline=True)
    config = {"install": (), "providers": ("good",), "weights": store}
    async with make_speech(local_models={MINE: file}, **config) as speech:
        [status] = [each for each in await speech.models() if each.id == MINE]
        assert (status.state, status.backend) == (ModelState.DOWNLOADED, "good")
        assert (await speech.catalog.status(MINE)).state is ModelState.DOWNLOADED
        spoken = [
            audio
            async for audio in speech.synthesize(SpeechRequest(text="Hi.", voice=""), model=MINE)
        ]
        assert sum(audio.seconds for audio in spoken) > 0
        assert not await speech.catalog.update(MINE)
        await speech.manager.unload(MINE)
        with pytest.raises(DeleteRefused, match=r"your own, at .*voice\.tone"):
            await speech.catalog.delete(MINE)
        assert file.exists()
        with pytest.raises(ModelNotFound, match="no revisions"):
            speech.resolve(f"{MINE}@main")
        remove_provider(site, "good")
        await speech.rescan()
        with pytest.raises(ModelNotFound, match="no installed provider recognises"):
            speech.resolve(MINE)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("inspect-raises", "RuntimeError: no idea"),
        ("inspect-exits", "SystemExit: 5"),
        ("inspect-exits-at-once", "looking at it ended the process with status 5"),
        ("inspect-segfaults", "looking at it ended the process with status -11"),
        ("inspect-hangs", "looking at it took longer than 3 s"),
        ("inspect-returns-text", "returned str instead of ModelInfo"),
    ],
)
async def test_a_provider_that_does_harm_to_look_harms_nobody_else(
    site, environment, file, tmp_path, monkeypatch, harm, said
):
    monkeypatch.setattr(local_models_module, "INSPECT_TIMEOUT_S", 3.0)
    unknown = tmp_path / "unknown.file"
    unknown.write_text("nothing")
    install_provider(site, "good", recognising("good"))
    install_provider(site, "evil", hostile_source(harm, "evil"))
    registry = await scan(environment, {MINE: file, "local/unknown": unknown})
    assert registry.router.resolve(MINE).backend == "good"
    assert registry.router.resolve("evil/tone").backend == "evil"
    with pytest.raises(ModelNotFound) as caught:
        registry.router.resolve("local/unknown")
    assert said in str(caught.value)
    assert "evil" in str(caught.value)


async def test_a_path_that_ends_the_worker_costs_no_other_path(site, environment, file, tmp_path):
    bad = [tmp_path / f"{number}.bad" for number in range(2)]
    for path in bad:
        path.touch()
    crash = "def inspect(self, path):\n        if path.suffix == '.bad': import os; os._exit(5)"
    body = INSPECTS.format(name="tone").replace("def inspect(self, path):", crash, 1)
    install_provider(site, "good", provider_source("good", body=body))
    local = {"first": bad[0], MINE: file, "last": bad[1]}
    registry = await scan(environment, local)
    assert registry.router.resolve(MINE).path == file
    assert set(registry.router.unserved) == {"first", "last"}


async def test_two_that_recognise_a_path_are_a_conflict_settled_by_prefix(site, environment, file):
    install_provider(site, "good", recognising("good"))
    install_provider(site, "evil", hostile_source("inspect-claims-all", "evil"))
    registry = await scan(environment, {MINE: file})
    with pytest.raises(ModelConflict, match="'evil:local/mine' or 'good:local/mine'"):
        registry.router.resolve(MINE)
    assert registry.router.conflicts[MINE] == ("evil", "good")
    assert registry.router.resolve(f"good:{MINE}").backend == "good"
    settled = await scan(environment, {f"good:{MINE}": file})
    assert settled.router.resolve(MINE).backend == "good"
    assert not settled.router.conflicts
    neither = await scan(environment, {f"nobody:{MINE}": file})
    with pytest.raises(ModelNotFound, match="'nobody' does not recognise"):
        neither.router.resolve(MINE)


async def test_nobody_recognises_it_or_it_is_not_there(site, environment, file, tmp_path, caplog):
    install_provider(site, "good", recognising("good", ending="else"))
    gone = tmp_path / "gone.tone"
    registry = await scan(environment, {MINE: file, "gone": gone})
    assert set(registry.router.unserved) == {MINE, "gone"}
    with pytest.raises(
        ModelNotFound, match=r"no installed provider recognises .*voice\.tone\."
    ) as e:
        registry.router.resolve(MINE)
    assert "format that an installed provider reads" in (e.value.hint or "")
    with pytest.raises(ModelNotFound, match=r"there is nothing at .*gone\.tone"):
        registry.router.resolve("gone")
    assert "recognises" in caplog.text


async def test_a_copy_of_ones_own_takes_the_place_of_a_model_of_the_catalogue(
    site, environment, file
):
    install_provider(site, "good", recognising("good"))
    registry = await scan(environment, {"good/tone": file})
    assert registry.router.resolve("good/tone").path == file
    assert registry.router.resolve("good:good/tone").path == file
    assert [resolved.id for resolved in registry.router.catalogue] == ["good/tone"]
    assert not registry.router.conflicts


async def test_a_name_that_is_none_is_refused(site, environment, file):
    with pytest.raises(InvalidModelId):
        await scan(environment, {"../mine": file})


async def test_what_was_said_is_kept_until_the_files_or_the_provider_change(
    site, environment, file, tmp_path
):
    asked = tmp_path / "asked"
    prelude = f"open({str(asked)!r}, 'a').write('x')"
    install_provider(site, "good", recognising("good", prelude=prelude))
    cache, local = tmp_path / "kept", {MINE: file}
    for _ in range(3):
        assert (await scan(environment, local, cache=cache)).router.resolve(MINE).path == file
    assert asked.read_text() == "xx"  # to be described, and to look
    file.write_bytes(bytes(1001))
    resolved = (await scan(environment, local, cache=cache)).router.resolve(MINE)
    assert (asked.read_text(), resolved.model.size_bytes) == ("xxx", 1001)
    file.with_name("voice.tone.json").write_text("{}")
    await scan(environment, local, cache=cache)
    assert asked.read_text() == "xxxx"
    for kept in (cache / "local").iterdir():
        kept.write_text("[{")
    assert (await scan(environment, local, cache=cache)).router.resolve(MINE).path == file
    assert len(list((cache / "local").iterdir())) == 1
    install_provider(site, "good", recognising("good", prelude=prelude), version="2.0")
    before = len(asked.read_text())
    await scan(environment, local, cache=cache)
    assert len(asked.read_text()) == before + 2


def test_contents_differ_wherever_a_file_does(tmp_path: Path) -> None:
    assert Contents.of(tmp_path / "nothing") is None
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    assert Contents.of(folder) is None
    one = folder / "below" / "weights.bin"
    one.write_bytes(bytes(10))
    (folder / "link").symlink_to("nowhere")
    first = Contents.of(folder)
    os.utime(one, (1, 1))
    second = Contents.of(folder)
    one.rename(folder / "weights.bin")
    third = Contents.of(folder)
    assert None not in (first, second, third)
    assert first.size_bytes == second.size_bytes >= 10
    assert len({first.stamp, second.stamp, third.stamp}) == 3
