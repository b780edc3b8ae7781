"""The documents are true: links lead somewhere, code runs, the reference is that of the code."""

from __future__ import annotations

import inspect
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

import open_speech
import reference_pages
from conf import children
from documents import markdown, runner
from documents.markdown import ROOT, documents
from documents.runner import DocumentError, Runner
from documents.server import running_server
from open_speech import errors
from open_speech._plugins import hookspecs
from open_speech_server.app import create_api
from open_speech_server.settings.compat import COMPAT
from open_speech_server.settings.settings import load_settings
from open_speech_server.settings.table import settings_table
from reference_pages import _endpoints

REFERENCE = ROOT / "docs" / "reference"
WRITE = "run `nox -s docs -- --write`"
IGNORED = {"STT_VAD_ENABLED"}
"""What documents name as something that is no setting."""


def test_every_promise_names_tests_that_are_there() -> None:
    promises = (ROOT / "SECURITY.md").read_text().partition("## What the server promises")[2]
    promises = promises.partition("\n## ")[0]
    parts = promises.split("\n- ")[1:]
    assert len(parts) > 10
    for promise in parts:
        tests = re.findall(r"`([\w/.-]+\.py)::(test_\w+)`", promise)
        assert tests, promise
        for file, test in tests:
            assert re.search(rf"def {test}\(", (ROOT / file).read_text()), test


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], str]]:
    """One server for all documents, started by the first that wants it."""
    with ExitStack() as stack:

        @cache
        def start() -> str:
            return stack.enter_context(running_server(tmp_path_factory.mktemp("server")))

        yield start


