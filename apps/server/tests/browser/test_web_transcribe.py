"""The Transcribe tab, the whole way: a file, the microphone, words, subtitles."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from open_speech.testing import join, read_wav, silence, wav_bytes

SPOKEN = Path(__file__).parents[4] / "packages/open-speech-provider-pocketsphinx/tests/data"


NOTE_SOUGHT = """() => {
    const audio = document.querySelector("audio");
    window.sought = [];
    audio.addEventListener("seeking", () => window.sought.push(audio.currentTime));
}"""
"""A word is heard for a moment: looking now and then could find the next one."""


@pytest.fixture(scope="module")
def server(make_server):
    return make_server()


@pytest.fixture
def here(server, visit):
    found = visit(server)
    found.open("transcribe")
    return found


def choose(page, name):
    page.set_input_files("#recording", SPOKEN / name)
    expect(page.locator(".file-name")).to_have_text(name)


def transcribe(page):
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect(page.locator(".transcript .word").first).to_be_visible()
    expect(page.locator(".go-row .status")).to_contain_text("took")


def test_a_file_becomes_words_that_can_be_heard(here):
    page = here.page
    choose(page, "light.wav")
    expect(page.locator(".chosen")).to_contain_text("0:02")
    transcribe(page)
    transcript = page.locator(".transcript")
    expect(transcript).to_contain_text("please")
    word = transcript.locator(".word").last
    start = float(word.get_attribute("data-start"))
    assert start > 0.3
    word.click()
    here.until("start => document.querySelector('audio').currentTime > start", start)
    # It stops where the word ends, and the words are one stop of the Tab key.
    here.until("() => document.querySelector('audio').paused")
    assert page.evaluate("document.querySelector('audio').currentTime") < start + 2
    assert page.locator(".transcript .word[tabindex='0']").count() == 1
    page.evaluate(NOTE_SOUGHT)
    page.keyboard.press("ArrowLeft")
    expect(word).not_to_be_focused()
    page.keyboard.press("Enter")
    here.until("start => window.sought.some((time) => time < start)", start)


def test_the_text_can_be_copied_and_saved_in_every_form(here, tmp_path):
    page = here.page
    recording = tmp_path / "open.wav"
    said = [read_wav(SPOKEN / name) for name in ("open.wav", "light.wav")]
    recording.write_bytes(wav_bytes(join(said[0], silence(2.0), said[1])))
    page.set_input_files("#recording", recording)
    transcribe(page)
    page.get_by_role("button", name="Copy the text").click()
    text = page.evaluate("navigator.clipboard.readText()")
    assert text
    saved = {}
    for kind in ("txt", "srt", "vtt", "json"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Download as {kind}").click()
        assert download.value.suggested_filename == f"open.{kind}"
        saved[kind] = Path(download.value.path()).read_text(encoding="utf-8")
    assert saved["txt"] == f"{text}\n"
    assert saved["srt"].startswith("1\n00:00:0")
    assert saved["vtt"].startswith("WEBVTT\n\n00:00:0")
    words = [word for each in json.loads(saved["json"])["segments"] for word in each["words"]]
    assert all(word["start"] < word["end"] for word in words)
    # The server writes the same subtitles.
    with here.server.client() as client, recording.open("rb") as file:
        for kind in ("srt", "vtt"):
            file.seek(0)
            answer = client.post(
                "/v1/audio/transcriptions", files={"file": file}, data={"response_format": kind}
            )
            assert answer.text == saved[kind]
            assert answer.text.count("-->") > 1


def test_the_microphone_is_recorded_and_understood(here):
    page = here.page
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.locator(".meter .clock")).to_have_text(re.compile(r"0:(0[3-9]|[1-5]\d)"))
    page.get_by_role("button", name="Stop recording").click()
    expect(page.locator(".file-name")).to_have_text("recording.webm")
    expect(page.locator(".wave-note")).to_be_hidden()
    transcribe(page)
    expect(page.locator(".transcript")).to_contain_text("kitchen")


def test_a_dropped_file_is_taken(here):
    page = here.page
    data = page.evaluate_handle("""bytes => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "dropped.wav", {type: "audio/wav"}));
        return data;
    }""", list((SPOKEN / "yes.wav").read_bytes()))  # fmt: skip
    page.dispatch_event(".playground", "drop", {"dataTransfer": data})
    expect(page.locator(".file-name")).to_have_text("dropped.wav")
    transcribe(page)


def test_language_prompt_and_translation_reach_a_model_that_has_them(here):
    page = here.page
    expect(page.get_by_label("Prompt")).to_be_hidden()
    page.get_by_role("combobox", name="Model", exact=True).select_option("tone/echo")
    page.get_by_label("Prompt").fill("the weather")
    page.get_by_role("combobox", name="Language", exact=True).select_option("de")
    choose(page, "yes.wav")
    transcribe(page)
    expect(page.locator(".transcript")).to_contain_text("after the weather")
    page.get_by_role("button", name="Copy as code").click()
    page.get_by_role("dialog").get_by_role("button", name="curl").click()
    expect(page.get_by_role("dialog")).to_contain_text("-F 'language=de'")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Result").select_option("translate")
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect(page.locator(".transcript")).to_contain_text("translated after the weather")


def test_what_is_no_sound_is_said_to_be_none(here):
    page = here.page
    file = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no sound at all"}
    page.set_input_files("#recording", file)
    expect(page.locator(".wave-note")).to_contain_text("cannot show a waveform")
    page.get_by_role("button", name="Transcribe", exact=True).click()
    expect(page.locator(".work .problem")).not_to_be_empty()
    choose(page, "yes.wav")
    transcribe(page)


def test_the_request_can_be_copied_as_code(here):
    page = here.page
    choose(page, "yes.wav")
    page.get_by_role("button", name="Copy as code").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Python").click()
    code = dialog.locator("pre").inner_text()
    compile(code, "copied", "exec")
    assert 'open("yes.wav", "rb")' in code
    dialog.get_by_role("button", name="curl").click()
    expect(dialog.locator("pre")).to_contain_text("-F 'file=@yes.wav'")
    dialog.get_by_role("button", name="compose").click()
    expect(dialog.locator("pre")).to_contain_text('STT_MODEL: "pocketsphinx/en-us"')
