"""What is said, cut into cues that can be read at once.

Transcripts and the subtitles of speech are cut by the same rules, those of broadcasters: at most
two lines of 42 columns, at most seven seconds, never across a silence. Within these bounds the cuts
are the best of all: at the ends of sentences, else at commas, else where somebody breathes, with
cues of about the same length and none that is over before it is read (a shortest path, as in
"Breaking paragraphs into lines" by Knuth and Plass, 1981).
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from .._types.audio import Word
from .._types.transcription import Segment, gap

__all__ = [
    "Cue",
    "Pause",
    "columns",
    "cues_of_speech",
    "cues_of_transcript",
]


LINE_COLUMNS = 42
"""What broadcasters allow; an ideograph takes two columns, an accent none."""
CUE_LINES = 2
CUE_S = 7.0
"""Seconds that a cue lasts at most."""
CUE_GAP_S = 0.8
"""A longer silence ends a cue."""

Pause = tuple[float, float]
"""A silence: seconds at which it begins and ends."""

_RUN = re.compile("(?:[\u00a0\u202f\u2060]|\\S)+")
"""Text without a space at which a line may end."""
_GAP = re.compile("[^\\S\u00a0\u202f]+")
_BREAKS = re.compile(r"[/?&=.,;:_\s\-]")
_ENDS = ".!?…。！？؟۔।"  # noqa: RUF001 - they are meant
_CLAUSES = ",;:–—、，；：،؛"  # noqa: RUF001 - likewise
_CLOSING = "\"'”’)]»」』"  # noqa: RUF001 - likewise
_DASHES = "-–—"  # noqa: RUF001 - likewise
_VOWELS = frozenset("aeiouy")
_SHORT_FORM = 4
"""Letters of "Mr.", "Dr.", "St.", "bzw."; sentences do not end with a word without a vowel."""
_IDEOGRAPHS = 0x3000
"""From here on scripts without spaces may be cut between any two characters."""
_NEAR_S = 0.5
"""So far a word's time may lie from where the sound begins or ends."""
_PART_S = 0.1
"""Less of a word than this, on one side of a silence, is noise."""
_FAR_COLUMNS = 8
"""A sentence that ends so far from where a silence is thought to be ends there nevertheless."""
_READ_S = 1.0
"""Seconds in which a short cue can be read."""
_ORPHAN_COLUMNS = 12

# What a cut costs; one cue more costs 1.
_AT_CLAUSE, _ANYWHERE, _IN_WORD = 0.8, 2.5, 5.0
_SENTENCE_WITHIN, _TOO_SHORT, _ORPHAN = 2.0, 2.0, 1.5
_LINE_COST = 6.0
"""Columns of unevenness that a line's end is worth, per unit of the above."""


@dataclass(frozen=True, kw_only=True)
class Cue:
    """What is shown at once."""

    start: float
    """Seconds."""
    end: float
    lines: tuple[str, ...]
    """At most ``CUE_LINES``, none wider than ``LINE_COLUMNS``."""
    speaker: str | None = None
    """Who says it, where speakers were told apart; a cue is never of two."""

    @property
    def text(self) -> str:
        """On one line."""
        return " ".join(self.lines)


@dataclass(frozen=True, kw_only=True)
class _Token:
    """What stays together: a word with its marks, an ideograph, a part of a very long word."""

    text: str
    glue: str
    """What stands before it on the same line: a space, or nothing."""
    start: float
    end: float
    is_first: bool = False
    """A cue has to begin here."""
    speaker: str | None = None


def cues_of_transcript(segments: Iterable[Segment], pauses: Sequence[Pause] = ()) -> list[Cue]:
    """Cut a transcript by the times of its words; no cue lies in one of the ``pauses``.

    A cue has one speaker, where segments have. A segment whose words have no times is a cue, or
    as many as it takes: then its text is spread over what sounds of it, as evenly as it is written.
    """
    tokens: list[_Token] = []
    for segment in segments:
        found = _timed(segment) or _spread(segment, pauses)
        if found and tokens:
            space = gap(tokens[-1].text, segment.text.lstrip() or " ") or _space(segment.text)
            changes = segment.speaker != tokens[-1].speaker
            found[0] = replace(found[0], glue=space, is_first=found[0].is_first or changes)
        tokens += [replace(each, speaker=segment.speaker) for each in found]
    return _cues(tokens, pauses)


def cues_of_speech(text: str, words: Iterable[Word]) -> list[Cue]:
    """Cut the words of a text that was spoken.

    ``words`` carry the spans of ``text`` they stand for. Words keep the signs that stand
    directly at them; what stands by itself, such as a tag, is left out.
    """
    places = [(*word.span, word.start, word.end) for word in words if word.span]
    return _cues(_placed(text, places, everything=False), ())


