"""Answers from the engines installed here, without a server."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from open_speech import (
    Audio,
    Capability,
    Kind,
    OpenSpeech,
    Portal,
    Segment,
    SpeechRequest,
    Transcription,
    TranscriptionRequest,
)
from open_speech.aio import in_thread
from open_speech.errors import ModelNotFound, OpenSpeechError, ProviderBroken
from open_speech.service import (
    FinalText,
    InterimText,
    ListenRequest,
    ModelState,
    ModelStatus,
    ResolvedModel,
    TurnDetection,
    TurnText,
    require_kind,
    status_of_model,
)
from open_speech.store import Progress, Store
from open_speech.transcripts.recordings import TranscriptCollector

from ..api.languages import language_name
from ..api.live.feed import pcm16_audio
from ..settings.core_config import core_config, voice_library, weight_store
from ..settings.settings import Settings
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
from .console import ProgressLine, note

_FIELDS = {Kind.STT: "stt_model", Kind.TTS: "tts_model"}


@contextmanager
def opened(
    settings: Settings, progress: ProgressLine, own: Mapping[str, Path] | None = None
) -> Iterator[LocalClient]:
    """A client for as long as the block lasts; its workers end with it.

    ``own`` are models beside those of the settings: paths by their names.
    """
    config = core_config(settings)
    config = replace(config, local_models={**config.local_models, **(own or {})})
    # Nobody else waits: a load may take as long as it takes.
    patient = replace(config.policy, load_wait_s=settings.os_load_timeout_s)
    with (
        Portal() as portal,
        portal.enter(OpenSpeech(replace(config, policy=patient))) as speech,
    ):
        yield LocalClient(settings, portal, speech, progress)


class LocalClient:
    """Asks the engines. One thread only."""

    def __init__(
        self, settings: Settings, portal: Portal, speech: OpenSpeech, progress: ProgressLine
    ) -> None:
        self._settings = settings
        self._portal = portal
        self._speech = speech
        self._progress = progress

    def speak(
        self, asked: SpeechOptions, on_word: OnWord | None = None
    ) -> Generator[bytes, None, None]:
        """See ``Client``."""
        from open_speech.codecs.encode import Encoder

        name, _ = self._ready(Kind.TTS, asked.model)
        request = SpeechRequest(
            text=asked.text,
            voice=asked.voice or "",
            language=asked.language,
            speed=asked.speed or self._settings.tts_speed,
            word_timestamps=on_word is not None,
        )
        encoder, seconds = Encoder(asked.format), 0.0
        self._progress.show(f"loading {name}")
        with closing(self._portal.iterate(self._speech.synthesize(request, model=name))) as chunks:
            for audio in chunks:
                for word in audio.words if on_word else ():
                    assert on_word
                    on_word(word.shifted(seconds))
                seconds += audio.seconds
                self._progress.show(f"{seconds:.1f} s spoken")
                yield encoder.feed(audio)
        yield encoder.finish()

    def transcribe(self, recording: BinaryIO, asked: Hearing, on_text: OnText) -> Heard:
        """See ``Client``."""
        from open_speech.codecs.decode import DecodeLimits, decode_chunks

        name, resolved = self._ready(Kind.STT, asked.model)
        only = resolved.model.languages[0] if len(resolved.model.languages) == 1 else None
        tells_words = Capability.WORD_TIMESTAMPS in resolved.model.capabilities
        limits = DecodeLimits(max_seconds=self._settings.os_max_audio_s)

        def opened(rate: int) -> AsyncGenerator[Audio, None]:
            return in_thread(decode_chunks(recording, sample_rate=rate, limits=limits))

        speakers = None
        if asked.diarize:
            from ..api.speakers.form import default_model

            model, _ = self._ready(Kind.DIARIZATION, default_model(self._speech))
            self._progress.show("telling speakers apart")
            speakers = self._portal.run(self._speech.diarize(opened, model=model))
        self._progress.show(f"loading {name}")
        request = TranscriptionRequest(
            language=asked.language,
            prompt=asked.prompt,
            word_timestamps=asked.words or (asked.subtitles is not None and tells_words),
        )
        transcript = TranscriptCollector(asked.language or only, pauses=bool(asked.subtitles))
        sound = transcript.watch(opened(resolved.model.sample_rate))
        hearing = self._portal.iterate(
            self._speech.transcribe_stream(sound, request, model=name, speakers=speakers)
        )
        with closing(hearing) as events:
            for event in events:
                if isinstance(event, Segment):
                    on_text(event.text)
                    self._progress.show(f"{event.end:.0f} of {transcript.seconds:.0f} s heard")
                transcript.add(event)
        result = transcript.result()
        return Heard(
            text=result.text,
            language=language_name(result.language),
            duration=result.duration,
            segments=result.segments,
            words=result.words,
            subtitles=_subtitles(result, asked.subtitles),
        )

    def listen(self, sound: Iterator[bytes], asked: Listening, on_text: OnLive) -> None:
        """See ``Client``."""
        name, _ = self._ready(Kind.STT, asked.model)
        settings = self._settings
        self._progress.show(f"loading {name}")
        self._portal.run(self._speech.load(name))
        self._progress.show("listening")
        request = ListenRequest(
            how=TranscriptionRequest(language=asked.language),
            turns=TurnDetection(
                threshold=settings.os_stream_vad_threshold,
                silence_s=settings.os_stream_endpointing_ms / 1000,
            ),
            interim_s=settings.os_stream_chunk_ms / 1000,
        )
        source = in_thread(pcm16_audio(data, asked.sample_rate) for data in sound)
        events = self._portal.iterate(self._speech.listen(source, request, model=name))
        with closing(events):
            for event in events:
                if isinstance(event, InterimText):
                    on_text(event.stable + event.unstable, False)
                elif isinstance(event, FinalText):
                    on_text(event.text, True)
                elif isinstance(event, TurnText) and event.error:
                    note(str(event.error))

    def models(self) -> list[ModelEntry]:
        """See ``Client``."""
        found = self._portal.run(self._speech.models(measure=False))
        entries = [self._entry(status) for status in found]
        known = {name for entry in entries for name in (entry.id, *(entry.aliases or ()))}
        missing = [
            ModelEntry(
                id=name, type=kind.value, state="provider_missing", is_default=name == names[0]
            )
            for kind, names in self._configured().items()
            for name in names
            if name not in known and self._find(name) is None
        ]
        named = known.union(entry.id for entry in missing)
        lost = [
            ModelEntry(id=name, type="unknown", state="provider_missing", error=str(reason))
            for name, reason in self._speech.registry.router.unserved.items()
            if name not in named
        ]
        return entries + missing + lost

    def model(self, name: str) -> ModelEntry:
        """See ``Client``."""
        resolved = self._speech.resolve(name)
        for status in self._portal.run(self._speech.models(measure=False)):
            if status.model == resolved.model and resolved.revision is None:
                return self._entry(status)
        here = weight_store(self._settings).is_downloaded(resolved.model, resolved.revision)
        state = ModelState.DOWNLOADED if here else ModelState.AVAILABLE
        return self._entry(status_of_model(resolved, state))

    def voices(self, model: str | None) -> list[VoiceEntry]:
        """See ``Client``."""
        resolved = self._speech.resolve(self._name(Kind.TTS, model))
        require_kind(resolved, Kind.TTS)
        clones = Capability.VOICE_CLONE in resolved.model.capabilities
        cloned = voice_library(self._settings).voices() if clones else []
        return [
            VoiceEntry(
                id=voice.id,
                name=voice.name or voice.id,
                language=voice.languages[0] if voice.languages else None,
                gender=voice.gender,
                model=resolved.id,
            )
            for voice in resolved.model.voices
        ] + [
            VoiceEntry(id=voice.id, name=voice.name, language=voice.language, model=resolved.id)
            for voice in cloned
        ]

    def providers(self) -> list[ProviderEntry]:
        """See ``Client``."""
        return [
            ProviderEntry(
                name=provider.name,
                distribution=provider.manifest.distribution,
                version=provider.manifest.version,
                status="broken" if provider.broken else "ok",
                environment=provider.environment.name,
                summary=provider.manifest.summary,
                license=provider.manifest.license,
                models=sum(len(backend.models) for backend in provider.manifest.backends),
                error=provider.manifest.error,
            )
            for provider in self._speech.registry.providers
        ]

    def pull(self, name: str, *, accept_license: bool = False) -> ModelEntry:
        """Have a model's files here and verified."""
        resolved = self._speech.resolve(name)
        if accept_license:
            weight_store(self._settings).accept_license(resolved.model)
        self._fetch(resolved)
        return self.model(name)

    def update(self, name: str) -> tuple[ModelEntry, bool]:
        """See ``Client``."""
        resolved, store = self._speech.resolve(name), weight_store(self._settings)
        before = store.revision(resolved.model)
        if resolved.revision is None:
            _watched(resolved, self._progress, partial(store.update, resolved.model))
        return self.model(name), before != store.revision(resolved.model)

    def remove(self, name: str) -> None:
        """See ``Client``."""
        self._portal.run(self._speech.catalog.delete(name))

    def resolved(self, name: str) -> ResolvedModel:
        """Who serves a name."""
        return self._speech.resolve(name)

    def unserved(self) -> dict[str, tuple[str, bool]]:
        """Configured models that nobody serves: why, and whether they were asked for by name."""
        local = self._speech.registry.router.unserved.items()
        found = {name: (str(reason), True) for name, reason in local}
        for kind, names in self._configured().items():
            for name in names:
                try:
                    self._speech.resolve(name)
                except OpenSpeechError as error:
                    found[name] = (str(error), _chosen(self._settings, _FIELDS[kind]))
        return found

    def _ready(self, kind: Kind, wanted: str | None) -> tuple[str, ResolvedModel]:
        """The name of the model to use and who serves it; its files are here."""
        name = self._name(kind, wanted)
        resolved = self._speech.resolve(name)
        require_kind(resolved, kind)
        self._fetch(resolved)
        return name, resolved

    def _name(self, kind: Kind, wanted: str | None) -> str:
        """The model to use: what was asked for, the configured default, or one that is there."""
        if wanted:
            return wanted
        name = self._speech.default_model(kind)
        try:
            self._speech.resolve(name)
        except (ModelNotFound, ProviderBroken) as error:
            others = [
                resolved.model.id
                for resolved in self._speech.registry.router.catalogue
                if resolved.model.kind is kind
            ]
            if not others:
                raise
            field = _FIELDS[kind]
            if _chosen(self._settings, field):
                instead = f"Or use what is installed: --model {others[0]}."
                error.hint = f"{error.hint} {instead}" if error.hint else instead
                raise
            why = "is broken" if isinstance(error, ProviderBroken) else "is not installed"
            note(
                f"The provider of {name}, the default, {why}; {others[0]} is used instead. "
                f"Set {field.upper()} to choose."
            )
            return others[0]
        return name

    def _fetch(self, resolved: ResolvedModel) -> None:
        fetch(weight_store(self._settings), resolved, self._progress)

    def _configured(self) -> dict[Kind, tuple[str, ...]]:
        return {Kind.STT: self._settings.stt_models, Kind.TTS: self._settings.tts_models}

    def _find(self, name: str) -> ResolvedModel | None:
        try:
            return self._speech.resolve(name)
        except OpenSpeechError:
            return None

    def _entry(self, status: ModelStatus) -> ModelEntry:
        model = status.model
        defaults = [self._find(names[0]) for names in self._configured().values()]
        return ModelEntry(
            id=status.id,
            type=status.kind.value,
            state=status.state.value,
            provider=status.provider,
            is_default=any(
                resolved is not None and resolved.id == status.id for resolved in defaults
            ),
            size_mb=round(model.size_bytes / 1e6, 1) if model.size_bytes else None,
            description=model.description,
            license=model.license,
            license_url=model.license_url,
            license_pending=weight_store(self._settings).license_pending(model),
            languages=list(model.languages),
            voices=len(model.voices),
            aliases=list(model.aliases),
            capabilities=sorted(capability.value for capability in model.capabilities),
            devices=list(model.devices),
            compute_types=list(model.compute_types),
            source=[source.repo_id for source in model.sources],
            packages=list(status.packages),
        )


