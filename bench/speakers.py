"""What the server adds to a diarization model, and what joining adds to a transcription.

The same recording is given to the model in this process and to the server, turn by turn: voice
activity first, then speakers, as core does it. Joining is measured alone, on a transcript of as
many words and turns as people make. Memory is that of the worker and of this process.

    nox -s bench -- speakers [--model campplus] [--seconds 30,120] [--rounds 3]
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from functools import partial
from typing import cast

import psutil
from _measure import EMBEDDED, Figures, form, loaded, post, server, spoken, timed

from open_speech import (
    DetectionRequest,
    DiarizationModel,
    DiarizationRequest,
    Segment,
    VADModel,
    Word,
)
from open_speech._listening.spans import SpanOptions, speech_spans
from open_speech.codecs.decode import decode, decode_chunks
from open_speech.speakers.diarization import Turn
from open_speech.speakers.joining import SpeakerOfWords

PATH = "/v1/audio/diarization"
WORDS_PER_MINUTE = 150
TURN_S = 4.0
PIECE_S = 60.0


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="campplus")
    parser.add_argument("--seconds", default="30,120")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    _diarization(
        options.model, [float(each) for each in options.seconds.split(",")], options.rounds
    )
    _joining(options.rounds)


def _diarization(name: str, lengths: Sequence[float], rounds: int) -> None:
    title = f"Diarization with {name}: seconds for a recording, and megabytes"
    columns = ("seconds", "library", "server", "ratio", "library MB", "worker MB")
    table = Figures(title, columns)
    settings = {**EMBEDDED, "DIARIZATION_MODEL": name}
    with server(settings) as started, loaded(name) as (_, model), loaded("silero") as (_, vad):
        for seconds in lengths:
            recording = spoken(started, 30) if seconds <= 30 else b""
            if not recording:
                recording = _repeated(spoken(started, 30), seconds)
            body, headers = form(recording, model=name)
            connection = started.connect()
            library: list[float] = []
            served: list[float] = []
            for turn in range(rounds + 1):
                alone = timed(partial(_alone, recording, model, vad))
                asked = timed(partial(post, connection, PATH, body, headers))
                if turn:  # the first is a warm-up
                    library.append(alone / 1000)
                    served.append(asked / 1000)
            table.add(
                seconds,
                f"{min(library):.2f}",
                f"{min(served):.2f}",
                f"{min(served) / min(library):.2f}",
                psutil.Process(os.getpid()).memory_info().rss / 1e6,
                _worker_megabytes(started.process.pid),
            )
    table.show()


def _alone(recording: bytes, model: object, vad: object) -> int:
    """What core does, with the models alone; returns how many turns there are."""
    audio = decode(recording, sample_rate=16_000)
    activity = [
        each for each in cast(VADModel, vad).detect(DetectionRequest(), iter([audio])) if each
    ]
    spans = speech_spans(activity, audio.seconds, SpanOptions())
    request = DiarizationRequest(speech=tuple((each.start, each.end) for each in spans))
    pieces = decode_chunks(recording, sample_rate=16_000, max_seconds=PIECE_S)
    return sum(turn is not None for turn in cast(DiarizationModel, model).diarize(request, pieces))


def _repeated(recording: bytes, seconds: float) -> bytes:
    from _measure import wav_file

    pcm = recording[44:]
    wanted = round(seconds * 16_000) * 2
    return wav_file((pcm * (wanted // len(pcm) + 1))[:wanted], 16_000)


def _worker_megabytes(pid: int) -> float:
    children = psutil.Process(pid).children(recursive=True)
    return max((float(each.memory_info().rss) for each in children), default=0.0) / 1e6


def _joining(rounds: int) -> None:
    table = Figures("Joining words and turns: milliseconds", ("minutes", "best", "per minute"))
    for minutes in (1, 60):
        segments = _transcript(minutes)
        turns = [
            Turn(start=at * TURN_S, end=(at + 1.1) * TURN_S, speaker="AB"[at % 2])
            for at in range(round(minutes * 60 / TURN_S))
        ]
        best = min(timed(partial(_join, turns, segments)) for _ in range(rounds + 2))
        table.add(minutes, f"{best:.2f}", f"{best / minutes:.2f}")
    table.show()


def _join(turns: Sequence[Turn], segments: Sequence[Segment]) -> None:
    owners = SpeakerOfWords(turns)
    for segment in segments:
        owners.split(segment)


def _transcript(minutes: int) -> list[Segment]:
    """Segments of ten words, the last of which ends a sentence."""
    pace = 60.0 / WORDS_PER_MINUTE
    found = []
    for first in range(0, minutes * WORDS_PER_MINUTE, 10):
        words = tuple(
            Word(text="word." if n % 10 == 9 else "word", start=n * pace, end=(n + 0.9) * pace)
            for n in range(first, first + 10)
        )
        text = "".join(f" {word.text}" for word in words)
        found.append(Segment(text=text, start=words[0].start, end=words[-1].end, words=words))
    return found


if __name__ == "__main__":
    main()
