"""What the routes share: the speech service, the settings, and how far the start has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import chain, repeat
from socket import socket
from typing import TYPE_CHECKING, Any

from starlette.requests import HTTPConnection

from open_speech import OpenSpeech
from open_speech.errors import InvalidRequest, OpenSpeechError
from open_speech.text.pronunciations import Pronunciations
from open_speech.voices.library import VoiceLibrary

from .api.live.sessions import LiveSessions
from .api.models.model_list import ModelList
from .settings.core_config import (
    environment_store,
    presets,
    pronunciations,
    voice_library,
    weight_store,
)
from .settings.presets import Preset
from .settings.settings import Settings

if TYPE_CHECKING:
    from .wyoming import WyomingServer

_log = logging.getLogger(__name__)


@dataclass
class ServerState:
    """Made once per application."""

    settings: Settings
    speech: OpenSpeech
    wyoming: Sequence[socket] = ()
    """Where Home Assistant's protocol is served, if it is."""
    scanned: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the providers are known; requests wait for it, health does not."""
    draining: bool = False
    """Set at the first signal to stop: readiness fails, and no new work is taken."""
    prepared: set[str] = field(default_factory=set)
    """Configured models that have been loaded."""
    preload_errors: dict[str, str] = field(default_factory=dict)
    """Why others could not be, by name."""

    presets: Mapping[str, Preset] = field(init=False)
    """Voices with their settings, by name."""
    models: ModelList = field(init=False)
    """All of them, as the routes tell."""
    pronunciations: Pronunciations | None = field(init=False)
    """How certain words are to be spoken."""
    live: LiveSessions = field(init=False)
    """The live sessions that are open."""
    _wyoming: WyomingServer | None = None
    _listeners: list[Callable[[], None]] = field(default_factory=list)
    _preparing: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.models = ModelList(self.speech, self.settings)
        self.live = LiveSessions(
            self.settings.os_stream_max_connections, self.settings.os_stream_max_per_client
        )
        self.presets = presets(self.settings)
        self.pronunciations = pronunciations(self.settings)

    @property
    def configured(self) -> tuple[str, ...]:
        """Models that the operator wants to be there from the start."""
        if not self.settings.os_preload:
            return ()
        return (*self.settings.stt_models, *self.settings.tts_models)

    def drain(self) -> None:
        """Stop taking new work; readiness fails from now on."""
        self.draining = True
        if self._wyoming:
            self._wyoming.drain()
        self.live.stop_all()
        self.speech.manager.stop_admitting()

    def when_prepared(self, tell: Callable[[], None]) -> None:
        """Have something done once every configured model is there."""
        self._listeners.append(tell)

    async def start(self) -> None:
        """Find the providers, then load the configured models. Runs beside serving."""
        self._run(asyncio.to_thread(self._sweep))
        await self.speech.registry.scan()
        self.speech.manager.start()
        self.scanned.set()
        if self.wyoming:
            from .wyoming import WyomingServer  # only where it is wanted: it costs memory

            self._wyoming = WyomingServer(self, self.wyoming)
            await self._wyoming.start()
        self.prepare()
        for name in self.settings.downloaded_models:
            self._run(self._download(name))
        # Not before: it would keep the first answers waiting.
        self._run(asyncio.to_thread(import_module, "open_speech.codecs.decode"))

    async def stop(self) -> None:
        """Give up what was begun, and end every worker.

        Where the server was told to stop, requests have had their time.
        """
        if self._wyoming:
            await self._wyoming.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.speech.manager.close(0.0 if self.draining else None)

    async def begin(self, work: Coroutine[Any, Any, object]) -> None:
        """Have something done that nobody waits for; raises what goes wrong at once."""
        task = self._run(work)
        await asyncio.sleep(0)  # its first step
        if task.done():
            task.result()

    def prepare(self) -> None:
        """Begin to load the configured models that are not there, as far as that is not begun."""
        for name in self.configured:
            if name in self.prepared and not self.is_served(name):
                self.prepared.discard(name)
            if name not in self.prepared and name not in self._preparing:
                self._preparing.add(name)
                self._run(self._prepare(name))

    def is_served(self, name: str) -> bool:
        """Whether an installed provider has a model of this name."""
        try:
            self.speech.resolve(name)
        except OpenSpeechError:
            return False
        return True

    async def _prepare(self, name: str) -> None:
        try:
            await self._load(name)
        finally:
            self._preparing.discard(name)

    async def _load(self, name: str) -> None:
        """Load one configured model; try again, ever more rarely, while it fails."""
        for wait_s in _waits():
            try:
                await self.speech.manager.load(name, default=True)
            except InvalidRequest as error:  # nobody serves it: trying again would not help
                self.preload_errors[name] = str(error)
                _log.error("the configured model %s cannot be loaded: %s", name, error)
                return
            except OpenSpeechError as error:
                self.preload_errors[name] = str(error)
                _log.error("the configured model %s is not ready yet: %s", name, error)
                await asyncio.sleep(wait_s)
            else:
                self.prepared.add(name)
                self.preload_errors.pop(name, None)
                if self.prepared.issuperset(self.configured):
                    for tell in self._listeners:
                        tell()
                return

    async def _download(self, name: str) -> None:
        """Have one configured model on disk; try again, ever more rarely, while that fails."""
        for wait_s in _waits():
            try:
                await self.speech.catalog.download(name)
            except InvalidRequest as error:
                _log.error("the configured model %s cannot be downloaded: %s", name, error)
                return
            except OpenSpeechError as error:
                _log.error("the configured model %s is not downloaded yet: %s", name, error)
                await asyncio.sleep(wait_s)
            else:
                return

    def _sweep(self) -> None:
        """Delete what killed downloads, installations and uploads left behind; in a thread."""
        settings = self.settings
        stores = (weight_store(settings), environment_store(settings), voice_library(settings))
        for store in stores:
            try:
                store.sweep()
            except (OSError, OpenSpeechError) as error:
                _log.warning("%s could not be tidied up: %s", store.root, error)

    def _run(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            known = isinstance(error, OpenSpeechError)
            _log.warning("work in the background failed: %s", error, exc_info=not known and error)


def _waits() -> Iterator[float]:
    """Seconds between two attempts."""
    return chain((1.0, 5.0, 30.0, 120.0), repeat(600.0))


async def speech_of(request: HTTPConnection) -> OpenSpeech:
    """The speech service of the application, once its providers are known."""
    state = state_of(request)
    await state.scanned.wait()
    return state.speech


def library_of(request: HTTPConnection) -> VoiceLibrary:
    """The cloned voices of the application."""
    library = state_of(request).speech.config.voice_library
    assert library is not None
    return library


def state_of(request: HTTPConnection) -> ServerState:
    """The state of the application that a request came to."""
    state = request.app.state.server
    assert isinstance(state, ServerState)
    return state
