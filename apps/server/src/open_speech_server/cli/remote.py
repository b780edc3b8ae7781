"""Answers from a server, over HTTP."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import httpx

from open_speech import Segment, Word

from .client import (
    Heard,
    Hearing,
    Listening,
    ModelEntry,
    OnLive,
    OnText,
    OnWord,
    ProviderEntry,
    SpeechOptions,
    VoiceEntry,
)
from .connect import Server, trust
from .console import ProgressLine, note
from .exits import FAILED, UNAVAILABLE, Failure

# How long a model may take is for the server to decide, and Ctrl-C ends a wait as well.
TIMEOUT = httpx.Timeout(10.0, read=None, write=60.0)
POLL_S = 0.25
"""Between two questions to a server that is at work."""
_BYTES = ("bytes_done", "bytes_total", "bytes_per_second")
_LATER = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses after which trying again may help."""


class RemoteClient:
    """Asks a server. One thread only."""

    def __init__(
        self, server: Server, progress: ProgressLine, *, timeout: httpx.Timeout = TIMEOUT
    ) -> None:
        assert server.url
        self._server = server
        self._url = server.url
        self._progress = progress
        headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
        self._http = httpx.Client(
            base_url=server.url, headers=headers, timeout=timeout, verify=trust(server)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def speak(
        self, asked: SpeechOptions, on_word: OnWord | None = None
    ) -> Generator[bytes, None, None]:
        """See ``Client``."""
        body = {
            "input": asked.text,
            "model": asked.model,
            "voice": asked.voice,
            "response_format": asked.format,
            "speed": asked.speed,
            "language": asked.language,
            "timestamps": on_word is not None or None,
        }
        given = {name: value for name, value in body.items() if value is not None}
        with self._asked("POST", "/v1/audio/speech", json=given) as answer:
            if on_word is None:
                yield from answer.iter_bytes()
                return
            for line in answer.iter_lines():
                piece = json.loads(line)
                for told in piece["timestamps"]:
                    on_word(_word(told))
                yield base64.b64decode(piece["audio"])

    def transcribe(self, recording: BinaryIO, asked: Hearing, on_text: OnText) -> Heard:
        """See ``Client``."""
        fields: dict[str, Any] = {
            "model": asked.model,
            "language": asked.language,
            "prompt": asked.prompt,
            **({"response_format": asked.subtitles or "verbose_json"} if asked.times else _STREAM),
        }
        if asked.diarize:
            fields["diarize"] = "true"
        if asked.words:
            fields["timestamp_granularities[]"] = ["word", "segment"]
        given = {name: value for name, value in fields.items() if value is not None}
        self._progress.show(f"asking {self._url}")
        with self._asked(
            "POST", "/v1/audio/transcriptions", data=given, files={"file": recording}
        ) as answer:
            if not asked.times:
                return _told(_events(answer), on_text)
            answer.read()
            if asked.subtitles:
                return _written(answer.text)
            heard = _verbose(answer.json())
        for segment in heard.segments:
            on_text(segment.text)
        return heard

    def listen(self, sound: Iterator[bytes], asked: Listening, on_text: OnLive) -> None:
        """See ``Client``."""
        from .remote_live import listen

        listen(self._server, sound, asked, on_text)

    def models(self) -> list[ModelEntry]:
        """See ``Client``."""
        return [ModelEntry.of(each) for each in self._get("/api/models")["models"]]

    def model(self, name: str) -> ModelEntry:
        """See ``Client``."""
        models = self.models()
        for entry in models:
            if name == entry.id or name in (entry.aliases or ()):
                return entry
        # Of a family that the list cannot hold, or a name for a default: the server knows.
        found = self._get(f"/v1/models/{name}")
        kind = "stt" if found.get("task") == "automatic-speech-recognition" else "tts"
        provider = str(found.get("owned_by", "")).partition("/")[2] or None
        languages = found.get("language") or []
        return ModelEntry(
            id=found["id"],
            type=kind,
            state="available",
            provider=provider,
            languages=languages,
            license=found.get("license"),
        )

    def pull(self, name: str, *, accept_license: bool = False) -> ModelEntry:
        """See ``Client``; Ctrl-C has the server stop."""
        how: dict[str, object] = {"accept_license": True} if accept_license else {}
        return self._begun(name, "download", how, "downloaded")

    def load(self, name: str, how: dict[str, object]) -> ModelEntry:
        """Have a model loaded; what may be said of it is what the server takes."""
        return self._begun(name, "load", how, "loaded")

    def unload(self, name: str) -> None:
        """Have a model unloaded."""
        self._send("DELETE", _path(name))

    def update(self, name: str) -> tuple[ModelEntry, bool]:
        """See ``Client``; Ctrl-C has the server stop."""
        path = _path(name)
        # Its answer says whether anything moved, and it comes at the end: others tell meanwhile.
        with ThreadPoolExecutor(1) as pool, self._stoppable(path):
            asked = pool.submit(self._send, "POST", f"{path}/update")
            while not wait([asked], POLL_S).done:
                self._tell(name, self._get(f"{path}/status"))
        found = asked.result()
        return ModelEntry.of(found), bool(found["updated"])

    def remove(self, name: str) -> None:
        """See ``Client``."""
        self._send("DELETE", f"{_path(name)}/cache")

    def _begun(self, name: str, verb: str, how: dict[str, object], wanted: str) -> ModelEntry:
        """Have the server begin something, and show how far it is until it is done."""
        path = _path(name)
        found = self._send("POST", f"{path}/{verb}?wait=false", how)
        with self._stoppable(path):
            while found["busy"]:
                self._tell(name, found)
                time.sleep(POLL_S)
                found = self._get(f"{path}/status")
        if found["state"] not in (wanted, "loaded"):
            raise Failure(found["error"] or f"{name} is {found['state']}; somebody stopped it.")
        return ModelEntry.of(found)

    def _tell(self, name: str, found: dict[str, Any]) -> None:
        """Show what the server is doing with a model."""
        if news := found["download"]:
            self._progress.bytes(name, *(news[field] for field in _BYTES))
        else:
            self._progress.show(f"{name}: {found['state']}")

    @contextmanager
    def _stoppable(self, path: str) -> Iterator[None]:
        """Have Ctrl-C stop what the server does with the model of a path."""
        try:
            yield
        except KeyboardInterrupt:
            self._progress.clear()
            self._send("POST", f"{path}/cancel")
            note("Stopped. Partial files are kept; run the same command again to resume.")
            raise
        finally:
            self._progress.clear()

    def _send(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        options = {"json": body} if body is not None else {}
        with self._asked(method, path, **options) as answer:
            answer.read()
            return answer.json()

    def voices(self, model: str | None) -> list[VoiceEntry]:
        """See ``Client``."""
        found = self._get("/v1/audio/voices", {"model": model} if model else {})
        return [VoiceEntry.of(each) for each in found["voices"]]

    def providers(self) -> list[ProviderEntry]:
        """See ``Client``."""
        return _providers(self._get("/api/providers"))

    def rescan(self) -> list[ProviderEntry]:
        """Have the server find out what is installed now."""
        with self._asked("POST", "/api/providers/rescan") as answer:
            answer.read()
            return _providers(answer.json())

    def health(self) -> dict[str, Any]:
        """What the server says of itself; empty if it is no Open Speech."""
        try:
            found = self._get("/health")
        except ValueError:  # no JSON
            return {}
        ours = isinstance(found, dict) and "status" in found and "version" in found
        return found if ours else {}

    def _get(self, path: str, params: dict[str, str] | None = None) -> Any:
        with self._asked("GET", path, params=params) as answer:
            answer.read()
            return answer.json()

    @contextmanager
    def _asked(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """A successful answer, its body not read yet; everything else is a Failure."""
        try:
            with self._http.stream(method, path, **options) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _refused(answer)
                yield answer
        except httpx.InvalidURL as error:
            raise Failure(f"{self._url} is no address: {error}.") from error
        except httpx.RemoteProtocolError as error:
            broke = f"The server at {self._url} broke off in the middle of its answer."
            raise Failure(f"{broke} Its log says why.") from error
        except httpx.ConnectError as error:
            raise self._unreachable(error) from error
        except httpx.TimeoutException as error:
            raise Failure(
                f"The server at {self._url} does not answer. Try again later.", UNAVAILABLE
            ) from error
        except httpx.TransportError as error:
            said = str(error) or type(error).__name__
            raise Failure(f"The server at {self._url}: {said}.", UNAVAILABLE) from error

    def _unreachable(self, error: httpx.ConnectError) -> Failure:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return Failure(
                f"The certificate of {self._url} is not one that this machine trusts. Give "
                "--insecure (or set OPEN_SPEECH_INSECURE=1) if you trust it."
            )
        if "WRONG_VERSION_NUMBER" in str(error) or "RECORD_LAYER" in str(error):
            return Failure(f"{self._url} does not speak HTTPS. Try it with http://.")
        return Failure(
            f"No server answers at {self._url}. Start it, or unset OPEN_SPEECH_URL to work "
            "without one.",
            UNAVAILABLE,
        )


_STREAM = {"stream": "true"}


def _path(name: str) -> str:
    return f"/api/models/{quote(name, safe='/:@')}"


def _refused(answer: httpx.Response) -> Failure:
    status = UNAVAILABLE if answer.status_code in _LATER else FAILED
    try:
        message = str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = f"{answer.url} answers {answer.status_code} {answer.reason_phrase}."
    if answer.status_code == 401:
        message += " The command sends OPEN_SPEECH_API_KEY."
    if after := answer.headers.get("Retry-After"):
        message += f" Try again in {after} s."
    return Failure(message, status)


def _events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """Server-sent events of one line each."""
    for line in answer.iter_lines():
        if line.startswith("data:"):
            text = line.removeprefix("data:").strip()
            if text != "[DONE]":
                yield json.loads(text)


def _told(events: Iterator[dict[str, Any]], on_text: OnText) -> Heard:
    text, duration = "", 0.0
    for event in events:
        match event["type"]:
            case "transcript.text.delta":
                on_text(event["delta"].strip())
            case "transcript.text.done":
                text = event["text"]
                duration = float(event.get("usage", {}).get("seconds", 0.0))
            case "error":
                raise Failure(event["error"]["message"])
    return Heard(text=text, language="unknown", duration=duration, segments=(), words=())


def _written(subtitles: str) -> Heard:
    return Heard(
        text="", language="unknown", duration=0.0, segments=(), words=(), subtitles=subtitles
    )


def _verbose(found: dict[str, Any]) -> Heard:
    return Heard(
        text=found["text"],
        language=found["language"],
        duration=found["duration"],
        segments=tuple(
            Segment(
                text=each["text"],
                start=each["start"],
                end=each["end"],
                speaker=each.get("speaker"),
            )
            for each in found.get("segments", ())
        ),
        words=tuple(
            Word(text=each["word"], start=each["start"], end=each["end"])
            for each in found.get("words", ())
        ),
    )


def _providers(found: dict[str, Any]) -> list[ProviderEntry]:
    return [
        ProviderEntry.of({**each, "models": sum(b["models"] for b in each["backends"])})
        for each in found["providers"]
    ]


def _word(told: dict[str, Any]) -> Word:
    span = (told["text_start"], told["text_end"]) if "text_start" in told else None
    return Word(text=told["word"], start=told["start_time"], end=told["end_time"], span=span)
