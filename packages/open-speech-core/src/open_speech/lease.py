"""The right to use a loaded model for one request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from . import errors
from .audio import Audio
from .hosts import Host
from .models import ModelInfo
from .resident import Resident
from .speech import SpeechRequest
from .transcription import TranscriptionEvent, TranscriptionRequest


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Held for one request; the model stays loaded meanwhile.

    Each call waits for a turn of its own, first come, first served. A request that makes one call
    per sentence therefore shares the model sentence by sentence.
    """

    resident: Resident
    exhausted: Callable[[Host], None]
    """Told of a host that ran out of memory in a call of this lease, before the error is raised."""

    @property
    def model(self) -> ModelInfo:
        """What is known of the loaded model."""
        return self.resident.model

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[Audio, None]:
        """Have one piece of text spoken; closing the generator cancels it."""
        async with aclosing(self._call(request)) as results:
            async for result in results:
                assert isinstance(result, Audio)
                yield result

    async def hear(self, request: TranscriptionRequest) -> AsyncGenerator[TranscriptionEvent, None]:
        """Have one recording understood; closing the generator cancels it."""
        async with aclosing(self._call(request)) as results:
            async for result in results:
                assert not isinstance(result, Audio)
                yield result

    async def _call(
        self, request: SpeechRequest | TranscriptionRequest
    ) -> AsyncGenerator[Audio | TranscriptionEvent, None]:
        resident = self.resident
        while True:
            turns = resident.turns
            async with turns:
                if turns is not resident.turns:
                    continue  # loaded anew meanwhile: queue for that one
                if (host := resident.host) is None:
                    name = resident.key.name
                    raise errors.WorkerDied(
                        f"The worker of {name!r} is gone.", model=name, retry_after=1.0
                    )
                try:
                    async with aclosing(host.call(request)) as results:
                        async for result in results:
                            yield result
                except errors.OutOfMemory:
                    self.exhausted(host)
                    raise
                return
