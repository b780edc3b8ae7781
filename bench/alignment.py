"""How far the starts of aligned words lie from those that the speaking engine tells itself.

The embedded engine speaks a text and says when it begins each word; the recording and the text are
given to a model that aligns. PocketSphinx gets free sentences. The Whisper model is the tiny one of
the tests, which knows digits and a few commands alone: its figures say that the method works, not
how good a published model is.

    nox -s bench -- alignment
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from _measure import Figures, loaded, percentile, timed

from open_speech import (
    AlignmentRequest,
    Audio,
    LoadContext,
    Segment,
    SpeechRequest,
    STTModel,
    TTSModel,
    Word,
)
from open_speech.codecs.resample import resample

TESTS = Path(__file__).parents[1] / "packages" / "open-speech-provider-whisper" / "tests"
DIGITS = TESTS / "data" / "whisper-digits"
DIGITS_NAME = "Systran/faster-whisper-tiny.en"
"""A name under which the backend loads that folder."""
SPOKEN_DIGITS = (
    "one two three four five",
    "nine eight seven six",
    "zero one zero two three",
    "five six seven",
    "two four six eight",
    "turn on the kitchen lights",
    "turn off the bedroom light please",
    "play the next music",
)
SENTENCES = (
    "It is late, my friend.",
    "The quick brown fox jumps over the lazy dog.",
    "Please open the window before you leave the house.",
    "She sells flowers at the corner of the street every morning.",
    "When the rain had stopped, they walked along the river to the old bridge.",
    "Nobody knows what the future will bring, but everybody hopes for the best.",
)
VOICES = ("en-us", "en-us+m4", "en-us+f3")
SPEEDS = (0.8, 1.0, 1.2)


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    columns = ("what", "words", "mean, ms", "median, ms", "p90, ms", "worst, ms", "ms per sentence")
    table = Figures("Starts of aligned words against the speaker's own", columns)
    with ExitStack() as stack:
        _, speaker = stack.enter_context(loaded("espeak/en-us"))
        _, sphinx = stack.enter_context(loaded("pocketsphinx/en-us"))
        digits = LoadContext(paths={"model": DIGITS})
        _, whisper = stack.enter_context(loaded(DIGITS_NAME, digits))
        assert isinstance(speaker, TTSModel)
        assert isinstance(sphinx, STTModel)
        assert isinstance(whisper, STTModel)
        _add(table, "pocketsphinx/en-us, free sentences", speaker, sphinx, SENTENCES)
        _add(table, "whisper-digits, digits and commands", speaker, whisper, SPOKEN_DIGITS)
    table.show()


def _add(
    table: Figures, name: str, speaker: TTSModel, aligner: STTModel, texts: Sequence[str]
) -> None:
    errors: list[float] = []
    times: list[float] = []
    for text in texts:
        for audio in _spoken(speaker, text):
            found: list[Word] = []
            asked = AlignmentRequest(audio=audio, text=text)
            times.append(timed(partial(_align, aligner, asked, found)))
            errors += _errors(found, audio.words)
    table.add(
        name,
        len(errors),
        statistics.mean(errors),
        statistics.median(errors),
        percentile(errors, 90),
        max(errors),
        statistics.mean(times),
    )


def _spoken(speaker: TTSModel, text: str) -> Iterator[Audio]:
    """The text in each voice at each speed, at 16 kHz, with the words of the engine's events."""
    for voice in VOICES:
        for speed in SPEEDS:
            asked = SpeechRequest(text=text, voice=voice, speed=speed, word_timestamps=True)
            chunks = list(speaker.synthesize(asked))
            samples = np.concatenate([chunk.samples for chunk in chunks])
            whole = Audio(samples=samples, sample_rate=chunks[0].sample_rate)
            yield replace(resample(whole, 16_000), words=tuple(_words(chunks)))


def _words(chunks: Sequence[Audio]) -> Iterator[Word]:
    seconds = 0.0
    for chunk in chunks:
        for word in chunk.words:
            yield replace(word, start=seconds + word.start, end=seconds + word.end)
        seconds += chunk.seconds


def _errors(found: Sequence[Word], told: Sequence[Word]) -> Iterator[float]:
    """Milliseconds between the starts. What the speaker tells as one ("at the") counts once."""
    rest = iter(found)
    for theirs in told:
        ours, *_ = islice(rest, len(theirs.text.split()))
        yield 1000 * abs(ours.start - theirs.start)


def _align(model: STTModel, asked: AlignmentRequest, found: list[Word]) -> None:
    for event in model.align(asked):
        if isinstance(event, Segment):
            found.extend(event.words)


if __name__ == "__main__":
    main()