def _subtitles(transcript: Transcription, form: str | None) -> str | None:
    from open_speech.transcripts.cues import cues_of_transcript
    from open_speech.transcripts.subtitles import to_srt, to_vtt

    if form is None:
        return None
    cues = cues_of_transcript(transcript.segments, transcript.pauses)
    return to_srt(cues) if form == "srt" else to_vtt(cues)


def fetch(store: Store, resolved: ResolvedModel, progress: ProgressLine) -> None:
    """Have a model's files here and verified; Ctrl-C keeps what was fetched for the next time."""
    if not store.is_downloaded(resolved.model, resolved.revision):
        _watched(
            resolved, progress, partial(store.ensure, resolved.model, revision=resolved.revision)
        )


def _watched(resolved: ResolvedModel, progress: ProgressLine, work: Callable[..., object]) -> None:
    stop = threading.Event()

    def show(news: Progress) -> None:
        progress.bytes(resolved.id, news.bytes_done, news.bytes_total, news.bytes_per_second)

    # In a thread, so that Ctrl-C asks it to stop instead of tearing it apart.
    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work, progress=show, cancelled=stop)
        try:
            working.result()
        except KeyboardInterrupt:
            stop.set()
            progress.clear()
            note("Stopped. Partial files are kept; run the same command again to resume.")
            raise
        finally:
            progress.clear()


def _chosen(settings: Settings, field: str) -> bool:
    """Whether a setting is the operator's own choice."""
    return field in settings.model_fields_set
