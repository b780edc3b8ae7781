"""Language tags, as BCP-47 has them."""

from __future__ import annotations


def main_language(tag: str | None) -> str:
    """The language of a tag without region and script: ``pt`` of ``pt-BR``; empty for no tag.

    In lower case; ``pt_BR``, as locales are written, is read as well.
    """
    return (tag or "").replace("_", "-").partition("-")[0].lower()
