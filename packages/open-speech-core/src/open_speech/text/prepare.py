"""From a request's text to pieces that an engine can say, and pauses between them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ..models import Capability, ModelInfo
from ..script import Pause, Piece
from ..speech import SpeechRequest
from . import markup, ssml
from ._tracked import Replacement, Tracked, cut, replaced
from .languages import language_of
from .normalize import normalized
from .options import TextOptions
from .sentences import MAX_CHARS, MIN_CHARS, Sentence, SentenceSplitter
from .stretches import Stretch

_SPACE = re.compile(r"\s+")
_JOINT = re.compile(r"(?<=[^\s,;:])[\s,;:](?=[\s,;:]{0,3}[^\s,;:])|(?<=[,;:])\s(?=\S)")
"""A sign or space between words."""


def prepare(
    request: SpeechRequest, model: ModelInfo, options: TextOptions | None = None
) -> list[Piece | Pause]:
    """Make a text ready for a model; empty if there is nothing to speak.

    Time is linear in the text, whatever it holds.

    Raises:
        InvalidRequest: malformed SSML, or a pause that is too long.
        UnsupportedCapability: a pronunciation that the model cannot take.
    """
    options = options or TextOptions()
    script: list[Piece | Pause] = []
    first = True
    for item in _stretches(request, model, options):
        if isinstance(item, Pause):
            script.append(item)
            continue
        pieces = list(_pieces(item, request, model, options, first=first))
        first = first and not pieces
        script += pieces
    return script if any(isinstance(item, Piece) for item in script) else []


def _stretches(
    request: SpeechRequest, model: ModelInfo, options: TextOptions
) -> Iterator[Stretch | Pause]:
    text = request.text
    if options.ssml and "<" in text:
        language = language_of(model, request.voice, request.language)
        return ssml.stretches(text, model, language)
    if options.markup:
        return markup.stretches(text, model, voice_tags=options.voice_tags)
    return iter([Stretch(tracked=Tracked(text=text))])


def _written_out(
    tracked: Tracked, language: str | None, model: ModelInfo, options: TextOptions
) -> Tracked:
    """Replace what the dictionary has, and what the engine cannot read."""
    settled: list[Replacement] = []
    if options.pronunciations:
        free = _masked(tracked, " ")
        phonemes = Capability.PHONEMES in model.capabilities
        settled = options.pronunciations.found(free, language, phonemes=phonemes)
    return normalized(tracked, language, model, options.normalization, settled)


def _pieces(
    stretch: Stretch, request: SpeechRequest, model: ModelInfo, options: TextOptions, *, first: bool
) -> Iterator[Piece]:
    """Cut one stretch into sentences, leaving out what has nothing to speak."""
    setting = stretch.setting
    language = language_of(
        model, setting.voice or request.voice, setting.language or request.language
    )
    tracked = _written_out(stretch.tracked, language, model, options)
    reads_symbols = Capability.NORMALIZATION in model.capabilities
    for sentence in _sentences(tracked, language, model, options, first=first):
        if not _is_speakable(tracked.text[sentence.start : sentence.end], symbols=reads_symbols):
            continue
        part = _with_single_spaces(cut(tracked, sentence.start, sentence.end))
        yield Piece(
            text=part.text,
            start=part.start,
            edits=part.edits,
            voice=setting.voice,
            language=setting.language,
            speed=setting.speed,
            volume=setting.volume,
        )


def _sentences(
    tracked: Tracked, language: str | None, model: ModelInfo, options: TextOptions, *, first: bool
) -> list[Sentence]:
    room = max(min(options.max_chars or MAX_CHARS, model.max_text_chars or MAX_CHARS), MIN_CHARS)
    early = options.first_max_chars if first else None
    if early is not None:
        early = min(max(early, MIN_CHARS), room)
    splitter = SentenceSplitter(language, max_chars=room, first_max_chars=early)
    return splitter.feed(_shape(tracked, room // 2)) + splitter.finish()


def _shape(tracked: Tracked, longest: int) -> str:
    """Return the text as it is to be divided: what had better stay whole looks like one word."""
    text = _masked(tracked, "x")
    parts, position = [], 0
    for edit in tracked.edits:
        if 1 < edit.end - edit.start <= longest:
            parts += [text[position : edit.start], _JOINT.sub("x", text[edit.start : edit.end])]
            position = edit.end
    return "".join([*parts, text[position:]])


def _masked(tracked: Tracked, character: str) -> str:
    """Return the text with a character instead of each one that is fixed."""
    parts, position = [], 0
    for start, end in tracked.fixed:
        parts += [tracked.text[position:start], character * (end - start)]
        position = end
    return "".join([*parts, tracked.text[position:]])


def _with_single_spaces(part: Tracked) -> Tracked:
    """Line ends and the like mean nothing any more."""
    spaces = (match for match in _SPACE.finditer(part.text) if match[0] != " ")
    return replaced(part, [Replacement(each.start(), each.end(), " ") for each in spaces])


def _is_speakable(text: str, *, symbols: bool) -> bool:
    """Tell whether it holds a letter or a number, or a symbol for an engine that names them."""
    kinds = "LNS" if symbols else "LN"
    return any(unicodedata.category(character)[0] in kinds for character in text)
