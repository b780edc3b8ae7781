"""Everything together: providers, models and weights behind two verbs, speak and hear.

The HTTP server is one user of this class, the command another, a plain script a third.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from . import capabilities
from .aio import ahead
from .alignment import find_aligner
from .audio import Audio
from .cloning import with_voice
from .errors import InvalidRequest, OpenSpeechError
from .events import EventBus
from .hosts import Host, InProcessHost, SubprocessHost, WorkerOptions
from .lease import Lease
from .library import Library
from .loader import Options
from .manager import ModelManager
from .messages import Load
from .models import Capability, Kind
from .policy import Policy
from .registry import ProviderEnvironment, Registry
from .resident import Resident
from .routing import Hint, Offer
from .script import PrepareText, whole
from .speaking import Speaking, for_engine, voice_language
from .speech import SpeechRequest
from .status import ModelStatus
from .transcription import (
    DetectedLanguage,
    Segment,
    Transcription,
    TranscriptionEvent,
    TranscriptionRequest,
    join_texts,
)
from .voice_library import VoiceLibrary
from .weights import Weights

_log = logging.getLogger(__name__)

Permit = Callable[[Offer, bool], None]
"""Raises for an offer that callers may not have; the second argument is whether it is listed."""


def anything(offer: Offer, listed: bool) -> None:  # noqa: FBT001
    """Permit every model."""


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What is meant by requests that leave it open, per kind."""

    models: tuple[str, ...] = ()
    """The first is the default; all of them are loaded at the start, and evicted last."""
    device: str = "cpu"
    compute_type: str | None = None
    voice: str | None = None
    """TTS: a voice of the model, or a cloned one for models that clone; where it can be neither,
    the model's own default is used."""
    speed: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Config:
    """How an ``OpenSpeech`` works. Nothing here is read from the environment."""

    stt: Defaults = field(default_factory=Defaults)
    tts: Defaults = field(default_factory=Defaults)
    policy: Policy = field(default_factory=Policy)
    data_dir: Path | None = None
    """Where manifests and environments are kept; None keeps nothing."""
    isolated: bool = True
    """False runs models in this process, for boards too small for workers."""
    workers: WorkerOptions = field(default_factory=WorkerOptions)
    providers: Collection[str] | None = None
    """Names of the providers to use; None is all that are installed."""
    weights: Weights | None = None
    local_models: Mapping[str, Path] = field(default_factory=dict)
    """Folders and files of models by the names that requests use for them. A name may have the
    prefix of a provider, which then is the only one to be asked: ``provider:name``."""
    options: Mapping[str, Options] = field(default_factory=dict)
    """Settings of providers, by the provider's name (its hyphens may be underscores here); handed
    over in ``LoadContext.options``."""
    environments: Callable[[], Sequence[ProviderEnvironment]] = lambda: ()
    prepare: PrepareText = whole
    """Makes pieces of a text, which are spoken one by one."""
    aliases: dict[str, Kind] = field(default_factory=dict)
    """Names that mean the default model of a kind."""
    permit: Permit = anything
    """Asked about every name that is resolved, whatever for."""
    voice_library: VoiceLibrary | None = None
    """Cloned voices, for models that declare ``Capability.VOICE_CLONE``."""
    hints: Sequence[Hint] = ()
    """What to do about names that nobody serves."""

    def defaults(self, kind: Kind) -> Defaults:
        """The defaults of one kind."""
        return self.stt if kind is Kind.STT else self.tts