def columns(text: str) -> int:
    """How much of a line a text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _space(text: str) -> str:
    return " " if text[:1].isspace() else ""


_Place = tuple[int, int, float, float]
"""Where a word begins and ends in a text, and when it does."""


def _timed(segment: Segment) -> list[_Token]:
    """The tokens of a segment by its words' times; none where the words are not its text."""
    places: list[_Place] = []
    position = 0
    for word in segment.words:
        written = word.text.strip()
        start = segment.text.find(written, position)
        if start < 0 or re.search(r"\w", segment.text[position:start]):
            return []
        position = start + len(written)
        if written:
            places.append((start, position, word.start, word.end))
    if re.search(r"\w", segment.text[position:]):
        return []
    return _placed(segment.text, places, everything=True)


def _placed(text: str, places: Sequence[_Place], *, everything: bool) -> list[_Token]:
    """Words with the signs that stand at them; all that lies between them too, or no more."""
    tokens: list[_Token] = []
    head, glue = _head(text[: places[0][0]], everything=everything) if places else "", ""
    for number, (first, last, start, end) in enumerate(places):
        is_final = number + 1 == len(places)
        between = text[last:] if is_final else text[last : places[number + 1][0]]
        tail, opening, space = _shared(between, everything=everything, is_final=is_final)
        written = _GAP.sub(" ", f"{head}{text[first:last]}{tail}").strip()
        tokens.append(_Token(text=written, glue=glue, start=start, end=end))
        head, glue = opening, space
    return _ready(tokens)


def _head(text: str, *, everything: bool) -> str:
    return text if everything else _GAP.split(text)[-1]


def _shared(between: str, *, everything: bool, is_final: bool) -> tuple[str, str, str]:
    """What of the text between two words goes with the first, what with the second; the space."""
    parts = _GAP.split(between)
    if is_final:
        return between if everything else parts[0], "", ""
    if len(parts) == 1:  # "two-three"
        opens = next((n for n, each in enumerate(between) if _opens(each)), len(between))
        return between[:opens], between[opens:], ""
    return " ".join(parts[:-1]) if everything else parts[0], parts[-1], " "


def _opens(character: str) -> bool:
    return unicodedata.category(character) in ("Ps", "Pi") or character in "¿¡"


def _spread(segment: Segment, pauses: Sequence[Pause]) -> list[_Token]:
    """The tokens of a segment by the length of its text alone."""
    raw: list[_Token] = []
    for run in _RUN.findall(segment.text):
        for number, part in enumerate(_characters(run)):
            glue = "" if number or not raw else " "
            raw.append(_Token(text=part, glue=glue, start=0.0, end=0.0))
    if not raw:
        return []
    sounds = _sounding(segment.start, segment.end, [each for each in pauses if _is_long(each)])
    tokens: list[_Token] = []
    for (start, end), share in zip(sounds, _shares(raw, sounds), strict=True):
        sizes = list(accumulate((columns(each.text) + 1 for each in share), initial=0))
        pace = (end - start) / max(1, sizes[-1])
        tokens += [
            replace(each, start=start + before * pace, end=start + after * pace)
            for each, (before, after) in zip(share, pairwise(sizes), strict=True)
        ]
    tokens[:1] = [replace(each, is_first=True) for each in tokens[:1]]
    return _ready(tokens)


def _is_long(pause: Pause) -> bool:
    return pause[1] - pause[0] > CUE_GAP_S


def _shares(tokens: Sequence[_Token], sounds: Sequence[Pause]) -> Iterator[Sequence[_Token]]:
    """What of a text is said in each sound: as much as it is long, to the nearest clause."""
    sizes = list(accumulate((columns(each.text) + 1 for each in tokens), initial=0))
    lengths = list(accumulate(end - start for start, end in sounds))
    following = [*tokens[1:], None]
    closed = [0.0, *(_closes(*pair) for pair in zip(tokens, following, strict=True))]
    first = 0
    for length in lengths[:-1]:
        expected = sizes[-1] * length / max(lengths[-1], 1e-9)
        places = range(first, len(tokens) + 1)
        last = min(places, key=lambda n: closed[n] + abs(sizes[n] - expected) / _FAR_COLUMNS)
        yield tokens[first:last]
        first = last
    yield tokens[first:]


def _characters(run: str) -> list[str]:
    """A run of text as what may be on different lines: ideographs with their marks, or all."""
    parts = [run[0]]
    for last, each in pairwise(run):
        together = max(ord(last), ord(each)) < _IDEOGRAPHS or not _columns(each)
        if together or _ends_word(each) or _opens(last):
            parts[-1] += each
        else:
            parts.append(each)
    return parts


def _ends_word(character: str) -> bool:
    return unicodedata.category(character)[0] == "P" and not _opens(character)


