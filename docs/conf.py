"""The site of the documents, for Sphinx: `nox -s docs` builds it into `build/docs`.

The documents are Markdown as GitHub shows it. Sphinx's source folder is the repository, so that a
link leads to the same file in both places: pages of the site to pages, anything else to a copy.
"""

from __future__ import annotations

import re
from typing import Any

project = "Open Speech"
author = "The Open Speech authors"
root_doc = "README"
include_patterns = ["*.md", "docs/**/*.md", "packages/*/*.md", "apps/*/*.md"]
exclude_patterns = [".*", "build", "dist", "**/tests", "docs/reference/*.intro.md"]
templates_path = ["templates"]

extensions = ["myst_parser"]
myst_heading_anchors = 4  # named as GitHub names them
highlight_language = "none"  # of blocks that name none

html_theme = "pydata_sphinx_theme"
html_title = project
html_favicon = "../apps/server/src/open_speech_server/web/icon.svg"
html_additional_pages = {"index": "start.html"}
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}


def listed(text: str) -> list[tuple[str, str]]:
    """Name and target of the link at the beginning of each line of a list."""
    return re.findall(r"^- \[([^\]]+)\]\(([^)#:]+\.md)\)", text, re.MULTILINE)


def children(text: str) -> list[str]:
    """The pages that an index lists."""
    return [target for _, target in listed(text)]


def add_navigation(_app: Any, docname: str, source: list[str]) -> None:
    """Make the pages that an index lists its children, in that order.

    A page that no index lists is in no navigation: Sphinx warns of it, and the build fails.
    """
    if docname == root_doc or docname.endswith("/index"):
        # Every changelog has the same heading; the link says whose it is.
        pages = "\n".join(
            f"{name} <{target}>" if target.endswith("CHANGELOG.md") else target
            for name, target in listed(source[0])
        )
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n\n{pages}\n```\n"


def setup(app: Any) -> None:
    """Sphinx calls this."""
    app.connect("source-read", add_navigation)
