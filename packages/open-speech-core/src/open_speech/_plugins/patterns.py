"""Families of model names: what a pattern makes of a name."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache

from .._types.models import ModelInfo, ModelPattern

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,31})\}")
WHOLE = "name"
"""The placeholder for the whole name, which every pattern has."""


def claimed(pattern: ModelPattern, name: str) -> ModelInfo | None:
    """The model that a pattern makes of a name; None if it does not claim it.

    Takes time linear in the name: patterns come from strangers. Raises ValueError for ``fields``
    that cannot be.
    """
    if not fnmatchcase(name, pattern.glob):
        return None
    parts = {WHOLE: name}
    if pattern.fields is not None:
        match = _shape(pattern.fields).fullmatch(name)
        if match is None:
            return None
        parts |= match.groupdict()
    template = pattern.template
    sources = tuple(
        replace(
            source,
            repo_id=_filled(source.repo_id, parts),
            files=tuple(_filled(file, parts) for file in source.files),
            optional=tuple(_filled(file, parts) for file in source.optional),
        )
        for source in template.sources
    )
    languages = tuple(_filled(language, parts) for language in template.languages)
    return replace(template, id=name, sources=sources, languages=languages)


def placeholders(pattern: ModelPattern) -> frozenset[str]:
    """The names that a template may use; raises ValueError as ``claimed`` does."""
    parts = _shape(pattern.fields).groupindex if pattern.fields is not None else ()
    return frozenset({WHOLE, *parts})


@lru_cache(maxsize=1024)
def _shape(fields: str) -> re.Pattern[str]:
    """An expression that never has to go back: each part ends where its next literal begins."""
    pieces = _PLACEHOLDER.split(fields)
    literals, names = pieces[::2], pieces[1::2]
    doubtful = (
        len(set(names)) < len(names)
        or WHOLE in names
        or not all(literals[1:-1])
        or any(set(literal) & set("{}") for literal in literals)
    )
    if doubtful:
        raise ValueError(f"{fields!r} is no shape of a name, such as 'family/{{language}}-{{who}}'")
    made = re.escape(literals[0])
    for name, literal in zip(names, literals[1:], strict=True):
        made += f"(?P<{name}>[^/{re.escape(literal[:1])}]+){re.escape(literal)}"
    return re.compile(made)


def _filled(text: str, parts: dict[str, str]) -> str:
    """What is no placeholder of this pattern stays as it is."""
    return _PLACEHOLDER.sub(lambda found: parts.get(found[1], found[0]), text)
