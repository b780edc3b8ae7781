"""A voice of Piper at work: one sentence after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from open_speech import Audio, Capability, LoadContext, ModelInfo, SpeechRequest, TTSModel, Word
from open_speech.errors import InvalidRequest, ModelNotReady, UnknownVoice

from ._engine import Engine, Spoken
from ._layout import Config
from ._phonemes import Script, read
from ._settings import checked
from ._words import Place, places
from .catalogue import abilities, primary


class PiperModel(TTSModel):
    """A loaded voice, with all of its speakers. Takes several requests at once."""

    def __init__(self, info: ModelInfo, graph: Path, config: Config, context: LoadContext) -> None:
        """Load files that were found and read; see ``PiperBackend.load`` for what it raises."""
        checked(context.options)
        self._options = dict(context.options)
        self._engine: Engine | None = Engine(graph, config, context, info.id)
        able = abilities(phonemizer=self._engine.kind, alignments=self._engine.has_lengths)
        self._info = replace(info, capabilities=able)
        self._speakers = {voice.id: number for number, voice in enumerate(info.voices)}
        self._device_bytes = graph.stat().st_size if context.device.startswith("cuda") else 0

    @property
    def info(self) -> ModelInfo:
        """Its speakers, language and rate, and whether its graph tells word times."""
        return self._info

    def device_memory_bytes(self) -> int:
        """The size of the weights as they are on disk: the engine keeps no count."""
        return self._device_bytes if self._engine else 0

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Yield a chunk for each sentence, as the engine finds sentences.

        The same text sounds a little different every time, unless ``noise_scale`` and ``noise_w``
        are 0: the engine's random numbers take no seed.
        """
        engine = self._ready()
        settings = checked({**self._options, **request.options})
        speaker = self._speaker(request.voice)
        self._check_language(request.language)
        script = self._script(engine, request.text)
        found = places(script, engine.phonemes) if request.word_timestamps else []
        for number, phonemes in enumerate(script.sentences):
            spoken = engine.speak(
                phonemes,
                speaker=speaker,
                speed=request.speed,
                noise_scale=settings.noise_scale,
                noise_w=settings.noise_w,
                normalize=settings.normalize,
            )
            here = [place for place in found if place.sentence == number]
            yield Audio(
                samples=spoken.samples,
                sample_rate=engine.sample_rate,
                words=_timed(here, spoken, engine.sample_rate),
            )

    def close(self) -> None:
        """Free the weights; a request that runs keeps them until its end."""
        self._engine = None

    def _ready(self) -> Engine:
        if self._engine is None:
            raise ModelNotReady(f"The model {self._info.id} was closed.", model=self._info.id)
        return self._engine

    def _script(self, engine: Engine, text: str) -> Script:
        if Capability.PHONEMES in self._info.capabilities:
            return read(text, engine.phonemes, engine.knows)
        words = [(word, None) for word in text.split()]
        return Script(sentences=[each for each in engine.phonemes(text) if each], words=[*words])

    def _speaker(self, voice: str) -> int | None:
        """The number of a voice; None where there is only one."""
        number = self._speakers.get(self._info.voice_aliases.get(voice, voice))
        if number is None:
            raise UnknownVoice(
                f"The model {self._info.id} has no voice {voice[:64]!r}.",
                model=self._info.id,
                param="voice",
            )
        return number if len(self._speakers) > 1 else None

    def _check_language(self, language: str | None) -> None:
        """A voice speaks the one language that it was trained on."""
        own = self._info.languages[0] if self._info.languages else None
        if language is None or own is None or primary(language) == primary(own):
            return
        raise InvalidRequest(
            f"The model {self._info.id} speaks {own}, not {language[:32]!r}.",
            model=self._info.id,
            param="language",
            hint="Ask for a voice of that language; each is a model of its own.",
        )


def _timed(found: Sequence[Place], spoken: Spoken, rate: int) -> tuple[Word, ...]:
    """Words with their times in the sentence."""
    if spoken.ends is None:
        return ()
    return tuple(
        Word(
            text=place.word,
            start=float(spoken.ends[place.first] / rate),
            end=float(spoken.ends[place.last] / rate),
        )
        for place in found
    )
