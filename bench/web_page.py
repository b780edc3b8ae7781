"""How soon the web page is usable with a thousand models listed; how soon it sounds.

A provider lists so many models, all of them to be fetched, and two models without an engine are
loaded. Each visit is that of a browser which has never seen the page. From the navigation on it
takes "until the rows are made", and "until they are painted" to the end of the frame that shows
them. A search is from the key press to the same. "To the first sound" is from the first byte of
speech to the first sample that is due.

    nox -s bench -- web_page [--models 1000] [--rounds 15]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from _measure import TONE, Figures, Server, percentile, server, timed

from open_speech.testing.install import install_provider

BROWSERS = ("chromium", "chromium-browser", "chrome")
SHELF = """
from open_speech import Kind, ModelInfo, ModelSource, STTBackend, TTSBackend, hookimpl

COUNT = {count}


def model(number, kind):
    name = f"shelf/{{kind.value}}-{{number:04}}"
    return ModelInfo(
        id=name, kind=kind, license="CC0-1.0", languages=("de", "en", "fr")[number % 3 :],
        description="One of many.", sources=(ModelSource(repo_id=name),), size_bytes=60_000_000,
        devices=("cpu", "cuda"), sample_rate=16_000,
    )


class Voices(TTSBackend):
    name = "shelf"

    def list_available(self):
        return [model(number, Kind.TTS) for number in range(COUNT // 2)]

    def load(self, model, context):
        raise NotImplementedError


class Ears(STTBackend):
    name = "shelf-ears"

    def list_available(self):
        return [model(number, Kind.STT) for number in range(COUNT - COUNT // 2)]

    def load(self, model, context):
        raise NotImplementedError


@hookimpl
def open_speech_backends():
    return [Voices(), Ears()]
"""
WATCH = """
const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
new PerformanceObserver(async (list, observer) => {
    const [first] = list.getEntriesByName("models-render");
    if (!first) return;
    observer.disconnect();
    await painted();
    window.shown = [first.startTime + first.duration, performance.now()];
}).observe({entryTypes: ["measure"]});
window.searched = async (text) => {
    const search = document.querySelector("input[type=search]");
    const started = performance.now();
    search.value = text;
    search.dispatchEvent(new Event("input"));
    await painted();
    return performance.now() - started;
};
window.until = async (found) => {
    while (!found()) await new Promise((done) => setTimeout(done, 10));
};
"""
SHOWN = "async () => { await until(() => window.shown); return window.shown; }"
SOUNDED = """async () => {
    const at = (name) => performance.getEntriesByName(name)[0]?.startTime;
    await until(() => at("speech-first-sound"));
    return at("speech-first-sound") - at("speech-first-byte");
}"""


def main() -> int:
    """Measure and print; 1 without a browser."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        print("Chromium was not found.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        install_provider(Path(folder) / "site", "shelf", SHELF.format(count=options.models))
        with server(TONE, folder=Path(folder)) as started:
            lists, size = _lists(started, options.rounds)
            pages = _pages(started, chromium, options.rounds)
    table = Figures(
        f"The web page with {options.models:,} models and more", ("what", "best", "median", "p90")
    )
    _add(table, f"GET /api/models, {size / 1e3:.0f} kB, ms", lists)
    for name, times in pages.items():
        _add(table, f"{name}, ms", times)
    table.show()
    return 0


def _lists(started: Server, rounds: int) -> tuple[list[float], int]:
    """Milliseconds for the whole list over a connection that is kept, and its bytes."""
    connection, sizes = started.connect(), []

    def ask() -> None:
        connection.request("GET", "/api/models")
        sizes.append(len(connection.getresponse().read()))

    ask()
    return [timed(ask) for _ in range(rounds)], sizes[-1]


def _pages(started: Server, chromium: str, rounds: int) -> dict[str, list[float]]:
    """What each visit took, in milliseconds."""
    from playwright.sync_api import sync_playwright

    found: dict[str, list[float]] = {}
    with sync_playwright() as driver:
        quietly = "--autoplay-policy=no-user-gesture-required"
        browser = driver.chromium.launch(executable_path=chromium, args=[quietly])
        _visit(browser, started)  # the browser's own first page
        for _ in range(rounds):
            for name, time in _visit(browser, started).items():
                found.setdefault(name, []).append(time)
        browser.close()
    return found


def _visit(browser: Any, started: Server) -> dict[str, float]:
    context = browser.new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{started.port}/web")
    made, painted = page.evaluate(SHOWN)
    search = page.evaluate("searched('stt-0042')")
    assert page.locator(".model").count() == 1
    page.locator("nav a[href='#speak']").click()
    page.get_by_role("button", name="Speak", exact=True).click()
    sound = page.evaluate(SOUNDED)
    context.close()
    return {
        "until the rows are made": made,
        "until they are painted": painted,
        "a search": search,
        "to the first sound": sound,
    }


def _add(table: Figures, name: str, times: list[float]) -> None:
    table.add(name, min(times), statistics.median(times), percentile(times, 90))


if __name__ == "__main__":
    sys.exit(main())
