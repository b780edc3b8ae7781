"""The Transcribe tab, the whole way: a file, the microphone, words, subtitles."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from open_speech.testing import install_provider, join, read_wav, silence, sine, wav_bytes

SPOKEN = Path(__file__).parents[4] / "packages/open-speech-provider-pocketsphinx/tests/data"


NOTE_SOUGHT = """() => {
    const audio = document.querySelector("audio");
    window.sought = [];
    audio.addEventListener("seeking", () => window.sought.push(audio.currentTime));
}"""
"""A word is heard for a moment: looking now and then could find the next one."""
PITCHES = (220.0, 880.0, 220.0)
"""Who speaks one after the other, for ``tone/pitch``."""
ECHO = "16000 samples peaking at 0.50"
"""A second of it, for ``tone/echo``."""
NASTY = "Tom & <Jo> --> $& \\1"
"""A name that no format may take for something else."""
NOTHING = """
    from open_speech import hookimpl

    @hookimpl
    def open_speech_backends():
        return []
"""
"""A provider; found first, it stands for another one of its name."""


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


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    """A recording of two speakers, as the test provider tells them apart."""
    file = tmp_path_factory.mktemp("talk") / "talk.wav"
    said = [join(sine(2.0, frequency=each), silence(1.0)) for each in PITCHES]
    file.write_bytes(wav_bytes(join(*said)))
    return file


@pytest.fixture(scope="module")
def telling(make_server):
    """A server that tells speakers apart."""
    return make_server(
        STT_MODEL="tone/echo", VAD_MODEL="tone/level", DIARIZATION_MODEL="tone/pitch"
    )


def tell_apart(found, talk):
    """The page, with the recording's transcript by speakers."""
    page = found.open("transcribe")
    page.get_by_label("Tell speakers apart").check()
    page.set_input_files("#recording", talk)
    transcribe(page)
    return page


def rename(page, old, new, key="Enter"):
    page.get_by_role("button", name=old, exact=True).first.click()
    field = page.get_by_role("textbox", name="Name of Speaker")
    expect(field).to_be_focused()
    page.keyboard.type(new)  # in place of the old name, which is selected
    page.keyboard.press(key)
    expect(field).to_have_count(0)


def saved(page):
    """Every file that can be saved, by its kind."""
    found = {}
    for kind in ("txt", "srt", "vtt", "json"):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Download as {kind}").click()
        found[kind] = Path(download.value.path()).read_text(encoding="utf-8")
    page.get_by_role("button", name="Copy the text").click()
    assert found["txt"] == page.evaluate("navigator.clipboard.readText()") + "\n"
    return found


