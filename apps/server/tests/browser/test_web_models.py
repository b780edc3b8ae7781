"""The Models tab, the whole way."""

from __future__ import annotations

import random
import re
import threading

import httpx
import pytest
from playwright.sync_api import expect

from open_speech_server.graphics import devices

SIZE = 600_000
ALL = 1_000


def weights(name: str) -> dict[str, bytes]:
    return {"config.json": b"{}", "model.bin": random.Random(name).randbytes(SIZE)}


@pytest.fixture(scope="module")
def server(make_server):
    return make_server(broken=True)


@pytest.fixture
def gate(hub):
    """Downloads stop after their first bytes until it is set."""
    gate = threading.Event()
    hub.on_block = lambda key, _sent: gate.wait(120) and None if key.endswith(".bin") else None
    yield gate
    gate.set()
    hub.on_block = None


def test_models_are_grouped_and_told_about(server, visit):
    here = visit(server)
    page = here.open()
    loaded = page.locator("[data-group=loaded]")
    expect(loaded.locator(".model")).to_have_count(2)
    expect(loaded.get_by_role("heading", name="Speech to text")).to_be_visible()
    espeak = here.row("espeak/en-us")
    expect(espeak).to_contain_text("GPL-3.0-or-later")
    expect(espeak).to_contain_text("Word times")
    expect(espeak).to_contain_text("Default")
    expect(espeak.locator(".model-facts")).to_contain_text(re.compile(r"\d+ MB"))
    broken = page.locator(".attention")
    expect(broken).to_contain_text("wrecked is broken")
    expect(broken).to_contain_text("the engine is missing")
    expect(broken).to_contain_text("Reinstall or remove")
    shelf = here.find("shelf/voice-0001")
    expect(shelf).to_contain_text("600 kB")
    expect(shelf).to_contain_text("English")
    expect(shelf.locator(".model-facts")).to_contain_text("Download")
    expect(page.locator("[data-group=downloading]")).to_be_hidden()


def test_every_kind_has_its_heading_and_its_filter(server, visit):
    here = visit(server, viewport={"width": 360, "height": 1600})  # menus close when it scrolls
    page = here.open()
    expect(here.find("tone/echo")).to_be_visible()
    page.get_by_label("Search models").fill("tone/")
    kinds = page.get_by_role("group", name="Kind")
    for kind, model in (
        ("Voice activity", "tone/level"),
        ("End of turn", "tone/loudness"),
        ("Diarization", "tone/pitch"),
    ):
        kinds.get_by_role("button", name=kind).click()
        expect(here.row(model)).to_be_visible()
        expect(here.row("tone/echo")).to_have_count(0)
        headings = page.locator(".kind h3:visible").all_inner_texts()
        assert {re.sub(r"\s*\d+$", "", each) for each in headings} == {kind}
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        # They work for models that people transcribe or speak with.
        here.row(model).get_by_role("button", name=f"More for {model}").click()
        expect(page.get_by_role("menuitem", name="Pin")).to_be_visible()
        expect(page.get_by_role("menuitem", name=re.compile("with it"))).to_have_count(0)
        page.keyboard.press("Escape")
    here.row("tone/pitch").get_by_role("button", name="Copy as code").click()
    page.get_by_role("dialog").get_by_role("button", name="compose").click()
    expect(page.get_by_role("dialog")).to_contain_text('DIARIZATION_MODEL: "tone/pitch"')


def test_a_model_is_loaded_pinned_and_unloaded(server, visit):
    here = visit(server)
    page = here.open()
    row = here.find("tone/plain")
    row.get_by_role("button", name="Load tone/plain", exact=True).click()
    loaded = page.locator("[data-group=loaded] [data-id='tone/plain']")
    expect(loaded).to_be_visible()
    loaded.get_by_role("button", name="Pin tone/plain", exact=True).click()
    expect(loaded.locator(".badges")).to_contain_text("Pinned")
    with server.client() as client:
        assert client.get("/api/models/tone/plain").json()["pinned"] is True
    loaded.get_by_role("button", name="Unpin tone/plain").click()
    expect(loaded.locator(".badges")).not_to_contain_text("Pinned")
    loaded.get_by_role("button", name="Unload tone/plain").click()
    expect(page.locator("[data-group=downloaded] [data-id='tone/plain']")).to_be_visible()