def _sounding(start: float, end: float, pauses: Sequence[Pause]) -> list[tuple[float, float]]:
    """What is left of an interval without the silences; all of it where nothing would be."""
    sounds, at = [], start
    for silent, again in pauses[bisect_right(pauses, start, key=lambda each: each[1]) :]:
        if silent >= end:
            break
        if silent > at:
            sounds.append((at, silent))
        at = max(at, again)
    if at < end:
        sounds.append((at, end))
    return sounds or [(start, end)]


def _ready(tokens: Iterable[_Token]) -> list[_Token]:
    """Marks that stand alone join a word, and what is wider than a line is broken."""
    joined: list[_Token] = []
    waiting: _Token | None = None
    for each in tokens:
        token = each
        if waiting:
            text = f"{waiting.text}{each.glue}{each.text}"
            token = replace(waiting, text=text, end=max(each.end, waiting.start))
            waiting = None
        if not _is_mark(token.text):
            joined.append(token)
        elif _opens(token.text[-1]) or token.text in _DASHES or not joined:
            waiting = token
        else:
            last = joined[-1]
            joined[-1] = replace(last, text=f"{last.text}{token.glue}{token.text}")
    joined += [waiting] if waiting else []
    return [part for token in joined for part in _broken(token)]


def _is_mark(text: str) -> bool:
    return all(unicodedata.category(each)[0] in "PZC" for each in text)


def _broken(token: _Token) -> Iterator[_Token]:
    """A token in parts that fit on a line, each with its part of the time."""
    whole, left = columns(token.text), token
    while columns(left.text) > LINE_COLUMNS:
        place = _break(left.text)
        part, rest = left.text[:place], left.text[place:]
        moment = token.start + (token.end - token.start) * (1 - columns(rest) / whole)
        yield replace(left, text=part, end=moment)
        left = replace(left, text=rest, glue="", start=moment, is_first=False)
    yield left


def _break(text: str) -> int:
    """Where to break what is wider than a line: behind a sign, else where the line is full."""
    taken, last = 0, 0
    for place, each in enumerate(text):
        taken += _columns(each)
        if taken > LINE_COLUMNS:
            return last if last > LINE_COLUMNS // 3 else max(1, place)
        if _BREAKS.match(each):
            last = place + 1
    return len(text)


def _cues(tokens: Iterable[_Token], pauses: Sequence[Pause]) -> list[Cue]:
    cues: list[Cue] = []
    for run in _runs(_in_order(_within_sound(token, pauses) for token in tokens)):
        parts = list(_cut(run))
        for number, part in enumerate(parts):
            begin = _start(part[0].start, pauses) if number == 0 else part[0].start
            end = _end(part[-1].end, pauses) if number + 1 == len(parts) else part[-1].end
            begin = max(begin, cues[-1].end) if cues else begin
            end = min(max(begin, end), begin + CUE_S)
            cues.append(Cue(start=begin, end=end, lines=_lines(part), speaker=part[0].speaker))
    return cues


def _within_sound(token: _Token, pauses: Sequence[Pause]) -> _Token:
    """A token without the silence before, behind and in it: engines are late or early there."""
    sounds = _sounding(token.start, token.end, pauses)
    long = [each for each in sounds if each[1] - each[0] >= _PART_S] or sounds
    # Words begin too early, where the last one ends, more often than they end too late.
    return replace(token, start=long[-1][0], end=long[-1][1])


def _in_order(tokens: Iterable[_Token]) -> Iterator[_Token]:
    latest = 0.0
    for token in tokens:
        start = max(token.start, latest)
        latest = max(token.end, start)
        yield replace(token, start=start, end=latest)


def _start(moment: float, pauses: Sequence[Pause]) -> float:
    """Where the sound begins, if that is shortly before."""
    index = bisect_right(pauses, moment, key=lambda each: each[1]) - 1
    again = pauses[index][1] if index >= 0 else 0.0
    return again if moment - again <= _NEAR_S else moment


def _end(moment: float, pauses: Sequence[Pause]) -> float:
    """Where the sound ends, if that is shortly behind."""
    index = bisect_left(pauses, moment, key=lambda each: each[0])
    silent = pauses[index][0] if index < len(pauses) else math.inf
    return silent if silent - moment <= _NEAR_S else moment


def _runs(tokens: Iterable[_Token]) -> Iterator[list[_Token]]:
    """What lies between silences."""
    run: list[_Token] = []
    for token in tokens:
        if run and (token.is_first or token.start - run[-1].end > CUE_GAP_S):
            yield run
            run = []
        run.append(token)
    if run:
        yield run


