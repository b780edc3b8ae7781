"""From a request's text to pieces that an engine can say, and pauses between them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from ..models import Capability, ModelInfo
from ..script import Pause, Piece
from ..speech import SpeechRequest
from ._tracked import Replacement, Tracked, cut, replaced
from .options import TextOptions
from .sentences import MAX_CHARS, MIN_CHARS, SentenceSplitter
from .stretches import Stretch

_SPACE = re.compile(r"\s+")


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
        language = item.language or request.language
        pieces = list(_pieces(item, language, model, options, first=first))
        first = first and not pieces
        script += pieces
    return script if any(isinstance(item, Piece) for item in script) else []


def _stretches(
    request: SpeechRequest, model: ModelInfo, options: TextOptions
) -> Iterator[Stretch | Pause]:
    yield Stretch(tracked=Tracked(text=request.text))


def _pieces(
    stretch: Stretch, language: str | None, model: ModelInfo, options: TextOptions, *, first: bool
) -> Iterator[Piece]:
    """Cut one stretch into sentences, leaving out what has nothing to speak."""
    room = max(min(options.max_chars or MAX_CHARS, model.max_text_chars or MAX_CHARS), MIN_CHARS)
    early = options.first_max_chars if first else None
    if early is not None:
        early = min(max(early, MIN_CHARS), room)
    splitter = SentenceSplitter(language, max_chars=room, first_max_chars=early)
    tracked = stretch.tracked
    shape = _shape(tracked)
    reads_symbols = Capability.NORMALIZATION in model.capabilities
    for sentence in splitter.feed(shape) + splitter.finish():
        if not _is_speakable(tracked.text[sentence.start : sentence.end], symbols=reads_symbols):
            continue
        part = _with_single_spaces(cut(tracked, sentence.start, sentence.end))
        yield Piece(
            text=part.text,
            start=part.start,
            edits=part.edits,
            voice=stretch.voice,
            language=stretch.language,
            speed=stretch.speed,
            volume=stretch.volume,
        )


def _shape(tracked: Tracked) -> str:
    """Return the text as the splitter sees it: what must not be divided looks like one word."""
    parts, position = [], 0
    for start, end in tracked.fixed:
        parts += [tracked.text[position:start], "x" * (end - start)]
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
