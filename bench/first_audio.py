"""How soon a text of ten sentences is heard: time to the first byte of sound.

The limit is the engine itself speaking the first sentence, in this process. Turn by turn with it,
the server is asked for the whole text in each format. Containers send a header before any sound:
what counts is the first byte behind it.

    nox -s bench -- first_audio [--rounds 15]
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from _measure import EMBEDDED, TONE, Figures, loaded, percentile, server, timed

from open_speech import SpeechRequest, TTSModel
from open_speech.testing.install import install_provider
from open_speech.text.sentences import split_sentences
from open_speech.voices.resolve import resolve_voice

TEXT = " ".join(
    f"This is sentence number {number}, and it is neither very short nor very long."
    for number in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
)
HEADERS = {"pcm": 0, "wav": 44, "mp3": 0}
"""Bytes of each format before the sound; an mp3's frames carry it from the first on."""
AIM_MS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        install_provider(Path(folder), "tone", "open_speech.testing.tone")
        sys.path.insert(0, folder)
        for model in ("tone/sine", EMBEDDED["TTS_MODEL"]):
            _compare(model, rounds)


def _compare(model: str, rounds: int) -> None:
    sentence = split_sentences(TEXT, "en")[0].text
    with loaded(model) as (info, bare), server({**TONE, "TTS_MODEL": model}) as started:
        assert isinstance(bare, TTSModel)
        asked = SpeechRequest(text=sentence, voice=resolve_voice(info, "", None))
        ways: dict[str, Callable[[], object]] = {
            "bare engine, first chunk": partial(_first_stretch, bare, asked),
            "bare engine, first sentence": partial(_whole, bare, asked),
        }
        for audio_format in HEADERS:
            connection = started.connect()
            ways[f"server, {audio_format}"] = partial(_first_byte, connection, model, audio_format)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(rounds + 2):
            for name, ask in ways.items():
                taken = timed(ask)
                if "server" in name:
                    connection = ask.args[0]  # type: ignore[attr-defined]
                    connection.close()  # nobody waits for the other nine
                    connection.connect()
                if number >= 2:
                    times[name].append(taken)
    columns = ("what", "best", "median", "added, best", "added, median", "aim")
    table = Figures(f"First sound of ten sentences from {model}, ms", columns)
    limit = times["bare engine, first sentence"]
    for name, values in times.items():
        best, median = min(values), percentile(values, 50)
        cells: tuple[str, ...] = ("", "", "")
        if "server" in name:
            later = median - percentile(limit, 50)
            cells = (f"{best - min(limit):.2f}", f"{later:.2f}", str(AIM_MS))
        table.add(name, f"{best:.2f}", f"{median:.2f}", *cells)
    table.show()


def _first_stretch(model: TTSModel, asked: SpeechRequest) -> None:
    next(iter(model.synthesize(asked)))


def _whole(model: TTSModel, asked: SpeechRequest) -> None:
    for _ in model.synthesize(asked):
        pass


def _first_byte(connection: http.client.HTTPConnection, model: str, audio_format: str) -> None:
    body = json.dumps({"model": model, "input": TEXT, "response_format": audio_format})
    connection.request("POST", "/v1/audio/speech", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {answer.read()[:500]!r}")
    answer.read(HEADERS[audio_format] + 1)


if __name__ == "__main__":
    main()
