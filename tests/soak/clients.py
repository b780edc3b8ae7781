"""What honest clients of the soak do, over and over, and the answers that they must get."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import eq

import httpx
import numpy as np
import openai
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

from open_speech.codecs.decode import decode

TEXT = "The weather is fine today, and the bus is late."
MOST_VARIED = 0.3
RETRIED = {429, 503}
"""Answers that say: later."""
Ask = Callable[[], str]
Same = Callable[[str, str], bool]


@dataclass
class Tally:
    """What came of one kind of request."""

    right: int = 0
    later: int = 0
    """Refused for the moment, or cut by a fault."""
    wrong: list[str] = field(default_factory=list)
    took_s: list[tuple[float, float]] = field(default_factory=list)
    """When, and how long, of those that were right."""


class Client(threading.Thread):
    """Asks until it is told to stop; every answer must be the first one."""

    def __init__(
        self, name: str, ask: Ask, known: str, stop: threading.Event, same: Same = eq
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.tally = Tally()
        self._ask = ask
        self._known = known
        self._stop_asked = stop
        self._same = same

    def run(self) -> None:
        """Ask."""
        while not self._stop_asked.is_set():
            began = time.monotonic()
            try:
                answer = self._ask()
            except (openai.APIStatusError, httpx.HTTPStatusError) as error:
                self._refused(error.response.status_code, error.response.text)
            except (openai.APIConnectionError, httpx.HTTPError, OSError, WebSocketException):
                self.tally.later += 1
            else:
                self._answered(answer, began)

    def _refused(self, status: int, text: str) -> None:
        if status in RETRIED:
            self.tally.later += 1
            self._stop_asked.wait(0.2)
        else:
            self.tally.wrong.append(f"{status}: {text[:200]}")

    def _answered(self, answer: str, began: float) -> None:
        if self._same(answer, self._known):
            self.tally.right += 1
            self.tally.took_s.append((began, time.monotonic() - began))
        else:
            self.tally.wrong.append(f"{answer[:200]!r} instead of {self._known[:200]!r}")


def transcribing(address: str, model: str, recording: bytes) -> Ask:
    """OpenAI's client hears a recording."""
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=120)

    def ask() -> str:
        file = ("a.wav", recording)
        return client.audio.transcriptions.create(file=file, model=model).text

    return ask


def speaking(address: str, model: str, audio_format: str) -> Ask:
    """OpenAI's client has a text spoken; the answer is how long it is, to a tenth of a second."""
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=120)

    def ask() -> str:
        sound = client.audio.speech.create(
            input=TEXT,
            model=model,
            voice="default",
            response_format=audio_format,  # type: ignore[arg-type]
        ).content
        audio = decode(sound, sample_rate=16_000)
        loud = float(np.abs(audio.samples).max()) > 0.05
        return f"{audio.seconds:.1f} s, {'sound' if loud else 'silence'}"

    return ask


def about_as_long(answer: str, known: str) -> bool:
    """Whether two answers of ``speaking`` differ as much as chance lets a voice vary."""
    (one, what), (other, known_what) = answer.split(" s, "), known.split(" s, ")
    return what == known_what and abs(float(one) / float(other) - 1) < MOST_VARIED


def listening(address: str, model: str, recording: bytes) -> Ask:
    """A live session, faster than life."""
    samples = decode(recording, sample_rate=16_000).samples
    pcm = (samples * 32767).astype("<i2").tobytes()
    url = address.replace("http", "ws") + f"/v1/audio/stream?model={model}"

    def ask() -> str:
        with connect(url, proxy=None, open_timeout=120) as socket:
            for first in range(0, len(pcm), 6_400):
                socket.send(pcm[first : first + 6_400])
            socket.send('{"type": "stop"}')
            return _heard(socket)

    return ask


def _heard(socket: object) -> str:
    texts: list[str] = []
    receive = socket.recv  # type: ignore[attr-defined]
    try:
        while True:
            event = json.loads(receive(120))
            if event["type"] == "error":
                raise ConnectionError(event["message"])
            if event["type"] == "transcript" and event["is_final"]:
                texts.append(event["text"])
            if event["type"] == "session.end":
                if event.get("errors"):
                    raise ConnectionError("the session had errors")
                return " ".join(texts)
    except ConnectionClosed as error:
        raise ConnectionError("the session was cut") from error


def listing(address: str) -> Ask:
    """A client that looks which models there are."""
    client = httpx.Client(base_url=address, timeout=120)

    def ask() -> str:
        answer = client.get("/v1/models")
        answer.raise_for_status()
        time.sleep(0.5)
        return str(len(answer.json()["data"]))

    return ask
