"""From a text to the phonemes of its sentences, with pronunciations that stand in the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from open_speech.errors import InvalidRequest

PRONUNCIATION = re.compile(r"\[([^\[\]]{1,200})\]\(/([^/()]{1,200})/\)")
"""``[word](/ipa/)``."""

_MARKS = re.compile(r"[,;:.!?]+")
_ENDS = frozenset(".!?")
_BLOCK = re.compile(r"(?<=\[)(?=\[)")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Phonemize = Callable[[str], list[list[str]]]
"""From a text to the phonemes of each of its sentences."""


@dataclass
class Script:
    """A text as the engine says it."""

    sentences: list[list[str]] = field(default_factory=list)
    """Phonemes, single code points, with spaces and punctuation."""
    words: list[tuple[str, list[str] | None]] = field(default_factory=list)
    """Words as they stand in the text; with phonemes where the text tells them."""


def read(text: str, phonemize: Phonemize, knows: Callable[[str], bool]) -> Script:
    """Make phonemes of a text, giving what is pronounced by the text to the voice as it stands.

    What the engine has for this, blocks in double brackets, loses a comma behind the block and
    takes any symbol; so its blocks are put together here. Brackets of the text itself are text.
    Raises InvalidRequest for a symbol that the voice has no sound for.
    """
    script = Script()
    position = 0
    for match in PRONUNCIATION.finditer(text):
        _read_plain(text[position : match.start()], script, phonemize)
        _read_pronunciation(match[1], match[2], script, knows)
        position = match.end()
        spaced = text[position : position + 1].isspace()
        if marks := _MARKS.match(text, position):
            script.sentences[-1] += [mark for mark in marks[0] if knows(mark)]
            position = marks.end()
            spaced = text[position : position + 1].isspace()
        if spaced:
            script.sentences[-1].append(" ")
    _read_plain(text[position:], script, phonemize)
    script.sentences = [each for each in script.sentences if "".join(each).strip()]
    return script


def _read_plain(text: str, script: Script, phonemize: Phonemize) -> None:
    text = _BLOCK.sub(" ", _CONTROL.sub(" ", text))
    script.words += [(word, None) for word in text.split()]
    if not text.strip():
        return
    found = phonemize(text)
    if found and _is_open(script):
        script.sentences[-1] += found.pop(0)
    script.sentences += found
    if script.sentences and text[-1:].isspace() and script.sentences[-1][-1:] != [" "]:
        script.sentences[-1].append(" ")


def _read_pronunciation(word: str, ipa: str, script: Script, knows: Callable[[str], bool]) -> None:
    phonemes = list(unicodedata.normalize("NFD", ipa.strip()))
    if strange := [symbol for symbol in phonemes if not knows(symbol)]:
        raise InvalidRequest(
            f"The voice has no sound for {strange[0]!r} in the pronunciation of {word[:64]!r}.",
            param="text",
            hint="Pronunciations are in the alphabet of the IPA, as espeak-ng writes it.",
        )
    script.words.append((word.strip(), phonemes))
    if not _is_open(script):
        script.sentences.append([])
    script.sentences[-1] += phonemes


def _is_open(script: Script) -> bool:
    """Whether the last sentence goes on: nothing that ends one stands at its end."""
    if not script.sentences:
        return False
    last = "".join(script.sentences[-1]).rstrip()
    return last[-1:] not in _ENDS