class OpenSpeech:
    """Speaks and hears with whatever providers are installed.

    An asynchronous context manager; see ``Portal`` for plain scripts. One event loop only.
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        self.events = EventBus()
        self.registry = Registry(
            cache=self.config.data_dir / "manifests" if self.config.data_dir else None,
            options=self.config.workers,
            environments=self.config.environments,
            isolated=self.config.isolated,
            hints=self.config.hints,
            local=self.config.local_models,
            only=self.config.providers,
        )
        self.manager = ModelManager(
            self.resolve,
            self._make_host,
            policy=self.config.policy,
            weights=self.config.weights,
            options=self.config.options,
            events=self.events,
            device=self._device,
            compute_type=self._compute_type,
        )
        self.library = Library(
            self.manager,
            self.resolve,
            lambda name: self.registry.router.resolve(name),  # noqa: PLW0108 - it is replaced
            lambda: self.registry.router.catalogue,
        )
        self._told: set[str] = set()

    async def __aenter__(self) -> Self:
        await self.registry.scan()
        self.manager.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.manager.close()

    def resolve(self, name: str) -> Offer:
        """Find who serves a name, aliases included.

        Raises what ``Router.resolve`` and ``Config.permit`` raise.
        """
        if kind := self.config.aliases.get(name):
            models = self.config.defaults(kind).models
            name = models[0] if models else name
        offer = self.registry.router.resolve(name)
        listed = any(each.model is offer.model for each in self.registry.router.catalogue)
        try:
            self.config.permit(offer, listed)
        except OpenSpeechError as error:
            # A name that is misspelt may fall under a pattern.
            if not listed and (near := self.registry.router.near(offer.model.id)):
                meant = " or ".join(repr(each) for each in near)
                error.hint = " ".join(filter(None, (f"Did you mean {meant}?", error.hint)))
            raise
        return offer

    def default_model(self, kind: Kind) -> str:
        """The name of a kind's default model; the first in the catalogue if none is configured.

        Raises ModelNotFound if nothing of that kind is installed.
        """
        if models := self.config.defaults(kind).models:
            return models[0]
        for offer in self.registry.router.catalogue:
            if offer.model.kind is kind:
                return offer.model.id
        return capabilities.nothing_of(kind)

    async def rescan(self) -> None:
        """Find out again what is installed; models of providers that are gone are let go."""
        await self.registry.scan()
        await self.manager.revise()
        self.events.publish("providers")

    async def speak(
        self,
        request: SpeechRequest,
        *,
        model: str | None = None,
        keep_alive_s: float | None = None,
        prepare: PrepareText | None = None,
        volume: float = 1.0,
    ) -> AsyncGenerator[Audio, None]:
        """Speak a text of any length, piece by piece; closing the generator stops it.

        An empty voice or ``default`` means the configured one. ``prepare`` makes the pieces
        instead of ``Config.prepare``; ``volume`` is a factor on the samples. A pace that the
        engine does not have is made here, and so are word times, by a loaded model that aligns.
        A voice of ``Config.voice_library``, by id or name, is imitated by models that clone,
        whether the request names it or it is the configured one.
        Raises before the first stretch what is wrong with the request, and what loading or the
        engine raises.
        """
        name = model or self.default_model(Kind.TTS)
        capabilities.require_kind(self.resolve(name), Kind.TTS)
        async with AsyncExitStack() as held:
            lease = await held.enter_async_context(
                self.manager.lease(name, keep_alive_s=keep_alive_s)
            )
            library = self.config.voice_library
            voice = self.config.tts.voice
            settled = await with_voice(request, lease.model, library, voice)
            capabilities.check_speech(for_engine(settled, lease.model)[0], lease.model)
            # A long text takes tenths of a second to split; nobody else would be served meanwhile.
            script = await asyncio.to_thread(prepare or self.config.prepare, settled, lease.model)
            if not script:
                raise InvalidRequest("The text has nothing to speak in it.", param="input")
            speaking = Speaking(
                lease=lease,
                request=settled,
                script=script,
                volume=volume,
                configured_voice=self.config.tts.voice,
                library=library,
                aligner=await self._aligner(held, lease, settled),
            )
            # Two stretches ahead: the engine works while the last one is encoded and sent.
            async with aclosing(ahead(speaking.stretches(), 2)) as stretches:
                async for audio in stretches:
                    yield audio

    async def _aligner(
        self, held: AsyncExitStack, lease: Lease, request: SpeechRequest
    ) -> Lease | None:
        """Hold a model that finds the word times which the speaking one does not tell."""
        model = lease.model
        if not request.word_timestamps or Capability.WORD_TIMESTAMPS in model.capabilities:
            return None
        language = request.language or voice_language(model, request.voice)
        resident = find_aligner(self.manager.residents, model, language)
        name = f"{resident.offer.backend}:{resident.offer.id}"
        return await held.enter_async_context(self.manager.lease(name, device=resident.key.device))

    async def hear(
        self,
        request: TranscriptionRequest,
        *,
        model: str | None = None,
        keep_alive_s: float | None = None,
        rest: AsyncGenerator[Audio, None] | None = None,
    ) -> AsyncGenerator[TranscriptionEvent, None]:
        """Understand a recording, segment by segment; closing the generator stops it.

        The audio must have the model's ``sample_rate``. Of a long recording ``request`` holds the
        first stretch and ``rest`` yields the others; they are heard one after the other, in the
        language of the first, and times are those of the whole. Raises as ``speak`` does.
        """
        name = model or self.default_model(Kind.STT)
        offer = self.resolve(name)
        capabilities.require_kind(offer, Kind.STT)
        async with self.manager.lease(name, keep_alive_s=keep_alive_s) as lease:
            capabilities.check_transcription(request, lease.model)
            async with aclosing(_stretch_by_stretch(lease, request, rest)) as events:
                async for event in events:
                    yield event

    async def transcribe(
        self,
        request: TranscriptionRequest,
        *,
        model: str | None = None,
        keep_alive_s: float | None = None,
        rest: AsyncGenerator[Audio, None] | None = None,
    ) -> Transcription:
        """Understand a whole recording at once. Arguments and errors as for ``hear``."""
        offer = self.resolve(model or self.default_model(Kind.STT))
        only = offer.model.languages[0] if len(offer.model.languages) == 1 else None
        language, segments = request.language or only, list[Segment]()
        length = Length(request.audio)
        others = length.of(rest) if rest else None
        hearing = self.hear(request, model=model, keep_alive_s=keep_alive_s, rest=others)
        async with aclosing(hearing) as events:
            async for event in events:
                if isinstance(event, DetectedLanguage):
                    language = event.language
                elif isinstance(event, Segment):
                    segments.append(event)
        return Transcription(
            text=join_texts(segment.text for segment in segments),
            language=language,
            duration=length.seconds,
            segments=tuple(segments),
        )

    async def load(
        self,
        name: str,
        *,
        device: str | None = None,
        compute_type: str | None = None,
        keep_alive_s: float | None = None,
        pin: bool | None = None,
    ) -> Resident:
        """Have a model loaded as asked for; what it cannot do is an error here, not a fallback."""
        capabilities.check_load(self.resolve(name), device, compute_type)
        return await self.manager.load(
            name, device=device, compute_type=compute_type, keep_alive_s=keep_alive_s, pin=pin
        )

    async def models(self, *, measure: bool = True) -> list[ModelStatus]:
        """Every model: loaded, in the catalogue, or on disk; see ``Library.models``."""
        return await self.library.models(measure=measure)

    def _device(self, offer: Offer) -> str:
        """The configured device, or one that the model runs on, with a line in the log."""
        wanted = self.config.defaults(offer.model.kind).device
        if wanted.partition(":")[0] in offer.model.devices or not offer.model.devices:
            return wanted
        self._tell_once(f"{offer.id} does not run on {wanted}; {offer.model.devices[0]} is used")
        return offer.model.devices[0]

    def _compute_type(self, offer: Offer) -> str | None:
        """The configured number format, or None for the engine's own choice."""
        wanted = self.config.defaults(offer.model.kind).compute_type
        choices = offer.model.compute_types
        if wanted in choices:
            return wanted
        if wanted and choices:
            self._tell_once(f"{offer.id} cannot be loaded as {wanted}; its own choice is used")
        return None

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            _log.warning("%s", line)

    def _make_host(self, offer: Offer, load: Load) -> Host:
        timeout = self.config.policy.call_timeout_s
        if not self.config.isolated:
            return InProcessHost(load, call_timeout_s=timeout)
        environment = self.registry.provider(offer.provider.name).environment
        return SubprocessHost(load, call_timeout_s=timeout, options=environment.options)


class Length:
    """Counts the seconds of a recording while its stretches pass by."""

    def __init__(self, first: Audio) -> None:
        self.seconds = first.seconds

    async def of(self, rest: AsyncGenerator[Audio, None]) -> AsyncGenerator[Audio, None]:
        """Pass the other stretches on."""
        async with aclosing(rest):
            async for audio in rest:
                self.seconds += audio.seconds
                yield audio


async def _stretch_by_stretch(
    lease: Lease, request: TranscriptionRequest, rest: AsyncGenerator[Audio, None] | None
) -> AsyncGenerator[TranscriptionEvent, None]:
    async with aclosing(lease.hear(request)) as events:
        async for event in events:
            if isinstance(event, DetectedLanguage):
                request = replace(request, language=event.language)
            yield event
    if rest is None:
        return
    offset = request.audio.seconds
    async with aclosing(rest):
        async for audio in rest:
            async with aclosing(lease.hear(replace(request, audio=audio))) as events:
                async for event in events:
                    if isinstance(event, Segment):
                        yield event.shifted(offset)
                    elif not isinstance(event, DetectedLanguage):
                        yield event
            offset += audio.seconds
