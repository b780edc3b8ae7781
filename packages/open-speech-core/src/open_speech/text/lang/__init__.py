"""What is known of each language: one module or package by the main part of its BCP-47 tag.

Each holds ``LANGUAGE``, whose rules are a table: kind of token, how it is written, how it is
spoken. German is ``de``; a new language is a new module and its name in ``LANGUAGES``.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from .._rules import Language

LANGUAGES = frozenset({"de", "en", "es", "fr", "it", "nl", "pt"})
"""Those that have rules."""


@cache
def find(main: str) -> Language | None:
    """Return what is known of a language, by the main part of its tag; None for no rules.

    Loads the language's module, which only a text in it needs.
    """
    if main not in LANGUAGES:
        return None
    language: Language = import_module(f".{main}", __name__).LANGUAGE
    return language
