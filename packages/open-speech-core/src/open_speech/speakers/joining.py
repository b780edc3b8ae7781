"""Whose words are whose: a transcription joined with the turns of its speakers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import groupby, pairwise

from .._types.audio import Word
from .._types.transcription import Segment, TranscriptionEvent, join_texts
from .diarization import Diarization, Turn, stretches

__all__ = ["SpeakerOfWords", "by_speaker", "speaker_lines"]

INTERJECTION_S = 2.0
"""A turn this short within another's is heard as what was said there."""
_TIE_S = 0.02
"""Overlaps of a word with two turns that are as good as equal."""
_POINT_S = 0.01
"""Added around a word, so that one without a length lies somewhere."""
MAX_WORD_S = 0.6
"""Words are said to begin too early, where the last one ends, more often than to end too late: of
longer ones only so much counts, up to the end."""
_EDGE_WORDS = 3
"""So many words at an end of a sentence may be on the wrong side of where the speaker changes."""
_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "۔", "।")  # noqa: RUF001 - they are meant
_CLOSING = "\"'”’)]»」』"  # noqa: RUF001 - likewise
_FIRST = "A"
"""Whose words are where nobody was found to speak."""


class SpeakerOfWords:
    """Gives the segments of a recording to its speakers, one after the other.

    A word belongs to whoever speaks for most of it; where several do, to the one who speaks
    briefly, else to the one who spoke before. A word in silence belongs to the nearest turn. The
    first and the last words of a sentence belong to whoever says the rest, where they would fall to
    the speaker before or after: neither times nor turns are exact. A segment is cut where the
    speaker changes. Nothing of its text is lost or said twice.
    """

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._stretches = stretches(turns)
        self._starts = [stretch.start for stretch in self._stretches]
        self._before: str | None = None
        self._sentence_begins = True

    def split(self, segment: Segment) -> list[Segment]:
        """Cut a segment by its speakers; one whose words have no times stays whole.

        Tokens and their probabilities stay with the first part: they cannot be cut as text can.
        """
        words = segment.words
        places = _places(segment.text, words)
        if places is None or not words:
            spoken = self._speaker(segment.start, segment.end)
            self._sentence_begins = _is_end(segment.text)
            return [replace(segment, speaker=spoken)]
        speakers = self._speakers(segment)
        cuts = [n for n in range(1, len(words)) if speakers[n] != speakers[n - 1]]
        parts: list[Segment] = []
        for first, last in zip([0, *cuts], [*cuts, len(words)], strict=True):
            begin = 0 if first == 0 else places[first]
            finish = len(segment.text) if last == len(words) else places[last]
            part = replace(
                segment,
                text=segment.text[begin:finish],
                start=segment.start if first == 0 else words[first].start,
                end=segment.end if last == len(words) else words[last - 1].end,
                words=words[first:last],
                speaker=speakers[first],
            )
            parts.append(part if first == 0 else replace(part, tokens=(), logprobs=()))
        return [replace(part, end=max(part.start, part.end)) for part in parts]

    def _speakers(self, segment: Segment) -> list[str]:
        """Whose each word is, with sentences kept whole where only their edges differ."""
        words, before = segment.words, self._before
        speakers = [
            self._speaker(max(word.start, word.end - MAX_WORD_S), word.end) for word in words
        ]
        after = self._found(segment.end + _POINT_S, segment.end + MAX_WORD_S)
        ends = [n + 1 for n, word in enumerate(words) if _is_end(word.text)]
        begins = self._sentence_begins
        self._sentence_begins = bool(ends) and ends[-1] == len(words)
        for first, last in pairwise(sorted({0, *ends, len(words)})):
            said = speakers[first:last]
            if first or begins:
                earlier = speakers[first - 1] if first else before
                said = _without_lead(said, earlier)
            if last in ends:
                later = speakers[last] if last < len(words) else after
                said = _without_lead(said[::-1], later)[::-1]
            speakers[first:last] = said
        self._before = speakers[-1]
        return speakers

    def _speaker(self, start: float, end: float) -> str:
        self._before = self._found(start - _POINT_S, end + _POINT_S)
        return self._before

    def _found(self, start: float, end: float) -> str:
        if not self._stretches:
            return _FIRST
        number = max(0, bisect_right(self._starts, start) - 1)
        shares: dict[str, float] = {}
        briefest: dict[str, float] = {}
        at_once = False
        for place in range(number, len(self._stretches)):  # a slice would copy hours
            stretch = self._stretches[place]
            if stretch.start >= end:
                break
            at_once = at_once or len(stretch.turns) > 1
            for turn in stretch.turns:
                share = min(end, stretch.end) - max(start, stretch.start)
                if share > 0.0:
                    length = turn.end - turn.start
                    shares[turn.speaker] = shares.get(turn.speaker, 0.0) + share
                    briefest[turn.speaker] = min(briefest.get(turn.speaker, length), length)
        if not shares:
            return self._nearest(start, end, number)
        most = max(shares.values())
        tied = [speaker for speaker, share in shares.items() if share >= most - _TIE_S]
        if len(tied) == 1:
            return tied[0]
        brief = min(tied, key=lambda speaker: briefest[speaker])
        if at_once and briefest[brief] <= INTERJECTION_S:
            return brief
        return self._before if self._before in tied else brief

    def _nearest(self, start: float, end: float, number: int) -> str:
        """The speaker of the turn that is nearest to a word in silence."""
        near = [each for each in self._stretches[max(0, number - 1) : number + 3] if each.turns]
        best = min(near, key=lambda each: max(each.start - end, start - each.end))
        return best.turns[-1 if best.end <= start else 0].speaker


def _without_lead(said: list[str], neighbour: str | None) -> list[str]:
    """Move the first words of a sentence from the neighbour to the speaker of the rest."""
    lead = next((n for n, speaker in enumerate(said) if speaker != neighbour), len(said))
    if 0 < lead <= min(_EDGE_WORDS, len(said) // 4):
        return [said[lead]] * lead + said[lead:]
    return said


def _is_end(text: str) -> bool:
    """Whether a sentence ends with this word."""
    return text.strip().rstrip(_CLOSING).endswith(_ENDS)


async def by_speaker(
    events: AsyncGenerator[TranscriptionEvent, None], speakers: Diarization | None
) -> AsyncGenerator[TranscriptionEvent, None]:
    """Cut the segments of a transcription by their speakers; without any they stay as they are."""
    owners = SpeakerOfWords(speakers.turns) if speakers else None
    async with aclosing(events):
        async for event in events:
            if owners and isinstance(event, Segment):
                for part in owners.split(event):
                    yield part
            else:
                yield event


def speaker_lines(segments: Iterable[Segment]) -> str:
    """Write one line per turn (``A: Hello.``); empty if no segment has a speaker."""
    return "".join(
        f"{speaker}: {join_texts(each.text for each in said)}\n"
        for speaker, said in groupby(segments, key=lambda segment: segment.speaker)
        if speaker is not None
    )


def _places(text: str, words: Sequence[Word]) -> list[int] | None:
    """Where in a text each word begins, with what stands directly before it.

    None where the words are not those of the text.
    """
    places: list[int] = []
    position = 0
    for word in words:
        written = word.text.strip()
        start = text.find(written, position)
        if start < 0 or any(each.isalnum() for each in text[position:start]):
            return None
        between = text[position:start]
        # What stands at the end of a word (a full stop) is the word's.
        closing = next((n for n, each in enumerate(between) if each.isspace()), len(between))
        places.append(position + closing)
        position = start + len(written)
    if any(each.isalnum() for each in text[position:]):
        return None
    return places