def _cut(run: Sequence[_Token]) -> Iterator[Sequence[_Token]]:
    """Cut a run into cues so that all of the cuts together cost least."""
    room = _Room(run)
    least = [0.0] + [math.inf] * len(run)
    came = [0] * (len(run) + 1)
    for first in range(len(run)):
        for last in range(first + 1, room.cue(first) + 1):
            if last - first > 1 and run[last - 1].end - run[first].start > CUE_S:
                break
            cost = least[first] + room.cost(first, last)
            if cost < least[last]:
                least[last], came[last] = cost, first
    ends = [len(run)]
    while ends[-1]:
        ends.append(came[ends[-1]])
    for first, last in pairwise(reversed(ends)):
        yield run[first:last]


class _Room:
    """What of a run fits on lines and in cues, and what a cue costs."""

    def __init__(self, run: Sequence[_Token]) -> None:
        self._run = run
        self._ends = list(accumulate(columns(each.text) + len(each.glue) for each in run))
        self._reach = self._lines()
        following = [*run[1:], None]
        self._closed = [_closes(*pair) for pair in zip(run, following, strict=True)]
        self._sentences = list(accumulate((cut == 0.0 for cut in self._closed), initial=0))

    def width(self, first: int, last: int) -> int:
        """Columns of the tokens up to ``last`` (excluded) on one line."""
        run = self._run
        begin = self._ends[first] - columns(run[first].text)
        return self._ends[last - 1] - begin

    def cue(self, first: int) -> int:
        """Behind the last token that fits into a cue."""
        last = first
        for _ in range(CUE_LINES):
            last = self._reach[last] if last < len(self._run) else last
        return last

    def cost(self, first: int, last: int) -> float:
        """What a cue of these tokens costs; the measure of all is one cue more."""
        run, final = self._run, last == len(self._run)
        cost = 1.0 + (self.width(first, last) / (CUE_LINES * LINE_COLUMNS)) ** 2
        if not final:
            breath = max(0.0, run[last].start - run[last - 1].end) / CUE_GAP_S
            cost += self._closed[last - 1] * (1 - 0.8 * min(1.0, breath))
        cost += _SENTENCE_WITHIN * (self._sentences[last - 1] - self._sentences[first])
        if len(run) > last - first:
            seconds = run[last - 1].end - run[first].start
            cost += _TOO_SHORT * max(0.0, _READ_S - seconds)
            if last - first == 1 and self.width(first, last) < _ORPHAN_COLUMNS:
                cost += _ORPHAN
        return cost

    def unevenness(self, place: int) -> float:
        """How bad it is to end the first of two lines there."""
        difference = abs(self.width(0, place) - self.width(place, len(self._run)))
        return difference + _LINE_COST * self._closed[place - 1]

    def _lines(self) -> list[int]:
        reach, last = [], 0
        for first in range(len(self._run)):
            last = max(last, first + 1)
            while last < len(self._run) and self.width(first, last + 1) <= LINE_COLUMNS:
                last += 1
            reach.append(last)
        return reach


def _closes(token: _Token, following: _Token | None) -> float:
    """What it costs to cut behind a token: nothing where a sentence ends."""
    text = token.text.rstrip(_CLOSING)
    if following and not following.glue and not _is_ideographic(token.text, following.text):
        return _IN_WORD
    if text.endswith(".") and _goes_on(text, following):
        return _ANYWHERE
    if text.endswith(tuple(_ENDS)):
        return 0.0
    return _AT_CLAUSE if text.endswith(tuple(_CLAUSES)) else _ANYWHERE


def _is_ideographic(one: str, other: str) -> bool:
    return max(ord(one[-1]), ord(other[0])) >= _IDEOGRAPHS


def _goes_on(text: str, following: _Token | None) -> bool:
    """Whether a stop is hardly that of a sentence: "C. Smith", "Dr. Smith", "e.g. this"."""
    word = "".join(filter(str.isalpha, text))
    initial = len(word) == 1 and ord(word) < _IDEOGRAPHS
    short = len(word) <= _SHORT_FORM and not _VOWELS.intersection(word.lower()) and word.isascii()
    return initial or (short and word != "") or bool(following and following.text[:1].islower())


def _lines(part: Sequence[_Token]) -> tuple[str, ...]:
    """The text of a cue on one line, or on two of about the same length."""
    room = _Room(part)
    if room.width(0, len(part)) <= LINE_COLUMNS:
        return (_written(part),)
    fitting = [
        place
        for place in range(1, len(part))
        if room.width(0, place) <= LINE_COLUMNS and room.width(place, len(part)) <= LINE_COLUMNS
    ]
    best = min(fitting, key=room.unevenness)
    return _written(part[:best]), _written(part[best:])


def _written(tokens: Sequence[_Token]) -> str:
    first, *others = tokens
    return "".join([first.text, *(each.glue + each.text for each in others)]).strip()
