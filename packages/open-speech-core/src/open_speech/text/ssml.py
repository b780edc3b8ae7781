"""A safe subset of SSML 1.1, read with the standard library's expat.

A document type, and with it every entity but XML's own five, is refused; depth and number of
elements are bounded. What changes nothing here (``emphasis``, ``mark``, ``prosody`` by pitch, any
unknown element) is dropped, and the text in it is spoken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn
from xml.parsers import expat

from .._synthesis.utterances import Pause
from .._types.models import ModelInfo
from ..errors import InvalidRequest
from .prosody import MAX_VOLUME, break_seconds, rate_factor, volume_factor
from .say_as import say_as
from .spans import MAX_IPA, Collector, Setting, Span, clamped_rate

MAX_DEPTH = 32
MAX_ELEMENTS = 100_000

ELEMENTS = {
    "speak": "the whole document",
    "p": "a paragraph",
    "s": "a sentence",
    "break": "silence, by time= or strength=",
    "voice": "another voice, by name=",
    "lang": "another language, by xml:lang=",
    "prosody": "pace and loudness, by rate= and volume=",
    "phoneme": "a pronunciation, by ph=, in the alphabet ipa",
    "sub": "what to speak instead, by alias=",
    "say-as": "how to read, by interpret-as=",
}
"""Elements that are heeded, and what they do."""

_UNSPOKEN = frozenset({"desc", "metadata", "lexicon", "meta"})
_READ_WHOLE = frozenset({"sub", "phoneme", "say-as"}) | _UNSPOKEN
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}")
_SURROGATES = re.compile("[\ud800-\udfff]")


def spans(text: str, model: ModelInfo, language: str | None = None) -> Iterator[Span | Pause]:
    """Read a document; places are those in the document as it came.

    Args:
        text: the document.
        model: what is to speak it.
        language: of what the document itself says no language of.

    Raises:
        InvalidRequest: not well-formed, beyond the bounds, or a pause that is too long.
        UnsupportedCapability: a pronunciation for a model that takes no phonemes.
    """
    collector = Collector(model)
    _Reader(text, collector, language).read()
    yield from collector.finish()


@dataclass
class _Whole:
    """An element whose text is read before it is known what to speak."""

    name: str
    attributes: Mapping[str, str]
    depth: int
    tag: int
    parts: list[str] = field(default_factory=list)
    start: int | None = None
    end: int = 0


class _Reader:
    def __init__(self, text: str, collector: Collector, language: str | None) -> None:
        # expat sees another character where there is none that could be encoded: same places.
        self._text = _SURROGATES.sub("\ufffd", text)
        self._data = self._text.encode()
        self._collector = collector
        self._language = language
        self._settings: list[Setting] = []
        self._elements = 0
        self._whole: _Whole | None = None
        self._in_cdata = False
        self._bytes = self._characters = 0
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = False
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters_read
        self._parser.StartCdataSectionHandler = self._begin_cdata
        self._parser.EndCdataSectionHandler = self._end_cdata

    def read(self) -> None:
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            self._fail(expat.ErrorString(error.code), error.lineno, error.offset)

    def _fail(self, reason: str, line: int | None = None, column: int | None = None) -> NoReturn:
        line = self._parser.CurrentLineNumber if line is None else line
        column = self._parser.CurrentColumnNumber if column is None else column
        raise InvalidRequest(
            f"The SSML cannot be read, in line {line}, column {column + 1}: {reason}.",
            param="input",
            hint="Write & as &amp; and < as &lt; in the text, and close every element.",
        )

    def _refuse(self, *_arguments: object) -> None:
        self._fail("a document type is not allowed")

    def _place(self) -> int:
        """Where in the text the parser is; it counts bytes."""
        index = self._parser.CurrentByteIndex
        self._characters += len(self._data[self._bytes : index].decode())
        self._bytes = index
        return self._characters

    def _begin(self, qualified: str, attributes: dict[str, str]) -> None:
        name = qualified.rpartition(":")[2].lower()
        self._elements += 1
        if not self._settings and name != "speak":
            self._fail(f"the outermost element is <{qualified[:32]}>, not <speak>")
        if len(self._settings) >= MAX_DEPTH:
            self._fail(f"more than {MAX_DEPTH} elements lie within each other")
        if self._elements > MAX_ELEMENTS:
            self._fail(f"it has more than {MAX_ELEMENTS} elements")
        collector = self._collector
        self._settings.append(collector.setting)
        if self._whole:
            return
        if name in _READ_WHOLE:
            self._whole = _Whole(name, attributes, len(self._settings), self._place())
        elif name in {"p", "s"}:
            collector.end()
        elif name == "break":
            collector.pause(break_seconds(attributes))
        collector.change(_changed(collector.setting, name, attributes))

    def _end(self, qualified: str) -> None:
        whole = self._whole
        if whole and len(self._settings) == whole.depth:
            self._whole = None
            self._speak(whole)
        setting = self._settings.pop()
        if self._whole:
            return
        if qualified.rpartition(":")[2].lower() in {"p", "s"}:
            self._collector.end()
        self._collector.change(setting)

    def _begin_cdata(self) -> None:
        self._in_cdata = True

    def _end_cdata(self) -> None:
        self._in_cdata = False

    def _characters_read(self, data: str) -> None:
        start = self._place()
        end = self._source_end(data, start)
        whole = self._whole
        if whole:
            whole.parts.append(data)
            whole.start = start if whole.start is None else whole.start
            whole.end = end
        elif self._text[start:end] == data:
            self._collector.text.same(data, start)
        else:
            self._collector.text.other(data, start, end, shown=data)

    def _source_end(self, data: str, start: int) -> int:
        """Where what was written for this text ends: it may have been a reference."""
        if self._text[start] == "&" and not self._in_cdata:
            return self._text.index(";", start) + 1
        return start + len(data)

    def _speak(self, whole: _Whole) -> None:
        """Say what an element stands for."""
        collector, shown = self._collector, "".join(whole.parts)
        content = shown.strip()
        start, end = (whole.tag, whole.tag + 1) if whole.start is None else (whole.start, whole.end)
        if whole.name in _UNSPOKEN:
            return
        if whole.name == "phoneme" and (ipa := _ipa(whole.attributes)) and _is_plain(content):
            collector.pronounce(content, ipa, start, end, shown)
            return
        text = content
        if whole.name == "sub":
            text = " ".join(whole.attributes.get("alias", "").split()) or content
        elif whole.name == "say-as":
            language = collector.setting.language or self._language
            text = say_as(content, whole.attributes, language) or content
        if text:
            collector.text.other(text, start, end, shown=shown)


def _changed(setting: Setting, name: str, attributes: Mapping[str, str]) -> Setting:
    language = attributes.get("xml:lang", "")
    if _LANGUAGE.fullmatch(language):
        setting = replace(setting, language=language)
    if name == "voice" and (voice := attributes.get("name", "").strip()):
        setting = replace(setting, voice=voice)
    if name == "prosody":
        speed = clamped_rate(setting.speed * rate_factor(attributes.get("rate", "")))
        volume = setting.volume * volume_factor(attributes.get("volume", ""))
        setting = replace(setting, speed=speed, volume=min(volume, MAX_VOLUME))
    return setting


def _ipa(attributes: Mapping[str, str]) -> str | None:
    """Return the phonemes, if they are IPA and can stand between slashes."""
    ipa = attributes.get("ph", "").strip().strip("/")
    is_ipa = attributes.get("alphabet", "ipa").lower() == "ipa"
    return ipa if is_ipa and 0 < len(ipa) <= MAX_IPA and not set(ipa) & set("/()\n") else None


def _is_plain(word: str) -> bool:
    return 0 < len(word) <= MAX_IPA and not set(word) & set("[]")
