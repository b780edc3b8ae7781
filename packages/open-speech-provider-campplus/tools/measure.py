"""Measure this provider on a recording: how right it is, how fast, and in how much memory.

    pip install open-speech-provider-campplus open-speech-provider-silero pyannote.metrics
    python tools/measure.py recording.wav turns.rttm

The recording is a wav file at 16 kHz with 16 bits, mono; the turns are the true ones, as RTTM.
Silero finds where somebody speaks, as the server has it do. The error rate is that of
pyannote.metrics, once with a collar of 0.25 s on both sides of each true boundary and once without;
overlaps count. Speed is told in seconds of one processor core for each second of sound.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from open_speech import (
    Audio,
    DiarizationRequest,
    LoadContext,
    OpenSpeech,
    Portal,
    SpeakerTurn,
)
from open_speech.testing import read_wav
from open_speech_provider_campplus import CampplusBackend


def main(sound: Path, truth: Path) -> None:
    """Print a line for each figure."""
    audio = read_wav(sound)
    with Portal() as portal, portal.enter(OpenSpeech()) as speech:
        found = portal.run(speech.find_speech(audio, model="silero"))
    spans = tuple((span.start, span.end) for span in found)
    campplus = CampplusBackend()
    model = campplus.load(campplus.list_available()[0], LoadContext())
    before, began = _resident(), time.process_time()
    request = DiarizationRequest(speech=spans)
    turns = [turn for turn in model.diarize(request, _pieces(audio)) if turn]
    spent = time.process_time() - began
    _say(f"{audio.seconds:.0f} s of sound, {spent / audio.seconds:.3f} s of a core for each")
    _say(f"most memory {_resident():.0f} MB, {_resident() - before:.0f} MB more than before")
    expected, heard = _true(truth), _annotated(turns)
    whole = Timeline([Segment(0.0, audio.seconds)])
    for collar in (0.25, 0.0):
        rate = DiarizationErrorRate(collar=2 * collar)
        parts = rate(expected, heard, detailed=True, uem=whole)
        told = {name: round(float(part), 3) for name, part in parts.items()}
        _say(f"collar {collar} s: {told}")
    _say(f"{len(heard.labels())} speakers found, {len(expected.labels())} are there")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _pieces(audio: Audio) -> Iterator[Audio]:
    for first in range(0, len(audio.samples), audio.sample_rate):
        samples = audio.samples[first : first + audio.sample_rate]
        yield Audio(samples=samples, sample_rate=audio.sample_rate)


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _true(path: Path) -> Annotation:
    found = Annotation()
    for number, line in enumerate(path.read_text().splitlines()):
        start, length, speaker = (line.split()[place] for place in (3, 4, 7))
        found[Segment(float(start), float(start) + float(length)), number] = speaker
    return found


def _annotated(turns: list[SpeakerTurn]) -> Annotation:
    found = Annotation()
    for number, turn in enumerate(turns):
        found[Segment(turn.start, turn.end), number] = str(turn.speaker)
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
