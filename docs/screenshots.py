"""Take the pictures of the web page: `nox -s screenshots`.

Those that documents show go to docs/images/web, all others to build/screenshots. A server with
every installed provider and a slow hub of its own is shown at both widths and in both colour
schemes. Needs Chromium.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import (  # noqa: E402
    Browser,
    FilePayload,
    Page,
    expect,
    sync_playwright,
)

from live import Live, live_server  # noqa: E402
from open_speech.codecs.decode import decode  # noqa: E402
from open_speech.testing import join, silence, wav_bytes  # noqa: E402
from open_speech.testing.hub import FakeHub  # noqa: E402

expect.set_options(timeout=60_000)

TARGET = ROOT / "docs" / "images" / "web"
SHOWN = (
    "models-desktop-light",
    "transcribe-desktop-light",
    "live-desktop-light",
    "speak-desktop-dark",
)
"""The pictures that documents show."""
OTHERS = ROOT / "build" / "screenshots"
SPOKEN = "The library opens at nine in the morning, and the garden is open all day."
LATER = "Members may borrow up to ten books. Please bring them back within four weeks, or call us."
STARTERS = {"STT_MODEL": "Systran/faster-whisper-tiny.en", "TTS_MODEL": "piper/en_US-joe-medium"}
"""The models of `nox -s serve`, whose weights are packages."""
LONGEST = """words => {
  const lengths = words.map(({dataset}) => dataset.end - dataset.start);
  return lengths.indexOf(Math.max(...lengths));
}"""
SIZES = {"desktop": (1200, 820), "phone": (390, 844)}
SCHEMES = tuple(sys.argv[1:]) or ("light", "dark")


def main() -> int:
    """Write every picture; exit status 1 without a browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Chromium was not found.", file=sys.stderr)
        return 1
    for place in (TARGET, OTHERS):
        place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, FakeHub() as hub, sync_playwright() as driver:
        environment = {
            "HF_ENDPOINT": hub.url,
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(Path(folder) / "hub"),
            **STARTERS,
        }
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--autoplay-policy=no-user-gesture-required"]
        )
        with live_server(Path(folder), environment) as server:
            _fill(server, hub)
            pages = [
                (_open(browser, server, scheme, size), f"{size}-{scheme}")
                for scheme in SCHEMES
                for size in SIZES
            ]
            for page, name in pages:  # first of all, while there is something on its way
                expect(page.locator("[data-group=loaded] .model")).to_have_count(2)
                expect(page.locator(".progress-text", has_text="left")).to_be_visible()
                _take(page, f"models-{name}")
            for page, name in pages:
                _others(page, server, name)
        browser.close()
    return 0


def _fill(server: Live, hub: FakeHub) -> None:
    """Have something downloaded and something on its way."""
    with server.client() as client:
        models = client.get("/api/models").json()["models"]
        fetched = [model for model in models if model["source"]]
        ready = next(each for each in fetched if each["type"] == "tts")
        slow = next(each for each in fetched if "base" in each["id"] and each["type"] == "stt")
        print(f"downloaded: {ready['id']}; downloading: {slow['id']}")
        _serve(hub, slow, int(slow["size_mb"] * 1e6))
        path = f"/api/models/{slow['id']}"
        hub.rate = 20_000_000
        client.post(f"{path}/download?wait=false").raise_for_status()
        while client.get(f"{path}/progress").json()["progress"] < 0.4:
            time.sleep(0.1)
        client.post(f"{path}/cancel").raise_for_status()
        hub.rate = 600_000  # the rest, for as long as the pictures take
        client.post(f"{path}/download?wait=false").raise_for_status()


def _serve(hub: FakeHub, model: dict[str, Any], size: int) -> None:
    weights = random.Random(model["id"]).randbytes(size)
    for repository in model["source"]:
        files = {"model.bin": weights, "config.json": b"{}", "tokenizer.json": b"{}"}
        hub.add(repository, {**files, "vocabulary.txt": b"-"})


def _open(browser: Browser, server: Live, scheme: str, size: str) -> Page:
    width, height = SIZES[size]
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page.goto(f"{server.address}/web")
    return page


def _take(page: Page, name: str) -> None:
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=(TARGET if name in SHOWN else OTHERS) / f"{name}.png")


def _others(page: Page, server: Live, name: str) -> None:
    _transcribe(page, server)
    _take(page, f"transcribe-{name}")
    _live(page, server)
    _take(page, f"live-{name}")
    _speak(page)
    _take(page, f"speak-{name}")
    page.goto(f"{server.address}/docs")
    page.locator(".operation summary", has_text="/v1/audio/speech").first.click()
    _take(page, f"api-{name}")
    page.close()


def _said(server: Live, text: str) -> bytes:
    """A text in the voice of the server."""
    with server.client() as client:
        body = {"input": text, "response_format": "wav"}
        return client.post("/v1/audio/speech", json=body).raise_for_status().content


def _file(sound: bytes) -> FilePayload:
    return {"name": "library.wav", "mimeType": "audio/wav", "buffer": sound}


def _transcribe(page: Page, server: Live) -> None:
    page.locator("nav a[href='#transcribe']").click()
    page.set_input_files("#recording", _file(_said(server, SPOKEN)))
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect(page.locator(".go-row .status")).to_contain_text("took")
    words = page.locator(".transcript .word")
    longest = words.nth(words.evaluate_all(LONGEST))  # a short one is over before it is seen
    longest.click()
    expect(longest).to_have_class("word now")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def _live(page: Page, server: Live) -> None:
    """The second sentence while it is said, beneath the first."""
    page.locator("nav a[href='#live']").click()
    parts = [decode(_said(server, text), sample_rate=16_000) for text in (SPOKEN, LATER)]
    page.set_input_files("#live-file", _file(wav_bytes(join(parts[0], silence(1.2), parts[1]))))
    expect(page.locator(".live-text li")).to_have_count(2)
    expect(page.locator(".live-text li").nth(1)).to_contain_text("ten books")


def _speak(page: Page) -> None:
    page.locator("nav a[href='#speak']").click()
    page.get_by_role("button", name="Speak", exact=True).click()
    expect(page.locator(".spoken .word.heard").nth(11)).to_be_visible()
    page.get_by_role("button", name="Pause").click()


if __name__ == "__main__":
    sys.exit(main())
