"""A real browser on a real server: Chromium of the system, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from live import Live, live_server
from open_speech.testing import install_provider
from open_speech.testing.hub import FakeHub

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
REQUIRED = "OPEN_SPEECH_BROWSER_TESTS"
"""Set to `required`, a missing Chromium is a failure."""
SPOKEN = Path(__file__).parents[4] / "packages/open-speech-provider-pocketsphinx/tests/data"
"""Recordings that the embedded engine understands."""
SWITCHES = [
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    f"--use-file-for-fake-audio-capture={SPOKEN / 'light.wav'}",
]
WAIT_MS = 30_000
"""Against hanging; the machine may have other work."""
SHELF = """
    from open_speech import Kind, ModelInfo, ModelSource, TTSBackend, STTBackend, hookimpl
    from open_speech.testing.tone import EchoModel, ToneModel

    COUNT = {count}

    def info(number, kind):
        name = f"shelf/{{'voice' if kind is Kind.TTS else 'ear'}}-{{number:04}}"
        return ModelInfo(
            id=name, kind=kind, license="CC0-1.0",
            languages=("de", "en") if number % 2 else ("fr",),
            description="On the shelf.", sources=(ModelSource(repo_id=name),), size_bytes=600_002,
            devices=("cpu", "cuda") if number % 3 else ("cpu",), sample_rate=24_000,
        )

    class Voices(TTSBackend):
        name = "shelf"
        def list_available(self):
            return [info(number, Kind.TTS) for number in range(COUNT // 2)]
        def load(self, model, context):
            return ToneModel(model, context.options)

    class Ears(STTBackend):
        name = "shelf-ears"
        def list_available(self):
            return [info(number, Kind.STT) for number in range(COUNT - COUNT // 2)]
        def load(self, model, context):
            return EchoModel(model)

    @hookimpl
    def open_speech_backends():
        return [Voices(), Ears()]
"""
"""A provider of as many models as one likes, all to be downloaded."""
CARD = "NVIDIA Something, 16384 MiB, 560.35"
"""What a driver says of a graphics processor."""
NOTE_MESSAGES = """
window.said = [];
addEventListener("DOMContentLoaded", () => {
    const messages = document.getElementById("messages");
    if (!messages) return;
    new MutationObserver((changes) => {
        for (const {addedNodes} of changes)
            for (const node of addedNodes) window.said.push(node.textContent);
    }).observe(messages, {childList: true});
});
"""
"""Messages go away by themselves: looking now and then could miss one."""
MakeServer = Callable[..., Live]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, where there is no browser; fail where there must be one."""
    here = Path(__file__).parent
    if CHROMIUM or os.environ.get(REQUIRED) == "required":
        return
    reason = "Chromium was not found: `apt-get install chromium` runs the browser tests"
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Chromium, for one module: Playwright's event loop may not outlive the tests that know it."""
    assert CHROMIUM, "Chromium was not found, and the browser tests are required"
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield found
        found.close()


@pytest.fixture(scope="module")
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        yield hub


@pytest.fixture(scope="module")
def make_server(hub: FakeHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeServer]:
    """``make_server(shelf=4, broken=False, graphics=False, **environment)``: for one module.

    ``graphics`` has the machine look as if it had a graphics processor.
    """
    with ExitStack() as stack:

        def make(
            *, shelf: int = 4, broken: bool = False, graphics: bool = False, **environment: str
        ) -> Live:
            folder = tmp_path_factory.mktemp("server")
            site = folder / "site"
            install_provider(site, "tone", "open_speech.testing.tone")
            install_provider(site, "faulty", "open_speech.testing.faulty")
            install_provider(site, "shelf", SHELF.format(count=shelf))
            if broken:
                install_provider(site, "wrecked", "raise RuntimeError('the engine is missing')")
            if graphics:
                environment["PATH"] = os.pathsep.join([_driver(folder), os.environ["PATH"]])
            base = {
                "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]),
                "HF_ENDPOINT": hub.url,
                "HF_HUB_OFFLINE": "0",
                "HF_HOME": str(folder / "nobodys"),
            }
            return stack.enter_context(live_server(folder, {**base, **environment}))

        yield make


def _driver(folder: Path) -> str:
    """A folder with a driver's command in it."""
    command = folder / "bin" / "nvidia-smi"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\necho '{CARD}'\n")
    command.chmod(0o755)
    return str(command.parent)


class Visit:
    """A page of one server, and what went wrong or was fetched while it was open."""

    def __init__(self, browser: object, server: Live, **options: object) -> None:
        self.server = server
        self.context = browser.new_context(  # type: ignore[attr-defined]
            base_url=server.address, accept_downloads=True, **options
        )
        self.context.grant_permissions(["clipboard-read", "clipboard-write", "microphone"])
        self.context.add_init_script(NOTE_MESSAGES)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        playwright.expect.set_options(timeout=WAIT_MS)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)

    def _console(self, message: object) -> None:
        if "Content Security Policy" in message.text:  # type: ignore[attr-defined]
            self.errors.append(message.text)  # type: ignore[attr-defined]

    def open(self, tab: str = "models") -> object:
        """The page, once it is there."""
        self.page.goto(f"/web#{tab}")
        self.page.wait_for_selector("html[data-ready]")
        return self.page

    def row(self, model: str) -> object:
        """A model's row in the list."""
        return self.page.locator(f".model[data-id='{model}']")

    def find(self, model: str) -> object:
        """The same, searched for: what else is installed may fill the list."""
        self.page.get_by_label("Search models").fill(model)
        return self.row(model)

    def hears(self, text: str) -> None:
        """Wait for a message, which may be gone again."""
        self.until("text => window.said.some((each) => each.includes(text))", text)

    def until(self, condition: str, arg: object = None) -> None:
        """Wait for a function of the page to be true. Playwright's own wait needs eval."""
        self.page.evaluate(
            f"""([arg, ms]) => new Promise((done, fail) => {{
                const end = performance.now() + ms;
                const look = () => (({condition})(arg)) ? done()
                    : performance.now() > end ? fail(new Error("waited in vain"))
                    : setTimeout(look, 20);
                look();
            }})""",
            [arg, WAIT_MS],
        )

    def origins(self) -> set[str]:
        """Where everything came from."""
        script = "performance.getEntries().map(e => e.name).filter(n => /^[a-z]+:/.test(n))"
        names = self.page.evaluate(script)
        return {name.split("/web")[0].split("/", 3)[2] for name in names if "://" in name}


@pytest.fixture
def visit(browser: object) -> Iterator[Callable[..., Visit]]:
    """``visit(server)``; fails for any error on the page, and for any foreign origin."""
    visits: list[Visit] = []

    def make(server: Live, **options: object) -> Visit:
        visits.append(Visit(browser, server, **options))
        return visits[-1]

    yield make
    for each in visits:
        assert each.errors == []
        assert each.origins() <= {each.server.address.removeprefix("http://")}
        each.context.close()