def test_speakers_are_told_apart_and_renamed(telling, visit, talk):
    page = tell_apart(visit(telling), talk)
    names = page.locator(".speaker-name")
    expect(names).to_have_text(["Speaker A", "Speaker B", "Speaker A"])
    turns = page.locator(".turn")
    expect(turns.first.locator(".segment")).to_have_count(2)
    colours = "names => names.map((each) => getComputedStyle(each).color)"
    first, second, third = names.evaluate_all(colours)
    assert first == third != second
    # Wherever it stands; Escape leaves it, an empty one is none.
    rename(page, "Speaker A", " Ann   Lee ")
    expect(names).to_have_text(["Ann Lee", "Speaker B", "Ann Lee"])
    expect(names.first).to_be_focused()
    expect(page.get_by_role("list", name="Ann Lee")).to_have_count(2)
    rename(page, "Speaker B", "Otto", key="Escape")
    expect(names).to_have_text(["Ann Lee", "Speaker B", "Ann Lee"])
    expect(names.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("Otto")
    turns.nth(1).locator(".word").first.click()  # to go elsewhere keeps it
    expect(names).to_have_text(["Ann Lee", "Otto", "Ann Lee"])
    rename(page, "Ann Lee", " ")
    expect(names).to_have_text(["Speaker A", "Otto", "Speaker A"])
    # Words are still one stop of the Tab key, and another recording begins anew.
    assert page.locator(".transcript .word[tabindex='0']").count() == 1
    transcribe(page)
    expect(names).to_have_text(["Speaker A", "Speaker B", "Speaker A"])


def test_every_file_carries_the_names(telling, visit, talk):
    page = tell_apart(visit(telling), talk)
    rename(page, "Speaker B", NASTY)
    found = saved(page)
    twice = f"{ECHO} {ECHO}"
    assert found["txt"] == f"Speaker A: {twice}\n{NASTY}: {twice}\nSpeaker A: {twice}\n"
    segments = json.loads(found["json"])["segments"]
    assert [each["speaker"] for each in segments][::2] == ["Speaker A", NASTY, "Speaker A"]
    assert [each["text"] for each in segments] == [ECHO] * 6
    # They are the server's, but for the names.
    with telling.client() as client, talk.open("rb") as file:
        for kind, old, new in (
            (
                "srt",
                r"^(\w): ",
                [("\nA: ", "\nSpeaker A: "), ("\nB: ", "\nTom & <Jo> → $& \\1: ")],
            ),
            (
                "vtt",
                r"^<v (\w)>",
                [
                    ("<v A>", "<v Speaker A>"),
                    ("<v B>", "<v Tom &amp; &lt;Jo&gt; --&gt; $&amp; \\1>"),
                ],
            ),
        ):
            file.seek(0)
            data = {"response_format": kind, "diarize": "true"}
            answer = client.post("/v1/audio/transcriptions", files={"file": file}, data=data).text
            assert re.findall(old, answer, re.MULTILINE) == ["A", "B", "A"]
            for name in new:  # each in its turn, as a name may look like another
                answer = answer.replace(*name)
            assert found[kind] == answer


def test_translations_know_speakers_too(telling, visit, talk):
    found = visit(telling)
    page = found.open("transcribe")
    page.get_by_role("combobox", name="Result").select_option("translate")
    page = tell_apart(found, talk)
    expect(page.locator(".speaker-name")).to_have_text(["Speaker A", "Speaker B", "Speaker A"])
    assert "<v Speaker B>translated" in saved(page)["vtt"]


def test_the_choice_is_remembered_and_nobody_is_named_without_it(telling, visit, talk):
    found = visit(telling)
    page = found.open("transcribe")
    choice = page.get_by_label("Tell speakers apart")
    choice.check()
    page.reload()
    expect(choice).to_be_checked()
    choice.uncheck()
    page.reload()
    expect(choice).not_to_be_checked()
    page.set_input_files("#recording", talk)
    transcribe(page)
    assert page.locator(".speaker-name, .turn").count() == 0
    files = saved(page)
    assert files["txt"] == " ".join([ECHO] * 6) + "\n"
    assert "speaker" not in files["json"]
    assert "<v " not in files["vtt"]


def test_the_code_names_speakers_as_well(telling, visit, talk, monkeypatch, capsys):
    page = tell_apart(visit(telling), talk)
    page.get_by_role("button", name="Copy as code").click()
    code = page.get_by_role("dialog").locator("pre")
    page.get_by_role("dialog").get_by_role("button", name="curl").click()
    expect(code).to_contain_text("-F 'diarize=true'")
    page.get_by_role("dialog").get_by_role("button", name="Python").click()
    monkeypatch.chdir(talk.parent)
    exec(compile(code.inner_text(), "copied", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"{speaker}: {ECHO}" for speaker in "AABBAA"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_speakers_stand_in_nobodys_way(telling, visit, talk, scheme, width):
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = tell_apart(visit(telling, reduced_motion="reduce", **options), talk)
    rename(page, "Speaker A", "W" * 60)
    page.get_by_role("button", name="Speaker B").hover()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Speaker B").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_there_is_no_choice_where_nothing_tells_speakers_apart(make_server, visit):
    server = make_server()
    page = visit(server).open("transcribe")
    choice = page.get_by_label("Tell speakers apart")
    choice.check()
    with server.client() as client:
        for each in client.get("/api/providers").json()["providers"]:
            if any(backend["kind"] == "diarization" for backend in each["backends"]):
                install_provider(server.log.parent / "site", each["name"], NOTHING)
        client.post("/api/providers/rescan").raise_for_status()
    # At once, and what is not shown is not asked for.
    expect(choice).to_be_hidden()
    page.get_by_role("button", name="Copy as code").click()
    page.get_by_role("dialog").get_by_role("button", name="curl").click()
    expect(page.get_by_role("dialog")).not_to_contain_text("diarize")
