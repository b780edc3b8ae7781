"""The page as it is served: types, caching, policy, size, and what is open without a key."""

from __future__ import annotations

import re
from importlib.resources import files

import httpx
import pytest

from open_speech import Capability
from open_speech_server.api import web
from open_speech_server.app import create_app
from open_speech_server.settings.settings import Settings

LARGEST_BYTES = 200_000


def browser(**settings: object) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(Settings(**settings)))
    return httpx.AsyncClient(transport=transport, base_url="http://server")


def linked(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"#]+\.(?:js|css|svg))"', page)


async def test_the_bare_address_leads_to_the_page():
    async with browser() as client:
        answer = await client.get("/", follow_redirects=True)
        assert answer.status_code == 200
        assert answer.url.path == "/web"
        assert (await client.get("/web/", follow_redirects=True)).url.path == "/web"


@pytest.mark.parametrize("path", ["/web", "/docs"])
async def test_pages_and_all_they_link_to_are_there(path):
    async with browser() as client:
        page = await client.get(path)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["cache-control"] == "no-cache"
        assert "@" not in page.text
        addresses = linked(page.text)
        assert any(address.endswith(".js") for address in addresses)
        for address in addresses:
            asset = await client.get(f"/{address}")
            assert asset.status_code == 200, address
            assert "immutable" in asset.headers["cache-control"]
            assert asset.headers["content-type"] == web._TYPES[address[address.rindex(".") :]]


async def test_every_module_finds_what_it_imports():
    folder = files("open_speech_server").joinpath("web")
    names = {file.name for file in folder.iterdir()}
    for name in names:
        if name.endswith(".js"):
            text = folder.joinpath(name).read_text(encoding="utf-8")
            for target in re.findall(r'(?:from |import\()"([^"]+)"', text):
                assert target.removeprefix("./") in names, (name, target)
            exported = re.findall(r"^import \{([^}]+)\} from \"./([^\"]+)\"", text, re.MULTILINE)
            for wanted, source in exported:
                theirs = folder.joinpath(source).read_text(encoding="utf-8")
                for each in wanted.split(","):
                    pattern = rf"export (async )?(const|class|function\*?) {each.strip()}\b"
                    assert re.search(pattern, theirs), (name, each, source)


async def test_nothing_is_sent_twice_nor_taken_for_something_else():
    async with browser() as client:
        for path in ("/web", f"/{linked((await client.get('/web')).text)[0]}"):
            first = await client.get(path)
            assert first.headers["x-content-type-options"] == "nosniff"
            again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
            other = await client.get(path, headers={"If-None-Match": '"another"'})
            assert other.content == first.content
            head = await client.head(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-length"] == str(len(first.content))


async def test_the_policy_allows_our_own_files_alone():
    async with browser() as client:
        page = await client.get("/web")
        policy = dict(
            part.strip().split(" ", 1)
            for part in page.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == policy["form-action"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in page.headers["content-security-policy"]
        assert "http" not in page.headers["content-security-policy"]
    # What the policy would forbid is not there to begin with.
    for address, asset in web.assets().items():
        text = asset.body.decode()
        assert not re.search(
            r"""https?://(?!www\.w3\.org/2000/svg)|@import|\burl\((?!#)""", text
        ), address
        if address in web.PAGES:
            assert not re.search(r"<style|style=|<script(?! type=\"module\" src=)|\son\w+=", text)


async def test_pages_are_open_without_the_key_and_nothing_else():
    async with browser(os_api_key="secret") as client:
        page = await client.get("/web")
        assert page.status_code == 200
        assert (await client.get("/", follow_redirects=True)).status_code == 200
        assert (await client.get("/docs")).status_code == 200
        for address in linked(page.text):
            assert (await client.get(f"/{address}")).status_code == 200
        for path in ("/web/nothing.js", "/web/../api/models", "/openapi.json", "/api/models"):
            assert (await client.get(path)).status_code == 401, path
        assert (await client.post("/web")).status_code == 401


@pytest.mark.parametrize("path", ["/web/app.js", "/web/0123/app.js", "/web//app.js", "/web/%2e%2e"])
async def test_other_addresses_are_not_found(path):
    async with browser() as client:
        assert (await client.get(path)).status_code == 404


async def test_pages_do_not_count_as_requests():
    async with browser(os_rate_limit=1, os_rate_limit_burst=1) as client:
        for address in linked((await client.get("/web")).text) * 3:
            assert (await client.get(f"/{address}")).status_code == 200


def test_the_page_stays_small():
    sizes = {address: len(asset.body) for address, asset in web.assets().items()}
    assert sum(sizes.values()) < LARGEST_BYTES, sizes


def test_what_the_first_tab_needs_is_fetched_at_once_and_nothing_else():
    found = re.findall(r'modulepreload" href="[^"]*/([^"/]+)"', web.assets()["/web"].body.decode())
    folder = files("open_speech_server").joinpath("web")
    texts = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in found}
    needed = {re.sub("^[.]/", "", each) for text in texts.values()
              for each in re.findall(r'from "([^"]+)"', text)}  # fmt: skip
    assert needed | {"app.js"} == set(found)
    assert len(found) == len(set(found))
    assert "models.js" in found
    assert not {"speak.js", "transcribe.js", "waveform.js", "reference.js"} & set(found)


def test_a_changed_file_gets_a_new_address(monkeypatch, tmp_path):
    before = set(web.assets())
    package = tmp_path / "web"
    package.mkdir()
    for file in files("open_speech_server").joinpath("web").iterdir():
        if file.is_file():
            (package / file.name).write_bytes(file.read_bytes())
    (package / "app.js").write_bytes(b"// another version")
    monkeypatch.setattr(web, "files", lambda _package: tmp_path)
    after = set(web.assets.__wrapped__())
    assert before & after == set(web.PAGES)


def test_every_capability_has_a_name_for_people():
    strings = files("open_speech_server").joinpath("web", "strings.js").read_text(encoding="utf-8")
    (table,) = re.findall(r"abilities: \{(.*?)\}", strings, re.DOTALL)
    named = set(re.findall(r"^\s+(\w+): \"", table, re.MULTILINE))
    assert {capability.value for capability in Capability} <= named
