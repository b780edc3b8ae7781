"""A server and its workers with different releases of core work with what both know."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import energy
from energy import ENERGY, EnergyRequest
from open_speech import (
    AlignmentRequest,
    Audio,
    Config,
    OpenSpeech,
    Partial,
    Segment,
    SpeechRequest,
    TranscriptionRequest,
)
from open_speech._hosts import WorkerOptions
from open_speech._operations import ALIGN, TRANSCRIBE
from open_speech._plugins.registry import ProviderEnvironment
from open_speech.errors import UnsupportedCapability
from open_speech.testing import sine
from open_speech.testing.install import install_provider
from releases import EARLIER, LATER, make_release, site_of

pytestmark = pytest.mark.timeout(600)

MIME = """
import dataclasses
from open_speech import Capability, Segment, hookimpl
from open_speech._types import transcription
from open_speech._types.models import Kind
from open_speech.testing.tone import EchoBackend, EchoModel, ToneBackend

MORE = {getattr(Capability, "MOOD", Capability.ALIGNMENT)}

class MimeModel(EchoModel):
    def hum(self, request):
        yield from self.transcribe(request)
    def transcribe(self, request):
        yield from super().transcribe(request)
        if hasattr(transcription, "Applause"):
            yield transcription.Applause(claps=3)
        known = sorted(field.name for field in dataclasses.fields(request))
        end = request.audio.seconds
        yield Segment(text=" ".join(known), start=end, end=end)

class MimeBackend(EchoBackend):
    name = "mime"
    def list_available(self):
        return [dataclasses.replace(each, id="mime/echo", capabilities=each.capabilities | MORE)
                for each in super().list_available() if each.id == "tone/echo"]
    def load(self, model, context):
        return MimeModel(model)

class SpeakingBackend(ToneBackend):
    name = "mime-tone"
    patterns = ()
    def list_available(self):
        return [dataclasses.replace(each, id="mime/sine", aliases=())
                for each in super().list_available() if each.id == "tone/sine"]

class HummingBackend(EchoBackend):
    name = "mime-hum"
    kind = getattr(Kind, "HUM", Kind.STT)
    def list_available(self):
        return [dataclasses.replace(each, id="mime/hum", kind=self.kind)
                for each in super().list_available() if each.id == "tone/echo"]

@hookimpl
def open_speech_backends():
    return [MimeBackend(), SpeakingBackend(), HummingBackend()]
"""
OTHERS = {"later": ("0.9.0", LATER), "earlier": ("0.0.9", EARLIER)}
Open = Callable[[], AbstractAsyncContextManager[OpenSpeech]]


@pytest.fixture(scope="module", params=OTHERS)
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of another release."""
    return str(request.param)


