"""Live sessions at the pace of their sound: how soon the text is there, and what one costs.

Each stream plays the same recordings with pauses between them through ``WS /v1/audio/stream``, 1, 4
and 10 at a time, a little apart. Measured are, for each utterance, the time from the end of its
speech to its final text (the endpointing silence included), the first interim text, how far the
last text lags behind, and how often a decoding takes alone. Then the cost of voice activity for a
frame, the memory of a session in which nobody speaks, and text to sound.

    nox -s bench -- live [--model NAME|FOLDER] [--streams 1 4 10] [--endpointing 300]
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from _measure import EMBEDDED, Figures, own_megabytes, percentile, server, spoken
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from open_speech import Audio, DetectionRequest, LoadContext, VADModel
from open_speech.codecs.decode import decode
from open_speech.testing import join, silence

RATE = 16_000
CHUNK_S = 0.04
PAUSE_S = 1.5
UTTERANCES = 4
LONG_S = 2.5
"""Speech of each utterance."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=EMBEDDED["STT_MODEL"])
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 4, 10])
    parser.add_argument("--endpointing", type=int, default=300)
    asked = parser.parse_args()
    variables = {**EMBEDDED, "OS_STREAM_MAX_CONNECTIONS": "200"}
    if Path(asked.model).is_dir():
        variables |= {"STT_MODEL": "local/bench", "OS_LOCAL_MODELS": f"local/bench={asked.model}"}
    else:
        variables["STT_MODEL"] = asked.model
    title = f"Live sessions: {asked.model}, endpointing {asked.endpointing} ms"
    figures = Figures(title, ("Measured", "Unit", "Value"))
    with server(variables) as started:
        sound = _sound(spoken(started, UTTERANCES * LONG_S))
        address = f"ws://127.0.0.1:{started.port}"
        query = f"?sample_rate={RATE}&endpointing={asked.endpointing}"
        _play(f"{address}/v1/audio/stream{query}", sound)  # loads what is not loaded
        alone = _decoding(started, sound)
        figures.add("a decoding alone", "ms", alone * 1000)
        for streams in asked.streams:
            found = _together(f"{address}/v1/audio/stream{query}", sound, streams)
            waits = [wait for each in found for wait in each.waits]
            firsts = [first for each in found for first in each.firsts]
            name = f"{streams} streams" if streams > 1 else "1 stream"
            figures.add(f"{name}: end of speech to text, median", "ms", _ms(waits, 50))
            figures.add(f"{name}: end of speech to text, 95 %", "ms", _ms(waits, 95))
            figures.add(f"{name}: begin of speech to first text, median", "ms", _ms(firsts, 50))
            missing = len(found) * UTTERANCES - len(waits)
            figures.add(f"{name}: utterances without text", "", missing)
            late = max(each.late for each in found)
            figures.add(f"{name}: last text after the sound", "ms", late * 1000)
        figures.add("memory of an idle session", "kB", _idle(started, f"{address}/v1/audio/stream"))
    figures.add("voice activity, a frame of 32 ms", "ms", _frame_ms())
    figures.show()


class Played:
    """What came of one stream."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.firsts: list[float] = []
        self.late = math.inf
        """Seconds from the end of the sound to the last text."""


def _sound(speech: bytes) -> list[Audio]:
    whole = decode(speech, sample_rate=RATE)
    size = round(LONG_S * RATE)
    return [
        Audio(samples=whole.samples[first : first + size], sample_rate=RATE)
        for first in range(0, size * UTTERANCES, size)
    ]


def _play(address: str, sound: list[Audio], delay_s: float = 0.0) -> Played:
    """Play the utterances in real time; note when each text comes."""
    pause = silence(PAUSE_S)
    whole = join(*(part for each in sound for part in (each, pause)))
    ends, position = [], 0.0
    for each in sound:
        loud = np.flatnonzero(np.abs(each.samples) > 0.02)
        ends.append((position + int(loud[0]) / RATE, position + int(loud[-1]) / RATE))
        position += each.seconds + PAUSE_S
    data = (whole.samples * 32767).astype("<i2").tobytes()
    step = 2 * round(CHUNK_S * RATE)
    played = Played()
    time.sleep(delay_s)
    with connect(address, proxy=None) as socket:
        socket.recv(60)
        began = time.monotonic()

        def send() -> None:
            for number, first in enumerate(range(0, len(data), step)):
                time.sleep(max(began + (number + 1) * CHUNK_S - time.monotonic(), 0.0))
                socket.send(data[first : first + step])
            socket.send('{"type": "stop"}')

        sending = threading.Thread(target=send)
        sending.start()
        heard: set[int] = set()
        try:
            while True:
                event = json.loads(socket.recv(120))
                now = time.monotonic() - began
                if event["type"] != "transcript":
                    continue
                middle = (event["start"] + event["end"]) / 2
                which = min(range(len(ends)), key=lambda each: abs(sum(ends[each]) / 2 - middle))
                if event["speech_final"]:
                    played.waits.append(now - ends[which][1])
                    played.late = now - len(data) / 2 / RATE
                elif which not in heard:
                    heard.add(which)
                    played.firsts.append(now - ends[which][0])
        except ConnectionClosed:
            sending.join()
    return played


def _together(address: str, sound: list[Audio], streams: int) -> list[Played]:
    """Play on several sockets, each begun a little after the one before."""
    found: list[Played] = []
    threads = [
        threading.Thread(target=lambda i=i: found.append(_play(address, sound, i * 0.37)))
        for i in range(streams)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _decoding(started: Any, sound: list[Audio]) -> float:
    """Seconds that one utterance takes over HTTP, with nothing else to do."""
    from _measure import form, post, wav_file

    file = wav_file((sound[0].samples * 32767).astype("<i2").tobytes(), RATE)
    body, headers = form(file, response_format="text")
    times = []
    for _ in range(5):
        began = time.perf_counter()
        post(started.connect(), "/v1/audio/transcriptions", body, headers)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _idle(started: Any, address: str, count: int = 50) -> float:
    """What a session in which nobody speaks takes in the server, in kB."""
    import psutil

    def everything() -> float:
        workers = psutil.Process(started.process.pid).children(recursive=True)
        return sum(own_megabytes(pid) for pid in (started.process.pid, *(w.pid for w in workers)))

    quiet = bytes(2 * round(0.1 * RATE))
    found: list[float] = []
    with ExitStack() as stack:
        # The second half is what counts: the first also gives back what the streams before took.
        for _ in range(2):
            sockets = [stack.enter_context(connect(address, proxy=None)) for _ in range(count)]
            for _ in range(20):
                for socket in sockets:
                    socket.send(quiet)
                time.sleep(0.05)
            found.append(everything())
    return (found[1] - found[0]) / count * 1000


def _frame_ms() -> float:
    """What a frame takes by itself, in this process."""
    from open_speech_provider_silero import SileroBackend

    backend = SileroBackend()
    model = backend.load(backend.list_available()[0], LoadContext())
    assert isinstance(model, VADModel)
    noise = np.random.default_rng(0).normal(0, 0.1, (500, 512)).astype(np.float32)

    def frames() -> Iterator[Audio]:
        for frame in noise:
            yield Audio(samples=frame, sample_rate=RATE)

    began = time.perf_counter()
    count = sum(1 for _ in model.detect(DetectionRequest(), frames()))
    return (time.perf_counter() - began) / count * 1000


def _ms(seconds: list[float], share: int) -> float:
    return percentile(seconds, share) * 1000 if seconds else math.nan


if __name__ == "__main__":
    main()
