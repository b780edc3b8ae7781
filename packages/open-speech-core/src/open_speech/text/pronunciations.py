"""How certain words are to be spoken, from a file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .._types.languages import main_language
from ._tracked import Replacement
from .typography import with_plain_apostrophes

__all__ = [
    "Pronunciation",
    "Pronunciations",
]


ANY = "any"
"""The section of words of every language."""
MAX_CHARS = 200
"""The longest word, spelling or pronunciation."""

_WORD = re.compile(r"\w+")
_KEYS = frozenset({"ipa", "say"})


@dataclass(frozen=True, kw_only=True)
class Pronunciation:
    """How one word is spoken: by another spelling, by phonemes, or by what the model can take."""

    say: str | None = None
    """Spelled as it sounds."""
    ipa: str | None = None
    """In the International Phonetic Alphabet, without slashes."""


@dataclass(frozen=True)
class Pronunciations:
    """Words and how they are spoken, by language.

    A word is found where it stands by itself, in upper or lower case. It may have spaces and signs
    in it, but begins with a letter or a digit. Of several that fit, the longest one counts; a
    language's own ones go before those of every language.
    """

    words: Mapping[str, Mapping[str, Pronunciation]]
    """By language (``en``, ``en-gb``, ``any``), then by word, both in lower case."""
    _by_first: dict[str, dict[str, list[tuple[str, Pronunciation]]]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for language, words in self.words.items():
            index: dict[str, list[tuple[str, Pronunciation]]] = {}
            for word, pronunciation in sorted(words.items(), key=lambda item: -len(item[0])):
                first = _WORD.match(word)
                if first is None:
                    raise ValueError(f"{word!r} does not begin with a letter or a digit")
                plain = with_plain_apostrophes(word.lower())
                index.setdefault(first[0].lower(), []).append((plain, pronunciation))
            self._by_first[language.lower()] = index

    @classmethod
    def read(cls, path: Path) -> Pronunciations:
        """Read a TOML file of sections by language, ``any`` for all.

            [any]
            nginx = "engine x"
            [en]
            Worcester = "/ˈwʊstɚ/"
            Nguyen = { ipa = "ŋwiən", say = "win" }

        Raises:
            OSError: it cannot be read.
            ValueError: it is not of this form; the message says where.
        """  # noqa: RUF002 - phonemes
        try:
            sections = tomllib.loads(path.read_text(encoding="utf-8-sig"))
            return cls({name.lower(): _section(name, words) for name, words in sections.items()})
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def found(self, text: str, language: str | None, *, phonemes: bool) -> list[Replacement]:
        """Find the words of a text, ascending.

        Args:
            text: where to look.
            language: BCP-47.
            phonemes: whether IPA can be used; else words that have nothing else are left alone.
        """
        tag = (language or "").replace("_", "-").lower()
        names = dict.fromkeys((tag, main_language(tag), ANY))
        indexes = [self._by_first[name] for name in names if name in self._by_first]
        made: list[Replacement] = []
        position = 0
        while indexes and (match := _WORD.search(text, position)):
            position = match.end()
            for index in indexes:
                if new := _at(text, match, index, phonemes=phonemes):
                    made.append(new)
                    position = new.end
                    break
        return made


def _at(
    text: str,
    match: re.Match[str],
    index: Mapping[str, list[tuple[str, Pronunciation]]],
    *,
    phonemes: bool,
) -> Replacement | None:
    start = match.start()
    for word, pronunciation in index.get(match[0].lower(), ()):
        end = start + len(word)
        written = text[start:end]
        if written.lower() != word or (word[-1].isalnum() and text[end : end + 1].isalnum()):
            continue
        if pronunciation.ipa and phonemes and not set(written) & set("[]"):
            return Replacement(start, end, f"[{written}](/{pronunciation.ipa}/)", fixed=True)
        if pronunciation.say:
            return Replacement(start, end, pronunciation.say)
    return None


def _section(name: str, words: Any) -> dict[str, Pronunciation]:
    if not isinstance(words, dict):
        raise ValueError(f"{name!r} stands outside of a section such as [en]")  # noqa: TRY004
    section = {}
    for word, value in words.items():
        if not _WORD.match(word) or len(word) > MAX_CHARS:
            raise ValueError(f"[{name}] {word!r}: a word begins with a letter or a digit")
        section[word.lower()] = _pronunciation(f"[{name}] {word}", value)
    return section


def _pronunciation(where: str, value: Any) -> Pronunciation:
    if isinstance(value, str):
        is_ipa = len(value) > 2 and value.startswith("/") and value.endswith("/")
        value = {"ipa" if is_ipa else "say": value}
    if not isinstance(value, dict) or not value or set(value) - _KEYS:
        raise ValueError(f"{where}: write a text, or a table of 'ipa' and 'say'")
    for text in value.values():
        if not isinstance(text, str) or not text.strip() or len(text) > MAX_CHARS:
            raise ValueError(f"{where}: write 1 to {MAX_CHARS} characters")
    ipa = value["ipa"].strip().strip("/") if "ipa" in value else None
    if ipa is not None and (not ipa or set(ipa) & set("/()[]\n")):
        raise ValueError(f"{where}: IPA has no slashes, brackets or line ends in it")
    return Pronunciation(say=value.get("say"), ipa=ipa)