@pytest.fixture(scope="module")
def python(release: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the other release, and providers."""
    python = make_release(tmp_path_factory.mktemp(release) / "env", *OTHERS[release])
    install_provider(site_of(python), "mime", MIME)
    install_provider(site_of(python), "energy", Path(energy.__file__).read_text())
    return python


@pytest.fixture
def opened(python: Path) -> Open:
    """This release with workers of the other one."""

    @asynccontextmanager
    async def open_() -> AsyncIterator[OpenSpeech]:
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        options = WorkerOptions(python=python, environment=clean)
        environment = ProviderEnvironment(name="other", options=options)
        config = Config(providers=(), environments=lambda: [environment])
        async with OpenSpeech(config) as speech:
            yield speech

    return open_


async def test_both_do_what_both_know(opened: Open, release: str) -> None:
    async with opened() as speech:
        request = TranscriptionRequest(partials=True, word_timestamps=True)
        events = [
            event async for event in speech.transcribe_stream(sine(2.0), request, model="mime/echo")
        ]
        spoken = [
            audio.seconds
            async for audio in speech.synthesize(
                SpeechRequest(text="Hi", voice=""), model="mime/sine"
            )
        ]
        (host,) = [each.host for each in speech.manager.instances if each.key.backend == "mime"]
        assert host is not None
        assert host.versions["open-speech-core"] == OTHERS[release][0]
        does = {"later": ("transcribe", "align", "hum"), "earlier": ("transcribe",)}
        assert host.operations == does[release]
    *_, last = segments = [event for event in events if isinstance(event, Segment)]
    assert [segment.end for segment in segments] == [1.0, 2.0, 2.0]
    assert segments[0].words
    assert any(isinstance(event, Partial) for event in events)
    known = set(last.text.split())
    assert known >= {"audio", "language", "partials"}
    assert ("mood" in known, "grammar" in known) == (release == "later", release == "later")
    assert spoken


async def test_an_operation_that_the_worker_lacks_is_an_error_before_the_call(
    opened: Open, release: str
) -> None:
    async with opened() as speech, speech.manager.lease("mime/echo") as lease:
        assert lease.instance.host is not None
        pid = lease.instance.host.pid
        aligning = lease.run(ALIGN, AlignmentRequest(audio=sine(1.0), text="one two"))
        if release == "later":
            assert [event async for event in aligning]
        else:
            with pytest.raises(UnsupportedCapability, match=r"does not do 'align'.* 0\.0\.9"):
                await anext(aligning)
        events = lease.run(TRANSCRIBE, TranscriptionRequest(audio=sine(1.0)))
        assert [event async for event in events]
        assert lease.instance.host.pid == pid


async def test_a_kind_that_is_not_known_here_is_left_out(opened: Open, release: str) -> None:
    async with opened() as speech:
        (provider,) = (each for each in speech.registry.providers if each.name == "mime")
        assert not provider.broken
        names = [backend.name for backend in provider.manifest.backends]
    assert names == ["mime", "mime-tone", *(["mime-hum"] if release == "earlier" else [])]


async def test_an_operation_of_somebody_elses_is_fed_there(opened: Open) -> None:
    async def sounds() -> AsyncIterator[Audio]:
        for _ in range(100):
            yield sine(0.01)

    async with opened() as speech, asyncio.timeout(120):
        running = speech.run(ENERGY, EnergyRequest(), model="energy/meter", fed=sounds())
        events = [event async for event in running]
    assert len(events) == 100
    assert events[-1].seconds == pytest.approx(1.0)


SERVER = """
import asyncio, json, sys
from pathlib import Path
from open_speech import Config, OpenSpeech, SpeechRequest, TranscriptionRequest, AlignmentRequest
from open_speech import _operations as operations
from open_speech.errors import OpenSpeechError
from open_speech._hosts import WorkerOptions
from open_speech.testing import sine

async def main():
    workers = WorkerOptions(python=Path(sys.argv[1]))
    said = {}
    async with OpenSpeech(Config(workers=workers, providers=["mime"])) as speech:
        request = TranscriptionRequest(partials=True)
        events = [e async for e in speech.transcribe_stream(sine(2.0), request, model="mime/echo")]
        said["events"] = [type(e).__name__ for e in events]
        said["known"] = events[-1].text.split()
        async with speech.manager.lease("mime/echo") as lease:
            said["versions"] = lease.instance.host.versions
            pid = lease.instance.host.pid
            hum = getattr(operations, "HUM", None)
            try:
                if hum:
                    await anext(lease.run(hum, TranscriptionRequest(audio=sine(1.0))))
            except OpenSpeechError as error:
                said["hum"] = [type(error).__name__, error.message]
            align = AlignmentRequest(audio=sine(1.0), text="one two")
            said["aligned"] = [type(e).__name__
                               async for e in lease.run(operations.ALIGN, align)]
            said["same"] = pid == lease.instance.host.pid
        speaking = speech.synthesize(SpeechRequest(text="Hi", voice=""), model="mime/sine")
        said["spoken"] = len([audio async for audio in speaking])
    print(json.dumps(said))

asyncio.run(main())
"""


def test_a_server_of_the_other_release_works_with_our_workers(
    python: Path, release: str, tmp_path: Path
) -> None:
    install_provider(tmp_path / "site", "mime", MIME)
    path = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    command = [str(python), str(script), sys.executable]
    done = subprocess.run(
        command, env=path, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["same"]
    assert said["spoken"]
    assert said["versions"]["open-speech-core"] not in (OTHERS[release][0], None)
    partial = ["Partial"] if release == "later" else []
    assert said["events"] == ["DetectedLanguage", *([*partial, "Segment"] * 2), "Segment"]
    assert "grammar" in said["known"]
    assert "mood" not in said["known"]
    assert said["aligned"] == ["Segment"]
    if release == "later":
        kind, message = said["hum"]
        assert kind == "UnsupportedCapability"
        assert "does not do 'hum'" in message