def test_what_others_pin_shows_at_once(server, visit):
    pages = [visit(server), visit(server)]
    mine, other = [each.open() and each.find("tone/plain") for each in pages]
    mine.get_by_role("button", name="More for tone/plain").click()
    expect(other).to_be_visible()
    pages[0].page.get_by_role("menuitem", name="Pin").click()
    for row in (mine, other):
        expect(row.locator(".badges")).to_contain_text("Pinned")
    other.get_by_role("button", name="More for tone/plain").click()
    pages[1].page.get_by_role("menuitem", name="Unpin").click()
    for row in (mine, other):
        expect(row.locator(".badges")).not_to_contain_text("Pinned")


def test_nothing_stands_in_the_list_before_it_is_known(server, visit):
    here = visit(server)
    page = here.page
    held = []
    page.route("**/api/events", lambda route: held.append(route))  # noqa: PLW0108 - it is marked
    here.open()
    expect(page.get_by_text("Loading models…")).to_be_visible()
    assert page.locator(".models h2:visible, .models h3:visible").count() == 0
    while not held:  # the browser's messages are read meanwhile
        page.evaluate("0")
    held[0].continue_()
    expect(page.locator("[data-group=loaded] .model")).to_have_count(2)
    expect(page.get_by_text("Loading models…")).to_be_hidden()
    for name in ("Loaded", "Downloaded", "Available"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    for name in ("Downloading", "No provider"):
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_hidden()


def test_without_a_graphics_processor_there_is_no_choice(server, visit):
    if "cuda" in devices():
        pytest.skip("this machine has one")
    here = visit(server)
    here.open()
    row = here.find("shelf/voice-0001")
    expect(row.locator(".device")).to_have_text("cpu")
    assert row.locator("select").count() == 0


def test_the_devices_of_the_machine_can_be_chosen(make_server, hub, visit):
    model = "shelf/voice-0001"
    hub.add(model, weights(model))
    here = visit(make_server(graphics=True, TTS_DEVICE="cuda"))
    here.open()
    everywhere = here.find(model).get_by_label(f"Device for {model}")
    # Left alone, the server's setting decides.
    expect(everywhere).to_have_value("cuda")
    assert everywhere.locator("option").all_inner_texts()[:2] == ["cpu", "cuda"]
    everywhere.select_option("cpu")
    here.row(model).get_by_role("button", name=f"Load {model}", exact=True).click()
    expect(here.page.locator(f"[data-group=loaded] [data-id='{model}']")).to_be_visible()
    expect(here.row(model).locator(".device")).to_have_text("cpu")
    with here.server.client() as client:
        assert client.get(f"/api/models/{model}").json()["device"] == "cpu"
    nowhere_else = here.find("shelf/voice-0000")  # its engine has no use for another
    expect(nowhere_else.locator(".device")).to_have_text("cpu")


def test_models_that_nobody_serves_say_why_and_what_to_do(make_server, hub, visit, tmp_path):
    (tmp_path / "notes.txt").write_text("Not a model.")
    server = make_server(OS_LOCAL_MODELS=f"local/notes={tmp_path / 'notes.txt'}")
    here = visit(server)
    page = here.open()
    attention = page.locator(".attention")
    expect(attention.get_by_role("heading", name="that no provider supports")).to_be_visible()
    row = attention.locator("[data-id='local/notes']")
    expect(row).to_contain_text("No provider")
    expect(row.locator(".model-error")).to_contain_text("no installed provider recognises")
    expect(row.locator(".model-error")).to_contain_text("a format that an installed provider reads")
    expect(here.find("local/notes")).to_have_count(1)

    # What is on disk when its provider goes can still be deleted.
    model = "shelf/voice-0001"
    hub.add(model, weights(model))
    with server.client() as client:
        client.post(f"/api/models/{model}/download").raise_for_status()
    page.get_by_label("Search models").fill("")
    next((server.log.parent / "site").glob("*shelf*.dist-info")).rename(tmp_path / "gone")
    attention.get_by_role("button", name="Rescan").click()
    orphan = page.locator(f"[data-group=orphaned] [data-id='{model}']")
    expect(orphan.locator(".model-error")).to_contain_text("is no longer installed")
    expect(orphan.locator(".model-error")).to_contain_text("Install it again")
    expect(orphan.locator(".model-facts")).to_contain_text("600 kB")
    orphan.get_by_role("button", name=f"Delete {model} from disk").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(here.row(model)).to_have_count(0)


def test_what_others_do_shows_at_once(server, visit):
    here = visit(server)
    page = here.open()
    expect(here.find("tone/chorus")).to_be_visible()
    with server.client() as client:
        client.post("/api/models/tone/chorus/load").raise_for_status()
        row = page.locator("[data-group=loaded] [data-id='tone/chorus']")
        expect(row).to_be_visible()
        client.delete("/api/models/tone/chorus").raise_for_status()
        expect(row).to_have_count(0)


def test_a_slow_download_is_cancelled_and_resumed(server, hub, gate, visit):
    model = "shelf/voice-0001"
    hub.add(model, weights(model))
    here = visit(server)
    page = here.open()
    here.find(model).get_by_role("button", name=f"Download {model}").click()
    progress = here.row(model).locator(".progress-text")
    expect(progress).to_contain_text("of 600 kB")
    expect(page.locator(f"[data-group=downloading] [data-id='{model}']")).to_be_visible()
    # It survives a reload of the page.
    page.reload()
    here.find(model)
    expect(progress).to_contain_text("of 600 kB")
    here.row(model).get_by_role("button", name=f"Cancel the download of {model}").click()
    again = here.row(model).get_by_role("button", name=f"Download {model}")
    expect(again).to_be_visible()
    expect(page.locator(f"[data-group=available] [data-id='{model}']")).to_be_visible()
    here.hears("partial files are kept")
    gate.set()
    again.click()
    expect(page.locator(f"[data-group=downloaded] [data-id='{model}']")).to_contain_text("600 kB")
    here.hears(f"{model} is downloaded")
    assert [each.start > 0 for each in hub.gets(f"{model}/model.bin")][-1]

    here.row(model).get_by_role("button", name=f"Delete {model} from disk").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(f"[data-group=available] [data-id='{model}']")).to_be_visible()
    with server.client() as client:
        assert client.get(f"/api/models/{model}").json()["state"] == "available"


