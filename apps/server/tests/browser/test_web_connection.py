"""The key, the connection, and what every tab owes everybody: no errors, no barriers."""

from __future__ import annotations

import signal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from live import live_server

TABS = ("models", "transcribe", "speak")


@pytest.fixture(scope="module")
def server(make_server):
    return make_server(broken=True)


def serious(page):
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"][:200], each["nodes"][0]["failureSummary"])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_axe_finds_nothing_serious(server, visit, scheme, width):
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 900}}
    page = visit(server, reduced_motion="reduce", **options).open()
    expect(page.locator(".model").first).to_be_visible()
    for tab in TABS:
        page.locator(f"nav a[href='#{tab}']").click()
        expect(page.locator(f"#tab-{tab}")).to_be_visible()
        assert serious(page) == [], tab
        # Nothing is wider than the window.
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, tab
    page.get_by_role("button", name="Copy as code").last.click()
    assert serious(page) == []
    page.goto("/docs")
    expect(page.locator(".operation").first).to_be_visible()
    page.locator(".operation summary", has_text="/v1/audio/speech").first.click()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_colours_follow_the_system_until_somebody_chooses(server, visit):
    page = visit(server, color_scheme="dark").open()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="Use light colours").click()
    page.reload()
    expect(page.get_by_role("button", name="Use dark colours")).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


def test_the_whole_page_can_be_reached_by_tab(server, visit):
    page = visit(server).open()
    expect(page.locator(".model").first).to_be_visible()
    seen = []
    for _ in range(14):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(
            "document.activeElement.ariaLabel || document.activeElement.innerText"
        ))  # fmt: skip
    assert seen[:4] == ["Skip to the content", "Models", "Transcribe", "Speak"]
    for wanted in ("API", "API key", "Search models", "Speech to text", "Filter by provider"):
        assert wanted in seen


def test_a_wrong_key_is_told_and_a_right_one_is_remembered(make_server, visit):
    server = make_server(OS_API_KEY="right-key")
    here = visit(server)
    page = here.open()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("API key required")
    dialog.get_by_label("API key").fill("wrong-key")
    dialog.get_by_role("button", name="Use this key").click()
    expect(dialog).to_contain_text("Invalid API key.")
    dialog.get_by_label("API key").fill("right-key")
    dialog.get_by_role("button", name="Use this key").click()
    expect(page.locator(".model").first).to_be_visible()
    page.reload()
    expect(page.locator(".model").first).to_be_visible()
    # Kept for this visit alone, as nobody asked for more.
    assert page.evaluate("localStorage.getItem('open-speech.key')") is None
    page.goto("/docs")
    expect(page.locator(".operation").first).to_be_visible()
    page.goto("/web#speak")
    page.get_by_role("button", name="Copy as code").last.click()
    dialog.get_by_role("button", name="curl").click()
    expect(dialog.locator("pre")).to_contain_text("Bearer $OS_API_KEY")
    assert "right-key" not in page.content()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="API key").click()
    dialog.get_by_role("button", name="Forget the key").click()
    expect(dialog).to_contain_text("API key required")


def test_a_server_that_goes_away_and_comes_back_is_followed_again(visit, tmp_path, monkeypatch):
    with live_server(tmp_path) as server:
        here = visit(server)
        page = here.open()
        expect(page.locator("#connection")).to_contain_text("Live")
        expect(page.locator("[data-group=loaded] .model")).to_have_count(2)
        server.stop(signal.SIGKILL)
        expect(page.locator("#lost")).to_contain_text("does not respond")
        expect(page.locator("#connection")).to_contain_text("Offline")
    monkeypatch.setattr("live.free_port", lambda: server.port)
    with live_server(tmp_path, {"STT_MODEL": "nobody/serves-this"}, ready=False):
        # By itself, or at once where somebody asks for it.
        expect(page.locator("#connection")).to_contain_text("Live")
        expect(page.locator("#lost")).to_be_hidden()
        # What changed meanwhile is seen: only one model is loaded now.
        expect(page.locator("[data-group=loaded] .model")).to_have_count(1)


def test_the_api_page_tells_every_endpoint(server, visit):
    page = visit(server).open()
    page.get_by_role("link", name="API", exact=True).click()
    expect(page.locator(".operation").first).to_be_visible()
    with server.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    assert page.locator(".operation").count() == sum(len(each) for each in paths.values())
    page.get_by_label("Search endpoints").fill("post speech")
    page.locator(".operation summary:visible").first.click()
    body = page.locator(".operation[open]")
    expect(body).to_contain_text("response_format")
    expect(body).to_contain_text("curl")
