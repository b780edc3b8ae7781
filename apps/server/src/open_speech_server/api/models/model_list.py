"""All models as JSON: where there are a thousand, an entry is written once and not each time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from open_speech import Kind, OpenSpeech
from open_speech.errors import OpenSpeechError
from open_speech.service import ModelState, ModelStatus, Router, status_of_missing

from ...graphics import devices
from ...settings.settings import Settings
from .model_json import model_json


class ModelList:
    """Every model of a server, and the names given to it that nobody serves. One event loop only.

    What is kept is bound to what it was made of: an entry to its status, of which core makes no
    other while nothing happens to the model, and why nobody serves a name to the providers found.
    """

    def __init__(self, speech: OpenSpeech, settings: Settings) -> None:
        self._speech = speech
        self._configured = {Kind.STT: settings.stt_models, Kind.TTS: settings.tts_models}
        self._device = {"stt": settings.stt_device, "tts": settings.tts_device}
        self._written: dict[int, tuple[ModelStatus, str]] = {}
        self._router: Router | None = None
        self._reasons: dict[str, str | None] = {}

    async def members(self) -> str:
        """What an object of JSON consists of, without its braces: ``models`` and what they need.

        ``devices`` are those of this machine, ``default_device`` the configured one of each kind.
        """
        statuses = await self._speech.models()
        machine = _json(await asyncio.to_thread(devices))
        models = ",".join(self._entries(statuses))
        return f'"devices":{machine},"default_device":{_json(self._device)},"models":[{models}]'

    def why_not(self, name: str) -> str | None:
        """Why nobody serves a name; None if somebody does."""
        if self._router is not self._speech.registry.router:
            self._router, self._reasons = self._speech.registry.router, {}
        if name not in self._reasons:  # to look for names like it takes a while
            self._reasons[name] = _reason(self._speech, name)
        return self._reasons[name]

    def _entries(self, statuses: Iterable[ModelStatus]) -> Iterator[str]:
        known, before = set[str](), self._written
        self._written = {}
        for status in statuses:
            known |= {status.id, *status.model.aliases}
            if status.state is ModelState.PROVIDER_MISSING:
                yield _text(self._explained(status))
                continue
            _, text = before.get(id(status)) or (status, _text(status))
            # The status is kept as well: no other one gets its id meanwhile.
            self._written[id(status)] = (status, text)
            yield text
        yield from self._unserved(known)

    def _unserved(self, known: set[str]) -> Iterator[str]:
        """Configured models, and local ones, of which core has nothing to list."""
        for kind, names in self._configured.items():
            for name in names:
                if name not in known and self.why_not(name):
                    known.add(name)
                    yield _text(self._explained(status_of_missing(name, kind)))
        for name, problem in self._speech.registry.router.unserved.items():
            if name not in known:  # nobody knows whether it would hear or speak
                status = replace(status_of_missing(name, Kind.STT), error=str(problem))
                yield _text(status, type="unknown")

    def _explained(self, status: ModelStatus) -> ModelStatus:
        default = self._configured[status.kind][:1] == (status.id,)
        return replace(status, default=default, error=self.why_not(status.id))


def _reason(speech: OpenSpeech, name: str) -> str | None:
    try:
        speech.resolve(name)
    except OpenSpeechError as error:
        return str(error)
    return None


def _text(status: ModelStatus, **more: str) -> str:
    return _json({**model_json(status), **more})


def _json(found: object) -> str:
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))