def test_a_failure_is_told(server, visit):
    here = visit(server)
    here.open()
    model = "shelf/voice-0000"  # which the hub does not have
    here.find(model).get_by_role("button", name=f"Download {model}").click()
    expect(here.row(model).locator(".model-error")).to_contain_text("shelf/voice-0000")
    here.hears("shelf/voice-0000")


def test_every_action_can_be_copied_as_code(server, visit):
    here = visit(server)
    page = here.open()
    here.find("tone/plain").get_by_role("button", name="Copy as code").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="curl").click()
    dialog.get_by_role("button", name="Copy", exact=True).click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"curl -X POST '{server.address}/api/models/tone/plain/load'")
    dialog.get_by_role("button", name="Python").click()
    code = dialog.locator("pre").inner_text()
    compile(code, "copied", "exec")
    answers = []
    fake = {"post": lambda *args, **named: answers.append(httpx.post(*args, **named)) or answers[0]}
    exec(code.replace("import httpx", ""), {"httpx": type("httpx", (), fake)})
    assert answers[0].json()["state"] == "loaded"
    dialog.get_by_role("button", name="compose").click()
    expect(dialog.locator("pre")).to_contain_text('TTS_MODEL: "tone/plain"')
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_the_menu_and_the_search_work_by_keyboard(server, visit):
    here = visit(server)
    page = here.open()
    expect(here.row("espeak/en-us")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("chorus")
    expect(page.locator(".model")).to_have_count(1)
    more = here.row("tone/chorus").get_by_role("button", name="More for tone/chorus")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem").nth(1)).to_be_focused()
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Text", exact=True)).to_be_visible()
    expect(page.locator("#pick-tts")).to_have_value("tone/chorus")


def test_a_thousand_models_are_quick(make_server, visit):
    server = make_server(shelf=ALL)
    here = visit(server)
    page = here.open()
    expect(page.locator(".found")).to_contain_text(re.compile(r"1,\d\d\d models"))
    # What is quick is what is not done (bench/web_page.py measures it): few rows are made.
    rows = page.locator(".model")
    assert 2 <= rows.count() < 200
    page.get_by_label("Search models").fill("voice-0499")
    expect(rows).to_have_count(1)
    for text in ("voice", "shelf german", "", "ear-01"):
        page.get_by_label("Search models").fill(text)
        assert rows.count() < 200
    # Rows beyond the first come as they are wanted.
    page.get_by_label("Search models").fill("ear-")
    before = rows.count()
    last = page.locator("[data-group=available] .model").last
    last.scroll_into_view_if_needed()
    here.until("least => document.querySelectorAll('.model').length > least", before)
    assert rows.count() < ALL
