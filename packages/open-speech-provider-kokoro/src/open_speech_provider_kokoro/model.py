"""Kokoro at work: one text, chunk by chunk."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import numpy as np

from open_speech import (
    Audio,
    LoadContext,
    ModelInfo,
    Phonemes,
    PhonemesRequest,
    Samples,
    SpeechRequest,
    TTSModel,
    VoiceShare,
    read_mix,
)
from open_speech.errors import InvalidRequest, ModelLoadFailed, ModelNotReady, UnknownVoice

from ._engine import SAMPLE_RATE, Engine, threads
from ._leftovers import give_back
from ._packs import Packs
from ._settings import engine as chosen_engine
from ._spelling import Spelling, missing
from ._tokens import chunks, known, symbols_of, timed_words
from ._weights import Weights, read_vocabulary
from .catalogue import TAGGER, WEIGHTS
from .voices import LANGUAGES, UNSPACED, letter_of

_log = logging.getLogger(__name__)
_EDGE = 0
"""The number of the mark before and after a text."""


class KokoroModel(TTSModel):
    """A loaded model: the network, its voices, and what spells each language."""

    def __init__(self, info: ModelInfo, folder: Path, context: LoadContext) -> None:
        """Load from a folder; see ``KokoroBackend.load`` for what it raises."""
        self._vocabulary = read_vocabulary(folder, info.id)
        self._packs = Packs(folder / "voices", info.id)
        self._spelling = Spelling(_tagger_folder(folder, context), info.id)
        self._engine: Engine | None = _engine(info, folder, context)
        self._info = replace(info, languages=_spoken_here(info))
        self._warm()
        give_back()

    @property
    def info(self) -> ModelInfo:
        """The languages that this installation can spell; voices are listed all the same."""
        return self._info

    def device_memory_bytes(self) -> int:
        """What the engine holds on a GPU."""
        return self._engine.device_memory_bytes() if self._engine else 0

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Yield a chunk for each 510 symbols, which is some 30 seconds; a sentence is less.

        The language is that of the (first) voice unless the request names one. A seed makes the
        noise repeatable, and with it every sample, on the same machine with the same engine.
        """
        engine = self._ready()
        shares = self._shares(request.voice)
        letter = self._letter(request.language, shares)
        if request.word_timestamps and letter in UNSPACED:
            self._refuse_times(letter)
        if request.options:
            chosen_engine(request.options)
            raise InvalidRequest("This engine has no options per request.", param="options")
        random = np.random.default_rng(request.seed)
        tokens = known(self._spelling.spell(letter, request.text), self._vocabulary)
        for chunk in chunks(tokens):
            spoken = symbols_of(chunk)
            if not spoken.strip():
                continue
            samples, frames = engine.speak(
                np.array([_EDGE, *(self._vocabulary[s] for s in spoken), _EDGE], np.int64),
                self._packs.style(((share.voice, share.weight) for share in shares), len(spoken)),
                request.speed,
                lambda count: random.standard_normal(count, np.float32),
            )
            yield Audio(
                samples=_checked(samples, self._info),
                sample_rate=SAMPLE_RATE,
                words=timed_words(chunk, frames) if request.word_timestamps else (),
            )

    def phonemize(self, request: PhonemesRequest) -> Iterator[Phonemes]:
        """Yield the phonemes of the whole text, as they are spoken."""
        self._ready()
        voice = self._info.default_voice or ""
        letter = self._letter(request.language, self._shares(voice))
        tokens = known(self._spelling.spell(letter, request.text), self._vocabulary)
        yield Phonemes(text=symbols_of(tokens).strip())

    def close(self) -> None:
        """Free the weights."""
        engine, self._engine = self._engine, None
        if engine:
            engine.close()

    def _ready(self) -> Engine:
        if self._engine is None:
            raise ModelNotReady(f"The model {self._info.id} was closed.", model=self._info.id)
        return self._engine

    def _warm(self) -> None:
        """Load what the default voice needs, so that the first request is as fast as any."""
        voice = self._info.default_voice
        if voice and missing(voice[0]) is None:
            for _ in self.synthesize(SpeechRequest(text="Hi.", voice=voice)):
                pass

    def _shares(self, voice: str) -> tuple[VoiceShare, ...]:
        """The voices of a blend, each of which the model has."""
        names = {known_voice.id for known_voice in self._info.voices}
        shares = read_mix(voice)
        for share in shares:
            if share.voice not in names:
                raise UnknownVoice(
                    f"The model {self._info.id} has no voice {share.voice[:64]!r}.",
                    model=self._info.id,
                    param="voice",
                )
        return shares

    def _refuse_times(self, letter: str) -> NoReturn:
        raise InvalidRequest(
            f"The model {self._info.id} cannot tell the words of {LANGUAGES[letter].name} apart, "
            "so they have no times.",
            model=self._info.id,
            param="word_timestamps",
            hint="Ask for speech without the times of words.",
        )

    def _letter(self, language: str | None, shares: tuple[VoiceShare, ...]) -> str:
        if language is None:
            return shares[0].voice[0]
        letter = letter_of(language)
        if letter is None:
            raise InvalidRequest(
                f"The model {self._info.id} does not speak {language[:32]!r}.",
                model=self._info.id,
                param="language",
                hint=f"It speaks {', '.join(known.tag for known in LANGUAGES.values())}.",
            )
        return letter


def _engine(info: ModelInfo, folder: Path, context: LoadContext) -> Engine:
    """ONNX Runtime on a CPU, torch on a GPU, unless the setting says otherwise."""
    chosen = chosen_engine(context.options)
    on_gpu = context.device.partition(":")[0] != "cpu"
    if chosen == "onnx" and on_gpu:
        raise InvalidRequest(
            f"The engine 'onnx' runs on a CPU, not on {context.device!r}.",
            param="device",
            hint="Leave the setting 'engine' out, or use the device 'cpu'.",
        )
    if chosen == "torch" or on_gpu:
        if not (find_spec("torch") and find_spec("kokoro")):
            raise InvalidRequest(
                f"The model {info.id} needs torch for this, which is not installed.",
                model=info.id,
                param="device",
                hint="Install it with: pip install 'open-speech-provider-kokoro[torch]'.",
            )
        from ._torch import TorchEngine

        weights = Weights(folder / WEIGHTS, info.id)
        return TorchEngine(weights, context.device, threads(context.threads))
    from ._onnx import OnnxEngine

    return OnnxEngine(Weights(folder / WEIGHTS, info.id), threads(context.threads))


def _tagger_folder(folder: Path, context: LoadContext) -> Path | None:
    found = context.paths.get(TAGGER, folder / TAGGER)
    return found if (found / "config.cfg").is_file() else None


def _spoken_here(info: ModelInfo) -> tuple[str, ...]:
    lacking = {letter: fix for letter in LANGUAGES if (fix := missing(letter))}
    for letter, fix in lacking.items():
        _log.info("%s cannot speak %s here. %s", info.id, LANGUAGES[letter].name, fix)
    tags = {LANGUAGES[letter].tag for letter in lacking}
    return tuple(tag for tag in info.languages if tag not in tags)


def _checked(samples: Samples, info: ModelInfo) -> Samples:
    """Within [-1, 1], which the network is trained for and now and then leaves."""
    if not np.isfinite(samples).all():
        raise ModelLoadFailed(
            f"The weights of the model {info.id} give no sound.",
            model=info.id,
            hint="Delete the model and download it again.",
        )
    return np.clip(samples, -1, 1)
