# ruff: noqa: RUF001 - phonetic letters
"""Which symbols are whose: told by what words are alone, never by length."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from open_speech_provider_kokoro._owners import owners

GROUPS = st.lists(st.sampled_from(["a", "ba", "ab", "abc", "cab"]), max_size=8)


@pytest.mark.parametrize(
    ("alone", "together", "expected"),
    [
        ("un dos", "un dos", [(0, 1), (1, 2)]),
        ("un mil_nove libros", "un mil nove libros", [(0, 1), (1, 3), (3, 4)]),
        ("lˈe amˈi", "lez amˈi", [(0, 1), (1, 2)]),
        # One word that sounds otherwise, between two that do not.
        ("casa a porta", "casa ɐ porta", [(0, 1), (1, 2), (2, 3)]),
        # Two words that are spoken as one; the others keep their own.
        ("casa en la porta", "casa enla porta", [(0, 1), None, None, (2, 3)]),
        # As many groups as words, but one is joined and one is two.
        ("casa en la ocho", "casa enla xy zu", [(0, 1), None, None, None]),
        # A group that nobody has alone is of one of its neighbours, and who knows which.
        ("casa porta", "casa uu porta", [None, None]),
        ("casa", "", [None]),
        ("", "", []),
    ],
)
def test_borders_are_known_or_not(
    alone: str, together: str, expected: list[tuple[int, int] | None]
) -> None:
    found = owners([word.split("_") for word in alone.split()], together.split())
    assert found == [range(*place) if place else None for place in expected]


@given(alone=st.lists(GROUPS, max_size=6), groups=GROUPS)
def test_no_group_has_two_owners(alone: list[list[str]], groups: list[str]) -> None:
    found = owners(alone, groups)
    assert len(found) == len(alone)
    ranges = [place for place in found if place is not None]
    assert all(before.stop <= after.start for before, after in pairwise(ranges))
    assert all(place.stop <= len(groups) for place in ranges)


@given(words=st.lists(GROUPS.filter(bool), max_size=6))
def test_words_that_sound_as_they_do_alone_have_all_that_is_theirs(words: list[list[str]]) -> None:
    groups = [group for word in words for group in word]
    found = owners(words, groups)
    assert [groups[place.start : place.stop] for place in found if place is not None] == words
