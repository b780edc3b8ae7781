"""From a request's text to pieces that an engine can say, and pauses between them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from .._synthesis.utterances import Pause, Utterance
from .._types.models import Capability, ModelInfo
from .._types.speech import SpeechRequest
from .._types.tokens import TokenKind
from ..voices.resolve import voice_language
from . import markup, ssml
from ._tracked import Replacement, Tracked, cut, replaced
from .normalize import cleaned, normalized
from .options import TextOptions
from .sentences import MAX_CHARS, MIN_CHARS, Sentence, SentenceSplitter
from .spans import Span

__all__ = [
    "prepare",
]


_SPACE = re.compile(r"\s+")
_JOINT = re.compile(r"(?<=[^\s,;:])[\s,;:](?=[\s,;:]{0,3}[^\s,;:])|(?<=[,;:])\s(?=\S)")
"""A sign or space between words."""


def prepare(
    request: SpeechRequest, model: ModelInfo, options: TextOptions | None = None
) -> list[Utterance | Pause]:
    """Make a text ready for a model; empty if there is nothing to speak.

    Time is linear in the text, whatever it holds.

    Raises:
        InvalidRequest: malformed SSML, or a pause that is too long.
        UnsupportedCapability: a pronunciation that the model cannot take.
    """
    options = options or TextOptions()
    script: list[Utterance | Pause] = []
    first = True
    for item in _stretches(request, model, options):
        if isinstance(item, Pause):
            script.append(item)
            continue
        pieces = list(_pieces(item, request, model, options, first=first))
        first = first and not pieces
        script += pieces
    return script


def _stretches(
    request: SpeechRequest, model: ModelInfo, options: TextOptions
) -> Iterator[Span | Pause]:
    text = request.text
    if options.ssml and "<" in text:
        language = voice_language(model, request.voice, request.language)
        return ssml.spans(text, model, language)
    if options.markup:
        return markup.spans(text, model, voice_tags=options.voice_tags)
    return iter([Span(tracked=Tracked(text=text))])


def _written_out(
    tracked: Tracked, language: str | None, model: ModelInfo, options: TextOptions
) -> Tracked:
    """Replace what the dictionary has, and what the engine cannot read."""
    tracked = cleaned(tracked, options.normalization, marks=not options.ssml)
    settled: list[Replacement] = []
    if options.pronunciations:
        free = _masked(tracked, " ")
        phonemes = Capability.PHONEMES in model.capabilities
        settled = options.pronunciations.found(free, language, phonemes=phonemes)
    return normalized(tracked, language, model, options.normalization, settled)


def _pieces(
    span: Span, request: SpeechRequest, model: ModelInfo, options: TextOptions, *, first: bool
) -> Iterator[Utterance]:
    """Cut one span into sentences, leaving out what has nothing to speak."""
    setting = span.setting
    language = voice_language(
        model, setting.voice or request.voice, setting.language or request.language
    )
    tracked = _written_out(span.tracked, language, model, options)
    reads_symbols = TokenKind.SYMBOL in model.read_kinds(language)
    for sentence in _sentences(tracked, language, model, options, first=first):
        written = tracked.text[sentence.start : sentence.end]
        if not _is_speakable(written, symbols=reads_symbols):
            continue
        # What is fixed may have been cut at a space.
        start = sentence.end - len(written.lstrip())
        part = _with_single_spaces(cut(tracked, start, start + len(written.strip())))
        yield Utterance(
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
