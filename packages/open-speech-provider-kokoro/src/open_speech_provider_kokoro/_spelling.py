"""From text to symbols, in each language; what an installation lacks is found out here."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from open_speech.errors import InvalidRequest

from ._owners import owners
from ._tokens import Token
from .voices import LANGUAGES

Speller = Callable[[str], list[Token]]
"""From a text to its tokens."""

_LINK = re.compile(r"\[([^\[\]]{1,200})\]\(/([^/()]{1,200})/\)")
_LONG_RUN = re.compile(r"(\[[^\[\]]{1,200}\]\([^()]{1,200}\))|[^\s\[\]()]{41,}|[\[\]()]{41,}")
_PIECE = 20
_KEPT = 4_096
"""Words whose symbols are kept."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NEEDS = {
    "j": ("fugashi", "jaconv", "mojimoji", "pyopenjtalk"),
    "z": ("cn2an", "jieba", "pypinyin"),
}
"""What misaki imports for a language, beside what this package asks for."""


def missing(letter: str) -> str | None:
    """How to make a language work that this installation cannot spell; None if it can."""
    if all(find_spec(name) for name in _NEEDS.get(letter, ())):
        return None
    extra = LANGUAGES[letter].tag
    return f"Install it with: pip install 'open-speech-provider-kokoro[{extra}]'."


def clean(text: str) -> str:
    """Without control characters, and with breaks in what is longer than any word.

    The time that misaki takes grows with the cube of the length of a word.
    """
    return _LONG_RUN.sub(
        lambda run: run[1] or " ".join(re.findall(f".{{1,{_PIECE}}}", run[0])),
        _CONTROL.sub(" ", text),
    ).strip()


class Spelling:
    """The spellers of a loaded model, each made when it is first needed."""

    def __init__(self, tagger: Path | None, model: str) -> None:
        self._tagger, self._model = tagger, model
        self._english: Any = None
        self._spellers: dict[str, Speller] = {}
        logging.getLogger("phonemizer").setLevel(logging.ERROR)

    def spell(self, letter: str, text: str) -> list[Token]:
        """The tokens of a text; raises InvalidRequest for a language that cannot be spelt here."""
        if letter not in self._spellers:
            self._spellers[letter] = self._speller(letter)
        text = clean(text)
        return self._spellers[letter](text) if text else []

    def _speller(self, letter: str) -> Speller:
        if letter in "ab":
            if self._english is None:
                from ._english import English  # imports spaCy

                self._english = English(self._tagger, self._model)
            speller: Speller = self._english.speller(british=letter == "b")
            return speller
        return Plain(self._g2p(letter))

    def _g2p(self, letter: str) -> Callable[[str], tuple[str, Any]]:
        if fix := missing(letter):
            self._refuse(letter, fix)
        try:
            return _misaki(letter)
        except (ImportError, OSError, RuntimeError) as error:
            # fugashi raises RuntimeError where there is no dictionary, and looks for none.
            fix = "Run: python -m unidic download." if letter == "j" else f"It says: {error}"
            self._refuse(letter, fix)

    def _refuse(self, letter: str, fix: str) -> NoReturn:
        raise InvalidRequest(
            f"This installation cannot read {LANGUAGES[letter].name} aloud.",
            model=self._model,
            param="language",
            hint=fix,
        )


def _misaki(letter: str) -> Callable[[str], tuple[str, Any]]:
    if letter == "j":
        from misaki import ja

        return ja.JAG2P()  # type: ignore[no-any-return]
    if letter == "z":
        from misaki import zh

        return zh.ZHG2P()  # type: ignore[no-any-return]
    from misaki import espeak

    return espeak.EspeakG2P(language=LANGUAGES[letter].espeak)  # type: ignore[no-any-return]


class Plain:
    """A language whose front end gives symbols for a text, but not for its words.

    Which symbols belong to which word is found out by ``owners``; words that cannot be told
    apart make one token together, which has no times.
    """

    def __init__(self, g2p: Callable[[str], tuple[str, Any]]) -> None:
        self._g2p = g2p
        self._alone = lru_cache(_KEPT)(self._groups)

    def __call__(self, text: str) -> list[Token]:
        """``[word](/ipa/)`` is taken as it is."""
        tokens: list[Token] = []
        place = 0
        for link in _LINK.finditer(text):
            tokens += self._spell(text[place : link.start()])
            place = link.end()
            tokens.append(Token(link[1], link[2], text[place : place + 1].isspace()))
        return tokens + self._spell(text[place:])

    def _spell(self, text: str) -> list[Token]:
        words, groups = text.split(), self._groups(text)
        tokens: list[Token] = []
        held: list[str] = []
        place = 0
        for word, own in zip(words, owners([self._alone(w) for w in words], groups), strict=True):
            if own is None:
                held.append(word)
                continue
            tokens += _together(held, groups[place : own.start])
            held, place = [], own.stop
            tokens.append(Token(word, " ".join(groups[own.start : own.stop]), space=True))
        tokens += _together(held, groups[place:])
        if tokens and not text[-1].isspace():
            tokens[-1] = replace(tokens[-1], space=False)
        return tokens

    def _groups(self, text: str) -> list[str]:
        symbols, _ = self._g2p(text) if text.strip() else ("", None)
        return str(symbols or "").split()


def _together(words: Sequence[str], groups: Sequence[str]) -> list[Token]:
    """Words whose symbols cannot be told apart."""
    return [Token(" ".join(words), " ".join(groups), space=True, sure=False)] if groups else []
