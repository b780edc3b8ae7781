"""The Live tab, the whole way: the microphone, a file, text that settles, a conversation."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from open_speech.testing import join, read_wav, silence, wav_bytes

SPOKEN = Path(__file__).parents[4] / "packages/open-speech-provider-pocketsphinx/tests/data"
ANSWER = "Good morning. I am well. "
WORDS = re.compile(r"\w+ \w+")
"""The embedded engine mishears now and then; which words it hears is tested elsewhere."""


class Chat(BaseHTTPRequestHandler):
    """A chat API that always says the same, and remembers what it was asked."""

    asked: list[dict[str, object]]

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.asked.append(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for word in ANSWER.split(" "):
            delta = {"choices": [{"delta": {"content": f"{word} "}}]}
            self.wfile.write(f"data: {json.dumps(delta)}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def chat() -> Iterator[ThreadingHTTPServer]:
    Chat.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def server(make_server, chat):
    return make_server(
        OS_LLM_BASE_URL=f"http://127.0.0.1:{chat.server_port}/v1", OS_STREAM_CHUNK_MS="500"
    )


@pytest.fixture
def here(server, visit):
    found = visit(server)
    found.open("live")
    return found


def test_the_microphone_becomes_utterances(here):
    page = here.page
    page.get_by_role("button", name="Start the microphone").click()
    settled = page.locator(".live-text .settled")
    expect(settled.first).to_contain_text(WORDS)
    expect(page.get_by_role("meter")).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    facts = page.locator(".live-facts").first
    expect(facts).to_have_text(re.compile(r"^0:0\d.0:0\d.*\d ms$"))
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".go-row .status")).to_contain_text("Ended")
    expect(page.get_by_role("button", name="Start the microphone")).to_be_enabled()


def test_a_file_is_played_in_real_time_and_can_be_saved(here, tmp_path):
    page = here.page
    recording = tmp_path / "two.wav"
    said = [read_wav(SPOKEN / name) for name in ("light.wav", "yes.wav")]
    recording.write_bytes(wav_bytes(join(said[0], silence(1.0), said[1])))
    page.set_input_files("#live-file", recording)
    expect(page.locator(".live-text li")).to_have_count(2)
    expect(page.locator(".go-row .status")).to_have_text("Ended after 2 utterances.")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as srt").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "1"
    assert re.fullmatch(r"00:00:0\d,\d{3} --> 00:00:0\d,\d{3}", lines[1])
    assert WORDS.search(lines[2])
    page.get_by_role("button", name="Copy the text").click()
    assert WORDS.search(page.evaluate("navigator.clipboard.readText()"))


def test_a_conversation_is_answered_aloud(here):
    page = here.page
    page.get_by_label("What to do").select_option("talk")
    page.set_input_files("#live-file", SPOKEN / "light.wav")
    expect(page.locator(".live-text .you .settled").first).to_contain_text(WORDS)
    expect(page.locator(".live-text .answer .settled").first).to_contain_text("I am well.")
    assert Chat.asked[-1]["messages"][-1]["role"] == "user"
    assert WORDS.search(Chat.asked[-1]["messages"][-1]["content"])
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".go-row .status")).to_contain_text("Ended")


def test_a_server_with_a_key_opens_its_sockets_to_the_page(make_server, visit):
    server = make_server(OS_API_KEY="s3cret:with(odd)signs")
    found = visit(server)
    page = found.page
    page.goto("/web#live")
    # The header holds a button of that name, there before the dialog is.
    page.get_by_role("dialog").get_by_label("API key").fill("s3cret:with(odd)signs")
    page.keyboard.press("Enter")
    expect(page.locator("#connection")).to_have_text("Live")
    page.set_input_files("#live-file", SPOKEN / "light.wav")
    expect(page.locator(".live-text .settled").first).to_contain_text(WORDS)


def test_nothing_stands_in_anybodys_way(here):
    page = here.page
    page.set_input_files("#live-file", SPOKEN / "light.wav")
    expect(page.locator(".live-text .settled").first).to_contain_text(WORDS)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_it_fits_on_a_phone(server, visit):
    found = visit(server, viewport={"width": 360, "height": 740})
    page = found.open("live")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("button", name="Start the microphone")).to_be_visible()


def test_without_a_microphone_it_says_what_to_do(server, visit):
    found = visit(server)
    hide = "Object.defineProperty(window, 'isSecureContext', {value: false})"
    found.context.add_init_script(hide)
    page = found.open("live")
    expect(page.locator("#tab-live")).to_contain_text("needs HTTPS")
    expect(page.get_by_role("button", name="Start the microphone")).to_be_disabled()
    page.set_input_files("#live-file", SPOKEN / "light.wav")
    expect(page.locator(".live-text .settled").first).to_contain_text(WORDS)