@pytest.mark.parametrize("path", documents(), ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    assert list(markdown.broken_links(path)) == []


@pytest.mark.parametrize("path", documents(), ids=named)
def test_code_runs(path: Path, tmp_path: Path, server: Callable[[], str]) -> None:
    text = path.read_text(encoding="utf-8")
    if any(block.verb == "server" for block in markdown.blocks(text)) and not shutil.which("curl"):
        pytest.skip("the examples need curl")
    Runner(tmp_path, server).run(text, named(path))


@pytest.mark.parametrize("path", documents(), ids=named)
def test_python_says_whether_it_runs(path: Path) -> None:
    assert runner.unmarked_python(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", reference_pages.PAGES)
def test_reference_page_is_up_to_date(name: str) -> None:
    path = REFERENCE / f"{name}.md"
    assert path.is_file(), WRITE
    assert path.read_text(encoding="utf-8") == reference_pages.render(name), WRITE


# The same promises once more, asked of the running code instead of its text.


def headings(name: str) -> list[str]:
    return markdown.headings((REFERENCE / f"{name}.md").read_text(encoding="utf-8"))


def test_the_architecture_names_every_package() -> None:
    text = reference_pages.PACKAGES_PAGE.read_text(encoding="utf-8")
    assert reference_pages.packages_page() == "", "run nox -s docs -- --write"
    assert "| `_lifecycle/` |" in text
    assert "| `middleware/` |" in text


def test_every_hook_is_a_heading_with_its_arguments() -> None:
    hooks = {
        name: value
        for name, value in vars(hookspecs).items()
        if hasattr(value, f"{hookspecs.PROJECT}_spec")
    }
    assert hooks
    for name, hook in hooks.items():
        assert f"{name}({', '.join(inspect.signature(hook).parameters)})" in headings("hooks")


def test_every_error_is_a_heading() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    missing = {kind.__name__ for kind in kinds if issubclass(kind, Exception)}
    assert missing - set(headings("errors")) == set()


def test_every_public_type_is_a_heading() -> None:
    public = {name for name in open_speech.__all__ if isinstance(getattr(open_speech, name), type)}
    assert public - set(headings("types")) == set()


def test_every_setting_is_in_the_table() -> None:
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    rows = settings_table()
    assert rows
    assert [row.name for row in rows if f"| `{row.name}` |" not in text] == []
    assert [old for row in rows for old in row.aliases if f"| `{old}` |" not in text] == []


def test_every_setting_that_a_document_names_exists() -> None:
    known = {name for row in settings_table() for name in (row.name, *row.aliases)}
    known |= {name.upper() for table in COMPAT.values() for name in table["variables"]}
    assert [
        f"{named(path)}: {name}"
        for path in documents()
        if path.name != "CHANGELOG.md"
        for name in re.findall(r"\b(?:OS|STT|TTS)_[A-Z][A-Z_]*[A-Z]\b", path.read_text("utf-8"))
        if name not in known and name not in IGNORED and not name.startswith("OS_OPTIONS__")
    ] == []


def test_every_page_is_in_the_navigation() -> None:
    listed = [
        (index.parent / target).resolve()
        for index in [ROOT / "README.md", *ROOT.glob("docs/*/index.md")]
        for target in children(index.read_text(encoding="utf-8"))
    ]
    patterns = ("*.md", "docs/*/*.md", "packages/*/*.md", "apps/*/*.md")
    pages = {page for pattern in patterns for page in ROOT.glob(pattern)}
    parts = {page for page in pages if page.name.endswith(".intro.md")}
    assert sorted(listed) == sorted(pages - parts - {ROOT / "README.md"})


def test_every_picture_is_shown() -> None:
    shown = {
        (path.parent / target).resolve()
        for path in documents()
        for _, target in markdown.links(path.read_text(encoding="utf-8"))
    }
    assert set((ROOT / "docs" / "images").rglob("*.png")) - shown == set()


def test_every_route_is_on_the_page() -> None:
    text = (REFERENCE / "endpoints.md").read_text(encoding="utf-8")
    found = headings("endpoints")
    routes = [
        (method, path)
        for methods, path in _endpoints.routes(create_api(load_settings()).routes)
        for method in methods
    ]
    assert ("POST", "/v1/audio/speech") in routes
    assert [
        (method, path)
        for method, path in routes
        if f"{method} {path.replace(':path', '')}" not in found and f"| `{path}` |" not in text
    ] == []


# The checks themselves.


def no_server() -> str:
    raise AssertionError("this document needs no server")


def run(folder: Path, text: str) -> int:
    return Runner(folder, no_server).run(text, "page.md")


@pytest.mark.parametrize(
    "text",
    [
        "```python\ndef (:\n```",
        "<!-- test: run -->\n```python\nraise SystemExit(3)\n```",
        "<!-- test: run -->\n```bash\nfalse | true\n```",
        "<!-- test: fails -->\n```bash\ntrue\n```",
        "<!-- test: run -->\n```\ntrue\n```",
        "<!-- test: dance -->\n```python\n```",
        "<!-- test: skip -->\n```python\n```",
        "<!-- test: continue -->\n```python\n```",
        "<!-- test: file ../x -->\n```python\n```",
        "```json\n{,}\n```",
        "```toml\n= 3\n```",
        "```yaml\na: [\n```",
    ],
)
def test_a_wrong_block_is_found(text: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError):
        run(tmp_path, text)


def test_blocks_share_files_and_go_on(tmp_path: Path) -> None:
    text = """
1. Write it.

   <!-- test: file pack/one.py -->
   ```python
   VALUE = 3
   ```

<!-- test: run -->

```python
from pack.one import VALUE
```

<!-- test: continue -->
```python
assert VALUE == 3
```

<!-- test: fails -->
```bash
test -e elsewhere
```

<!-- test: skip it is a picture -->
```python
...
```
"""
    assert run(tmp_path, text) == 3


def test_a_mark_holds_for_the_next_block_only() -> None:
    text = "<!-- test: run -->\nwords\n```python\n```\n"
    assert runner.unmarked_python(text) == [4]


@pytest.mark.parametrize(
    "link", ["gone.md", "#gone", "other.md#gone", "../../outside.md", "<gone.md>", 'gone.md "t"']
)
def test_a_broken_link_is_found(link: str, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Here\n")
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\nSee [there]({link}).\n")
    assert len(list(markdown.broken_links(page, tmp_path))) == 1


def test_good_links_pass(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("## GET /v1/models\n\n## Twice\n\n## Twice\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Page one\n\n[a](other.md#get-v1models) [b](other.md#twice-1) [c](#page-one)\n"
        "[d](https://example.org/x) `[e](gone.md)`\n\n```text\n[f](gone.md)\n```\n"
    )
    assert list(markdown.broken_links(page, tmp_path)) == []


def test_an_outdated_page_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_pages, "FOLDER", tmp_path)
    assert reference_pages.outdated() == list(reference_pages.PAGES)
    assert len(reference_pages.write()) == len(reference_pages.PAGES)
    assert reference_pages.outdated() == []
    (tmp_path / "hooks.intro.md").write_text("For people.\n")
    assert reference_pages.outdated() == ["hooks"]
