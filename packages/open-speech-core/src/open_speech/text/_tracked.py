"""Text that changes on its way to the engine and still knows where all of it comes from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import merge

from .._synthesis.utterances import Edit


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """A text made from a span of another one; see ``Piece`` for ``start`` and ``edits``."""

    text: str
    start: int = 0
    edits: tuple[Edit, ...] = ()
    fixed: tuple[tuple[int, int], ...] = ()
    """Parts of the text, ascending, that nothing may change or divide."""


@dataclass(frozen=True)
class Replacement:
    """Another text for a part of one; the part is not empty."""

    start: int
    end: int
    text: str
    fixed: bool = False
    """Nothing may change it any more."""
    shown: str | None = None
    """What readers see in its place; None if they see what it is put for."""


@dataclass
class Recorder:
    """Puts a tracked text together, from the first character of the original to the last.

    What is left out of the original between two parts becomes an edit by itself.
    """

    parts: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    fixed: list[tuple[int, int]] = field(default_factory=list)
    size: int = 0
    start: int = 0
    _reached: int | None = None

    def same(self, text: str, source: int, *, fixed: bool = False) -> None:
        """Take over text as it stands at this place of the original."""
        if not text:
            return
        self._skip_to(source)
        if fixed:
            self.fixed.append((self.size, self.size + len(text)))
        self._add(text, source + len(text))

    def other(
        self, text: str, source: int, end: int, *, fixed: bool = False, shown: str | None = None
    ) -> None:
        """Put this text for a span of the original."""
        self._skip_to(source)
        begin = self.size
        self._add(text, end)
        self.edits.append(
            Edit(start=begin, end=self.size, source_start=source, source_end=end, shown=shown)
        )
        if fixed and text:
            self.fixed.append((begin, self.size))

    def finish(self) -> Tracked:
        """Return what was put together, and begin anew."""
        tracked = Tracked(
            text="".join(self.parts),
            start=self.start,
            edits=tuple(self.edits),
            fixed=tuple(self.fixed),
        )
        self.parts, self.edits, self.fixed = [], [], []
        self.size, self.start, self._reached = 0, 0, None
        return tracked

    def _skip_to(self, source: int) -> None:
        if self._reached is None:
            self.start = source
        elif source > self._reached:
            gap = Edit(
                start=self.size,
                end=self.size,
                source_start=self._reached,
                source_end=source,
                shown="",
            )
            self.edits.append(gap)

    def _add(self, text: str, reached: int) -> None:
        self.parts.append(text)
        self.size += len(text)
        self._reached = reached


@dataclass
class _Cluster:
    """Earlier edits and replacements that overlap, and so become one edit."""

    start: int
    end: int
    edits: list[Edit] = field(default_factory=list)
    replacements: list[Replacement] = field(default_factory=list)

    def text(self, old: str) -> str:
        """Write the part of the old text anew."""
        parts, position = [], self.start
        for each in self.replacements:
            parts += [old[position : each.start], each.text]
            position = each.end
        return "".join([*parts, old[position : self.end]])

    def shown(self, old: str) -> str | None:
        """What readers saw there, if that is not what the original has."""
        parts, position = [], self.start
        told = [each for each in self.replacements if each.shown is not None]
        items: Iterator[Edit | Replacement] = merge(self.edits, told, key=lambda item: item.start)
        for item in items:
            if item.start < position:
                continue  # within what is replaced
            if item.shown is None:
                return None
            parts += [old[position : item.start], item.shown]
            position = item.end
        is_changed = bool(self.edits or told)
        return "".join([*parts, old[position : self.end]]) if is_changed else None


def _clusters(edits: Iterable[Edit], replacements: Iterable[Replacement]) -> Iterator[_Cluster]:
    cluster: _Cluster | None = None
    # An edit goes first: what was left out right before a replaced word stays apart from it.
    items: Iterator[Edit | Replacement] = merge(edits, replacements, key=lambda item: item.start)
    for item in items:
        if cluster is None or item.start >= cluster.end:
            if cluster:
                yield cluster
            cluster = _Cluster(item.start, item.end)
        cluster.end = max(cluster.end, item.end)
        if isinstance(item, Edit):
            cluster.edits.append(item)
        else:
            cluster.replacements.append(item)
    if cluster:
        yield cluster


def replaced(tracked: Tracked, replacements: Sequence[Replacement]) -> Tracked:
    """Apply replacements, ascending and apart, none of them within what is fixed.

    One that meets an earlier edit becomes one edit with it, in the original's terms.
    """
    if not replacements:
        return tracked
    parts: list[str] = []
    edits: list[Edit] = []
    fixed: list[tuple[int, int]] = []
    ends, growth = [0], [0]  # from this place of the old text on, the new one is so much ahead
    position, shift = 0, tracked.start
    for cluster in _clusters(tracked.edits, replacements):
        source = cluster.start + shift
        if cluster.edits:
            shift = cluster.edits[-1].source_end - cluster.edits[-1].end
        text, begin = cluster.text(tracked.text), cluster.start + growth[-1]
        edits.append(
            Edit(
                start=begin,
                end=begin + len(text),
                source_start=source,
                source_end=cluster.end + shift,
                shown=cluster.shown(tracked.text),
            )
        )
        parts += [tracked.text[position : cluster.start], text]
        if any(each.fixed for each in cluster.replacements):
            fixed.append((begin, begin + len(text)))
        position = cluster.end
        ends.append(position)
        growth.append(begin + len(text) - position)
    parts.append(tracked.text[position:])

    def moved(place: int) -> int:
        return place + growth[bisect_right(ends, place) - 1]

    fixed += [(moved(start), moved(end - 1) + 1) for start, end in tracked.fixed]
    return Tracked(
        text="".join(parts),
        start=tracked.start,
        edits=tuple(edits),
        fixed=tuple(sorted(fixed)),
    )


def cut(tracked: Tracked, start: int, end: int) -> Tracked:
    """Return a part of a text; what it has of an edit stands for the whole of the original's."""
    first = bisect_right(tracked.edits, start, key=lambda edit: edit.end)
    before = tracked.edits[first - 1] if first else None
    shift = before.source_end - before.end if before else tracked.start
    begin = start + shift
    edits: list[Edit] = []
    for index in range(first, len(tracked.edits)):
        edit = tracked.edits[index]
        # What was left out right behind the part belongs to it.
        if edit.start > end or (edit.start == end and edit.end > end):
            break
        if edit.start < start:
            begin = edit.source_start
        edits.append(
            replace(edit, start=max(edit.start, start) - start, end=min(edit.end, end) - start)
        )
    return Tracked(text=tracked.text[start:end], start=begin, edits=tuple(edits))
