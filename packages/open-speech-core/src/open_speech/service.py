"""``OpenSpeech``: providers, models and weights behind one object.

The HTTP server is one user of this class, the command another, a plain script a third.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from ._hosts import Home, Host, ThisProcess, WorkerOptions, Workers
from ._lifecycle.catalog import Catalog, status_of_missing
from ._lifecycle.events import Event, EventBus
from ._lifecycle.instance import ModelInstance
from ._lifecycle.lease import Lease
from ._lifecycle.loader import Options
from ._lifecycle.manager import ModelManager
from ._lifecycle.policy import Policy
from ._lifecycle.states import ModelState
from ._lifecycle.status import ModelStatus, status_of_model
from ._lifecycle.weights import Weights
from ._listening.events import (
    Clear,
    Commit,
    FinalText,
    InterimText,
    ListenEvent,
    ListenInput,
    ListenRequest,
    NothingToCommit,
    TurnDetection,
    TurnEnded,
    TurnEndReason,
    TurnStarted,
    TurnText,
)
from ._listening.parts import listening_parts
from ._listening.session import Listening
from ._listening.spans import SpanOptions, SpeechSpan, speech_spans
from ._operations import (
    ALIGN,
    DETECT,
    EMBED,
    LISTEN,
    PHONEMIZE,
    SYNTHESIZE,
    TRANSCRIBE,
    Operation,
    capabilities,
)
from ._operations.capabilities import require_kind
from ._operations.validation import IMPOSSIBLE_LOGPROB
from ._plugins.discovery import installed_providers
from ._plugins.registry import ProviderEnvironment, Registry
from ._plugins.resolution import Hint, ResolvedModel, Router
from ._synthesis.alignment import find_aligner
from ._synthesis.arriving import FlushText, arriving_text, whole_text
from ._synthesis.pipeline import Synthesis, for_engine
from ._synthesis.utterances import (
    Passage,
    Pause,
    PrepareText,
    SentenceStarted,
    Utterance,
    whole,
)
from ._types.audio import Audio
from ._types.listening import DetectionRequest
from ._types.models import Capability, Kind, ModelInfo
from ._types.speakers import DiarizationRequest, EmbeddingRequest, SpeakerEmbedding
from ._types.speech import SpeechRequest
from ._types.transcription import (
    Transcription,
    TranscriptionEvent,
    TranscriptionRequest,
    gap,
    join_texts,
)
from ._worker.heap import configure as configure_heap
from ._worker.protocol import Load
from .aio import ahead
from .errors import InvalidRequest, ModelNotFound, OpenSpeechError
from .speakers.diarization import Diarization
from .speakers.joining import by_speaker
from .speakers.known import KnownSpeaker
from .speakers.recordings import Recording, diarize, embed, opened
from .transcripts.recordings import Sound, TranscriptCollector, chunks_of, transcribe_chunks
from .voices.cloning import with_voice
from .voices.library import VoiceLibrary
from .voices.resolve import voice_language

__all__ = [
    "ALIGN",
    "EMBED",
    "IMPOSSIBLE_LOGPROB",
    "PHONEMIZE",
    "SYNTHESIZE",
    "TRANSCRIBE",
    "AccessPolicy",
    "Catalog",
    "Clear",
    "Commit",
    "Config",
    "Defaults",
    "Event",
    "FinalText",
    "FlushText",
    "Hint",
    "Home",
    "Host",
    "InterimText",
    "ListenEvent",
    "ListenInput",
    "ListenRequest",
    "ModelManager",
    "ModelState",
    "ModelStatus",
    "NothingToCommit",
    "OpenSpeech",
    "Pause",
    "PrepareText",
    "ResolvedModel",
    "Router",
    "SentenceStarted",
    "SpanOptions",
    "SpeechSpan",
    "ThisProcess",
    "TurnDetection",
    "TurnEndReason",
    "TurnEnded",
    "TurnStarted",
    "TurnText",
    "Utterance",
    "WorkerOptions",
    "Workers",
    "allow_all",
    "configure_heap",
    "gap",
    "installed_providers",
    "join_texts",
    "require_kind",
    "status_of_missing",
    "status_of_model",
]

_log = logging.getLogger(__name__)
R = TypeVar("R")
E = TypeVar("E")

AccessPolicy = Callable[[ResolvedModel, bool], None]
"""Raises for a model that callers may not use; the second argument: whether it is listed."""


def allow_all(resolved: ResolvedModel, listed: bool) -> None:  # noqa: FBT001
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
    vad: Defaults = field(default_factory=Defaults)
    turn: Defaults = field(default_factory=Defaults)
    diarization: Defaults = field(default_factory=Defaults)
    policy: Policy = field(default_factory=Policy)
    data_dir: Path | None = None
    """Where manifests and environments are kept; None keeps nothing."""
    home: Home = field(default_factory=Workers)
    """Where models live: in workers, or ``ThisProcess`` for boards too small for them."""
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
    even_loudness: bool = True
    """Make the voices of each model equally loud, as far as their loudness was measured."""
    aliases: dict[str, Kind] = field(default_factory=dict)
    """Names that mean the default model of a kind."""
    alias_patterns: dict[str, Kind] = field(default_factory=dict)
    """Glob patterns of further such names, which are not listed."""
    model_aliases: Mapping[str, str] = field(default_factory=dict)
    """Names that mean the model of another name, which may be one of ``aliases``."""
    permit: AccessPolicy = allow_all
    """Asked about every name that is resolved, whatever for."""
    generic_voices: tuple[str, ...] = ()
    """Names, in lower case, that callers may send to any model: each means one of its voices."""
    voice_library: VoiceLibrary | None = None
    """Cloned voices, for models that declare ``Capability.VOICE_CLONE``."""
    hints: Sequence[Hint] = ()
    """What to do about names that nobody serves."""

    def defaults(self, kind: Kind) -> Defaults:
        """The defaults of one kind."""
        defaults: Defaults = getattr(self, kind.value)
        return defaults


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
            isolated=not self.config.home.imports_providers,
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
        self.catalog = Catalog(
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

    def resolve(self, name: str) -> ResolvedModel:
        """Find who serves a name, aliases included.

        Raises what ``Router.resolve`` and ``Config.permit`` raise.
        """
        name = self.config.model_aliases.get(name, name)
        if kind := self._alias(name):
            name = self.default_model(kind)
        resolved = self.registry.router.resolve(name)
        listed = any(each.model is resolved.model for each in self.registry.router.catalogue)
        try:
            self.config.permit(resolved, listed)
        except OpenSpeechError as error:
            # A name that is misspelt may fall under a pattern.
            if not listed and (similar := self.registry.router.similar(resolved.model.id)):
                meant = " or ".join(repr(each) for each in similar)
                error.hint = " ".join(filter(None, (f"Did you mean {meant}?", error.hint)))
            raise
        return resolved

    def _alias(self, name: str) -> Kind | None:
        if kind := self.config.aliases.get(name):
            return kind
        patterns = self.config.alias_patterns.items()
        return next((kind for glob, kind in patterns if fnmatchcase(name, glob)), None)

    def default_model(self, kind: Kind) -> str:
        """The name of a kind's default model; the first in the catalogue if none is configured.

        Raises ModelNotFound if nothing of that kind is installed.
        """
        if models := self.config.defaults(kind).models:
            return models[0]
        catalogue = self.registry.router.catalogue
        found = next((each.model.id for each in catalogue if each.model.kind is kind), None)
        return found or capabilities.nothing_of(kind)

    async def rescan(self) -> None:
        """Find out again what is installed; models of providers that are gone are let go."""
        await self.registry.scan()
        await self.manager.revise()
        self.events.publish("providers")

    async def synthesize(
        self,
        request: SpeechRequest,
        *,
        model: str | None = None,
        keep_alive_s: float | None = None,
        prepare: PrepareText | None = None,
        volume: float = 1.0,
        even_loudness: bool | None = None,
    ) -> AsyncGenerator[Audio, None]:
        """Speak a text of any length, piece by piece; closing the generator stops it.

        An empty voice or ``default`` means the configured one. ``prepare`` makes the pieces
        instead of ``Config.prepare``; ``volume`` is a factor on the samples, and
        ``even_loudness`` counts instead of ``Config.even_loudness``. A pace that the
        engine does not have is made here, and so are word times, by a loaded model that aligns.
        A voice of ``Config.voice_library``, by id or name, is imitated by models that clone,
        whether the request names it or it is the configured one. A text with nothing to say in it
        ("...") is a short silence; an empty one is an InvalidRequest.
        Raises before the first chunk what is wrong with the request, and what loading or the
        engine raises.
        """
        if not request.text.strip():
            raise InvalidRequest("The text is empty.", param="text", hint="Send some text.")
        asked = prepare or self.config.prepare
        events = self._speak(
            request,
            lambda settled, info: whole_text(settled, info, asked),
            model=model,
            keep_alive_s=keep_alive_s,
            volume=volume,
            even_loudness=even_loudness,
        )
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Audio):
                    yield event

    async def synthesize_stream(
        self,
        text: AsyncIterator[str | FlushText],
        request: SpeechRequest,
        *,
        model: str | None = None,
        keep_alive_s: float | None = None,
        prepare: PrepareText | None = None,
        volume: float = 1.0,
    ) -> AsyncGenerator[Audio | SentenceStarted, None]:
        """Speak a text while it is written, sentence by sentence; closing the generator stops it.

        ``text`` yields increments of any length, and ``FlushText`` where what there is has to be
        spoken without what follows. Each sentence is announced before its sound. The first is cut
        at an early clause if it has one. Words have their places in the whole text. A text that
        never comes is no sound. ``request`` says how to speak; its own text is not looked at.
        Arguments and errors otherwise as for ``synthesize``, and what ``text`` raises.
        """
        asked = prepare or self.config.prepare

        def passages(settled: SpeechRequest, info: ModelInfo) -> AsyncGenerator[Passage, None]:
            language = voice_language(info, settled.voice, settled.language)
            # The next sentences are prepared while one is spoken.
            return ahead(arriving_text(text, settled, info, asked, language), 4)

        events = self._speak(
            request, passages, model=model, keep_alive_s=keep_alive_s, volume=volume
        )
        async with aclosing(events):
            async for event in events:
                yield event

    async def _speak(
        self,
        request: SpeechRequest,
        passages: Callable[[SpeechRequest, ModelInfo], AsyncGenerator[Passage, None]],
        *,
        model: str | None,
        keep_alive_s: float | None,
        volume: float = 1.0,
        even_loudness: bool | None = None,
    ) -> AsyncGenerator[Audio | SentenceStarted, None]:
        name = model or self.default_model(Kind.TTS)
        capabilities.require_kind(self.resolve(name), Kind.TTS)
        async with AsyncExitStack() as held:
            lease = await held.enter_async_context(
                self.manager.lease(name, keep_alive_s=keep_alive_s)
            )
            library = self.config.voice_library
            voice = self.config.tts.voice
            generic = self.config.generic_voices
            settled = await with_voice(request, lease.model, library, voice, generic)
            SYNTHESIZE.check(for_engine(settled, lease.model)[0], lease.model)
            speaking = Synthesis(
                lease=lease,
                request=settled,
                passages=passages(settled, lease.model),
                volume=volume,
                even_loudness=self.config.even_loudness if even_loudness is None else even_loudness,
                configured_voice=voice,
                generic_voices=generic,
                library=library,
                aligner=await self._aligner(held, lease, settled),
            )
            # Two chunks ahead: the engine works while the last one is encoded and sent.
            async with aclosing(ahead(speaking.events(), 2)) as events:
                async for event in events:
                    yield event

    async def _aligner(
        self, held: AsyncExitStack, lease: Lease, request: SpeechRequest
    ) -> Lease | None:
        """Hold a model that finds the word times which the speaking one does not tell."""
        model = lease.model
        if not request.word_timestamps or Capability.WORD_TIMESTAMPS in model.capabilities:
            return None
        language = voice_language(model, request.voice, request.language)
        instance = find_aligner(self.manager.instances, model, language)
        name = f"{instance.resolved.backend}:{instance.resolved.id}"
        return await held.enter_async_context(self.manager.lease(name, device=instance.key.device))

    async def run(
        self,
        operation: Operation[R, E],
        request: R,
        *,
        model: str,
        fed: AsyncIterator[Any] | None = None,
        keep_alive_s: float | None = None,
    ) -> AsyncGenerator[E, None]:
        """Have a model carry out any operation; closing the generator stops it.

        ``fed`` is what the operation is fed with while it runs: it is pulled no faster than the
        engine takes it, and closed at the end. Raises as ``synthesize`` does, Busy where the model
        has as many sessions as it takes, and what ``fed`` raises.
        """
        async with AsyncExitStack() as held:
            if isinstance(fed, AsyncGenerator):
                held.push_async_callback(fed.aclose)
            capabilities.require_operation(self.resolve(model), operation)
            lease = await held.enter_async_context(
                self.manager.lease(model, keep_alive_s=keep_alive_s)
            )
            operation.check(request, lease.model)
            events = await held.enter_async_context(aclosing(lease.run(operation, request, fed)))
            async for event in events:
                yield event

    async def transcribe_stream(
        self,
        sound: Sound,
        request: TranscriptionRequest | None = None,
        *,
        model: str | None = None,
        keep_alive_s: float | None = None,
        speakers: Diarization | None = None,
    ) -> AsyncGenerator[TranscriptionEvent, None]:
        """Understand a recording, segment by segment; closing the generator stops it.

        The sound must have the model's ``sample_rate``. The chunks of a long one are understood
        one after the other, in the language of the first, and times are those of the whole, none
        of them beyond its end. The first is there before the model is asked for; a generator is
        closed at the end. ``request`` says how to understand it; its own ``audio`` is not looked
        at. Where ``speakers`` of the recording are given, segments are cut by them, at the times of
        words if the model tells them. Raises as ``synthesize`` does, and what the generator raises.
        """
        request = request or TranscriptionRequest()
        async with aclosing(chunks_of(sound)) as chunks:
            name = model or self.default_model(Kind.STT)
            capabilities.require_kind(self.resolve(name), Kind.STT)
            if (first := await anext(chunks, None)) is None:
                return
            async with self.manager.lease(name, keep_alive_s=keep_alive_s) as lease:
                if speakers and Capability.WORD_TIMESTAMPS in lease.model.capabilities:
                    request = replace(request, word_timestamps=True)
                TRANSCRIBE.check(request, lease.model)
                heard = by_speaker(transcribe_chunks(lease, request, first, chunks), speakers)
                async with aclosing(heard) as events:
                    async for event in events:
                        yield event

    async def transcribe(
        self,
        sound: Sound,
        request: TranscriptionRequest | None = None,
        *,
        model: str | None = None,
        keep_alive_s: float | None = None,
        pauses: bool = False,
        speakers: Diarization | None = None,
    ) -> Transcription:
        """Understand a whole recording at once. Arguments and errors as for ``transcribe_stream``.

        ``pauses`` has the silences of the recording found too, as subtitles need them.
        """
        request = request or TranscriptionRequest()
        resolved = self.resolve(model or self.default_model(Kind.STT))
        only = resolved.model.languages[0] if len(resolved.model.languages) == 1 else None
        transcript = TranscriptCollector(request.language or only, pauses=pauses)
        async with AsyncExitStack() as held:
            chunks = await held.enter_async_context(aclosing(chunks_of(sound)))
            watched = transcript.watch(chunks)
            events = self.transcribe_stream(
                watched, request, model=model, keep_alive_s=keep_alive_s, speakers=speakers
            )
            async for event in await held.enter_async_context(aclosing(events)):
                transcript.add(event)
        return transcript.result()

    async def find_speech(
        self,
        sound: Sound,
        options: SpanOptions | None = None,
        *,
        model: str | None = None,
        keep_alive_s: float | None = None,
    ) -> list[SpeechSpan]:
        """Find where somebody speaks in a recording of any length.

        The sound must have the model's ``sample_rate``. Raises as ``transcribe_stream`` does.
        """
        name = model or self.default_model(Kind.VAD)
        capabilities.require_kind(self.resolve(name), Kind.VAD)
        seconds = 0.0

        async def fed() -> AsyncGenerator[Audio, None]:
            nonlocal seconds
            async with aclosing(chunks_of(sound)) as chunks:
                async for chunk in chunks:
                    seconds += chunk.seconds
                    yield chunk

        events = self.run(
            DETECT, DetectionRequest(), model=name, fed=fed(), keep_alive_s=keep_alive_s
        )
        async with aclosing(events):
            activity = [event async for event in events]
        return list(speech_spans(activity, seconds, options or SpanOptions()))

    async def diarize(
        self,
        recording: Recording,
        request: DiarizationRequest | None = None,
        *,
        model: str | None = None,
        known: Sequence[KnownSpeaker] = (),
        keep_alive_s: float | None = None,
    ) -> Diarization:
        """Tell the speakers of a recording of any length apart.

        A recording that is not given as a function must have the model's ``sample_rate``, and is
        held in memory. ``known`` speakers get their names where the model is sure of the voice
        (``ModelInfo.same_voice``), all others letters. Raises as ``synthesize`` does,
        UnsupportedCapability for known speakers where the model does not compare voices,
        InvalidRequest where a known voice is too short, and what the recording raises.
        """
        request = request or DiarizationRequest()
        name = model or self.default_model(Kind.DIARIZATION)
        capabilities.require_kind(self.resolve(name), Kind.DIARIZATION)
        info = self.manager.instance(name).model
        if known:
            EMBED.check(EmbeddingRequest(audio=known[0].audio), info)
        wants_speech = request.speech is None and Capability.SPEECH_SPANS in info.capabilities
        if wants_speech and (detector := self._found(Kind.VAD)):
            spans = await self.find_speech(opened(recording, detector.sample_rate))
            request = replace(request, speech=tuple((span.start, span.end) for span in spans))
        async with self.manager.lease(name, keep_alive_s=keep_alive_s) as lease:
            return await diarize(lease, request, recording, known)

    async def embed(
        self, audio: Audio, *, model: str | None = None, keep_alive_s: float | None = None
    ) -> SpeakerEmbedding:
        """Describe the voice of a recording of one speaker as a vector of length 1.

        The sound must have the model's ``sample_rate``. Vectors of one model can be compared.
        Raises as ``synthesize`` does, and UnsupportedCapability for a model that only tells
        speakers apart.
        """
        name = model or self.default_model(Kind.DIARIZATION)
        capabilities.require_kind(self.resolve(name), Kind.DIARIZATION)
        async with self.manager.lease(name, keep_alive_s=keep_alive_s) as lease:
            EMBED.check(EmbeddingRequest(audio=audio), lease.model)
            return await embed(lease, audio)

    async def listen(
        self,
        sound: AsyncIterator[ListenInput],
        request: ListenRequest | None = None,
        *,
        model: str | None = None,
    ) -> AsyncGenerator[ListenEvent, None]:
        """Understand sound while it comes in, turn by turn; closing the generator stops it.

        Sound of any rate is taken no faster than it is understood; a ``ListenRequest`` among it
        changes how from there on. A model that does not listen by itself is asked again and again
        as an utterance grows. Models are held only while they work, so that one may be unloaded or
        updated meanwhile; a worker that dies is replaced, and nothing is lost. Raises as
        ``synthesize`` does, what ``sound`` raises, and ModelNotFound where turns are to be found
        and no provider detects voice activity.
        """
        request = request or ListenRequest()
        name = model or self.default_model(Kind.STT)
        resolved = self.resolve(name)
        capabilities.require_kind(resolved, Kind.STT)
        info = resolved.model
        self.manager.ensure_accepting()
        operation = LISTEN if Capability.LISTENING in info.capabilities else TRANSCRIBE
        operation.check(request.how, info)
        parts = listening_parts(self._hold, info, name, self._found, request.turns)
        listening = Listening(parts, request)
        async with aclosing(listening.events(sound)) as events:
            async for event in events:
                yield event

    def _found(self, kind: Kind) -> ModelInfo | None:
        """The default model of a kind, if there is one."""
        try:
            return self.resolve(self.default_model(kind)).model
        except ModelNotFound:
            return None

    def _hold(self, name: str) -> AbstractAsyncContextManager[Lease]:
        return self.manager.lease(name, under_way=True)

    async def load(
        self,
        name: str,
        *,
        device: str | None = None,
        compute_type: str | None = None,
        keep_alive_s: float | None = None,
        pin: bool | None = None,
    ) -> ModelInstance:
        """Have a model loaded as asked for; what it cannot do is an error here, not a fallback."""
        capabilities.check_load(self.resolve(name), device, compute_type)
        return await self.manager.load(
            name, device=device, compute_type=compute_type, keep_alive_s=keep_alive_s, pin=pin
        )

    async def models(self, *, measure: bool = True) -> list[ModelStatus]:
        """Every model: loaded, in the catalogue, or on disk; see ``Catalog.models``."""
        return await self.catalog.models(measure=measure)

    def _device(self, resolved: ResolvedModel) -> str:
        """The configured device, or one that the model runs on, with a line in the log."""
        wanted = self.config.defaults(resolved.model.kind).device
        if wanted.partition(":")[0] in resolved.model.devices or not resolved.model.devices:
            return wanted
        self._tell_once(
            f"{resolved.id} does not run on {wanted}; {resolved.model.devices[0]} is used"
        )
        return resolved.model.devices[0]

    def _compute_type(self, resolved: ResolvedModel) -> str | None:
        """The configured number format, or None for the engine's own choice."""
        wanted = self.config.defaults(resolved.model.kind).compute_type
        choices = resolved.model.compute_types
        if wanted in choices:
            return wanted
        if wanted and choices:
            self._tell_once(f"{resolved.id} cannot be loaded as {wanted}; its own choice is used")
        return None

    def _tell_once(self, line: str) -> None:
        if line not in self._told:
            self._told.add(line)
            _log.warning("%s", line)

    def _make_host(self, resolved: ResolvedModel, load: Load) -> Host:
        worker = self.registry.provider(resolved.provider.name).environment.options
        return self.config.home.host(load, worker, self.config.policy.call_timeout_s)
