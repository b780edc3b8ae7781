"""When each word is said: the voice's own account against that of a model that hears."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from statistics import median

import pytest

from real.sentences import SENTENCES
from real.served import Served, Word
from real.words import normal

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

SOME = SENTENCES[::4]


def apart(ours: Sequence[Word], theirs: Sequence[Word]) -> list[float]:
    """By how many seconds the starts of those words differ that both have, in this order."""
    one, other = ([normal(word.text) for word in words] for words in (ours, theirs))
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return [
        abs(ours[block.a + i].start - theirs[block.b + i].start)
        for block in blocks
        for i in range(block.size)
    ]


def compared(served: Served, title: str, **voice: str) -> float:
    """The median over some sentences; every word of each must have a time."""
    differences: list[float] = []
    for text in SOME:
        sound, ours = served.speak_timed(text, **voice)
        assert normal(" ".join(word.text for word in ours)) == normal(text)
        found = apart(ours, served.hear(sound).words)
        assert len(found) >= len(ours) * 0.8, text
        differences += found
    middle, worst = median(differences), max(differences)
    print(f"{title}: median {middle:.3f} s, at most {worst:.3f} s, {len(differences)} words")  # noqa: T201
    return middle


def test_piper_knows_when_it_says_a_word(small: Served) -> None:
    assert compared(small, "Piper joe, Whisper tiny.en") <= 0.1


@pytest.mark.deep
@pytest.mark.parametrize("voice", ["af_heart", "am_michael"])
def test_kokoro_knows_when_it_says_a_word(large: Served, voice: str) -> None:
    assert compared(large, f"Kokoro {voice}, Whisper base", voice=voice) <= 0.1


def test_times_that_are_late_are_found() -> None:
    words = [Word(text, i * 0.3, i * 0.3 + 0.2) for i, text in enumerate(SENTENCES[0].split())]
    late = [Word(word.text, word.start + 0.4, word.end + 0.4) for word in words]
    assert median(apart(words, words)) == 0
    assert median(apart(words, late[1:])) == pytest.approx(0.4)
