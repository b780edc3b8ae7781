"""What the routes share: the speech service, the settings, and how far the start has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request

from open_speech import OpenSpeech
from open_speech.errors import InvalidRequest, OpenSpeechError

from .settings import Settings

_log = logging.getLogger(__name__)


@dataclass
class ServerState:
    """Made once per application."""

    settings: Settings
    speech: OpenSpeech
    scanned: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the providers are known; requests wait for it, health does not."""
    draining: bool = False
    """Set at the first signal to stop: readiness fails, and no new work is taken."""
    prepared: set[str] = field(default_factory=set)
    """Configured models that have been loaded."""
    preload_errors: dict[str, str] = field(default_factory=dict)
    """Why others could not be, by name."""

    _listeners: list[Callable[[], None]] = field(default_factory=list)

    @property
    def configured(self) -> tuple[str, ...]:
        """Models that the operator wants to be there."""
        return (*self.settings.stt_models, *self.settings.tts_models)

    def drain(self) -> None:
        """Stop taking new work; readiness fails from now on."""
        self.draining = True
        self.speech.manager.stop_admitting()

    def when_prepared(self, tell: Callable[[], None]) -> None:
        """Have something done once every configured model is there."""
        self._listeners.append(tell)

    async def start(self) -> None:
        """Find the providers, then load the configured models. Runs beside serving."""
        await self.speech.registry.scan()
        self.speech.manager.start()
        self.scanned.set()
        await asyncio.gather(*(self._prepare(name) for name in self.configured))

    async def _prepare(self, name: str) -> None:
        """Load one configured model; try again, ever more rarely, while it fails."""
        for wait_s in (1, 5, 30, 120, 600):
            try:
                await self.speech.manager.load(name, default=True)
            except InvalidRequest as error:  # nobody serves it: trying again would not help
                self.preload_errors[name] = str(error)
                _log.error("the configured model %s cannot be loaded: %s", name, error)
                return
            except OpenSpeechError as error:
                self.preload_errors[name] = str(error)
                _log.error("the configured model %s is not there yet: %s", name, error)
                await asyncio.sleep(wait_s)
            else:
                self.prepared.add(name)
                self.preload_errors.pop(name, None)
                if self.prepared.issuperset(self.configured):
                    for tell in self._listeners:
                        tell()
                return


async def speech_of(request: Request) -> OpenSpeech:
    """The speech service of the application, once its providers are known."""
    state = state_of(request)
    await state.scanned.wait()
    return state.speech


def state_of(request: Request) -> ServerState:
    """The state of the application that a request came to."""
    state = request.app.state.server
    assert isinstance(state, ServerState)
    return state
