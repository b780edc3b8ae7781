"""The Speak tab, the whole way: voices, sound as it is made, words lighting up, files."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import pytest
from playwright.sync_api import expect

TEN = " ".join(f"This is sentence number {number} of the text." for number in range(1, 11))

SOUNDED = "() => performance.getEntriesByName('speech-first-sound').length"


@pytest.fixture(scope="module")
def server(make_server):
    return make_server()


@pytest.fixture
def here(server, visit):
    found = visit(server)
    found.open("speak")
    return found


def speak(page, text):
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Speak", exact=True).click()


def mark(page, name):
    script = "name => performance.getEntriesByName(name).map(e => e.startTime)[0] ?? null"
    return page.evaluate(script, name)


def test_the_first_sound_follows_the_first_byte(here):
    page = here.page
    speak(page, TEN)
    here.until(SOUNDED)
    gap = mark(page, "speech-first-sound") - mark(page, "speech-first-byte")
    assert gap >= 0  # bench/web_page.py measures it
    expect(page.get_by_role("button", name="Stop", exact=True).or_(
        page.get_by_role("button", name="Speak", exact=True)
    )).to_be_visible()  # fmt: skip
    # All ten sentences come; the engine takes some short words together.
    here.until("least => document.querySelectorAll('.spoken .word').length > least", 60)


NOTE_LIT = """() => {
  window.lit = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target.matches(".spoken .word.now")) window.lit.push(target.textContent);
    }
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["class"] });
}"""
"""A word is lit for a moment: looking now and then would miss it."""


def test_words_light_up_as_they_are_spoken(here):
    page = here.page
    text = "Good morning 🙂 to you - Zoë said: “hello”."
    page.evaluate(NOTE_LIT)
    speak(page, text)
    here.until("least => window.lit.length > least", 1)
    expect(page.locator(".spoken")).to_have_text(text)
    expect(page.locator(".go-row .status")).to_contain_text("s of speech")
    spoken = page.locator(".spoken .word.heard").all_inner_texts()
    assert spoken[:2] == ["Good", "morning"]
    assert any("Zoë" in word for word in spoken)
    # A word can be clicked to hear it again.
    page.evaluate("() => { window.lit = []; }")
    page.locator(".spoken .word", has_text="morning").click()
    here.until("word => window.lit.includes(word)", "morning")


def test_a_model_without_word_times_speaks_all_the_same(here):
    page = here.page
    page.get_by_role("combobox", name="Model", exact=True).select_option("tone/plain")
    speak(page, "Nobody knows when these words are said.")
    expect(page.locator(".go-row .status")).to_contain_text("s of speech")
    expect(page.locator(".spoken")).to_contain_text("Nobody knows")


def test_the_sound_can_be_paused_sought_and_heard_again(here):
    page = here.page
    speak(page, TEN)
    here.until(SOUNDED)
    page.get_by_role("button", name="Pause").click()
    play = page.locator(".player").get_by_role("button", name="Play")
    expect(play).to_be_visible()
    seek = page.get_by_label("Position in the speech")
    seek.fill("1.5")
    play.click()
    here.until("() => Number(document.querySelector('.seek').value) > 1.55")
    page.get_by_role("button", name="Pause").click()


@pytest.mark.parametrize(("kind", "start"), [("wav", b"RIFF"), ("flac", b"fLaC"), ("mp3", b"")])
def test_the_sound_can_be_saved(here, kind, start):
    page = here.page
    page.get_by_label("File format").select_option(kind)
    speak(page, "A short text.")
    save = page.get_by_role("button", name=f"Download {kind}")
    expect(save).to_be_enabled()
    with page.expect_download() as download:
        save.click()
    assert download.value.suggested_filename == f"speech.{kind}"
    data = Path(download.value.path()).read_bytes()
    assert data.startswith(start)
    assert len(data) > 1000
    if kind == "wav":
        with wave.open(io.BytesIO(data)) as sound:
            assert (sound.getframerate(), sound.getnchannels()) == (24_000, 1)
            assert 0.4 < sound.getnframes() / 24_000 < 4


def test_voices_are_filtered_by_language_and_give_a_sample(here):
    page = here.page
    page.get_by_label("Voices for").select_option("de")
    voice = page.locator("#voice")
    labels = voice.locator("option").all_inner_texts()
    assert labels
    assert all("German" in label for label in labels)
    with page.expect_request("**/v1/audio/speech") as sent:
        page.get_by_role("button", name="Play a sample").click()
    assert sent.value.post_data_json["input"].startswith("Guten Tag")
    assert sent.value.post_data_json["voice"]
    here.until(SOUNDED)


def test_speed_and_keyboard(here):
    page = here.page
    page.get_by_label("Speed").fill("2")
    page.get_by_label("Text", exact=True).fill("Quickly now.")
    with page.expect_request("**/v1/audio/speech") as sent:
        page.keyboard.press("Control+Enter")
    assert sent.value.post_data_json["speed"] == 2
    expect(page.locator(".go-row .status")).to_contain_text("s of speech")


def test_a_worker_that_crashes_is_told_and_comes_back(here):
    page = here.page
    page.get_by_role("combobox", name="Model", exact=True).select_option("faulty/any")
    speak(page, "fault:segfault")
    expect(page.locator(".work .problem")).not_to_be_empty()
    here.hears("faulty/any")
    speak(page, "fine again")
    expect(page.locator(".go-row .status")).to_contain_text("s of speech")
    expect(page.locator(".work .problem")).to_be_empty()


def test_the_request_can_be_copied_as_code(here):
    page = here.page
    page.get_by_label("Text", exact=True).fill('It\'s "quoted".\nTwo lines.')
    page.get_by_role("button", name="Copy as code").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Python").click()
    code = dialog.locator("pre").inner_text()
    compile(code, "copied", "exec")
    assert '"It\'s \\"quoted\\".\\nTwo lines."' in code
    dialog.get_by_role("button", name="curl").click()
    expect(dialog.locator("pre")).to_contain_text("-o speech.mp3")
    dialog.get_by_role("button", name="compose").click()
    expect(dialog.locator("pre")).to_contain_text('TTS_MODEL: "espeak/en-us"')
