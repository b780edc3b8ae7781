"""A Qwen3-TTS model at work: one request, piece by piece."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from open_speech import Audio, LoadContext, ModelInfo, SpeechRequest, TTSModel
from open_speech.errors import (
    AudioTooLong,
    InvalidAudio,
    InvalidRequest,
    ModelLoadFailed,
    ModelNotReady,
    TextTooLong,
    UnknownVoice,
)

from . import languages
from ._settings import checked, wants_graphs
from .catalogue import known_from
from .configuration import BASE, BadConfiguration, Generation
from .engine import Engine
from .prompts import Voice
from .resampling import resample
from .text_tokenizer import BadVocabulary
from .weights import BadWeights, Tensor

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
MAX_TEXT_CHARS = 4_000
"""More text, or longer instructions, is refused: the prompt would outgrow its memory."""
MIN_REFERENCE_S = 0.5
MAX_REFERENCE_S = 60.0
"""Bounds of a recording to imitate; a few seconds are enough."""
LONGEST_PAUSE_S = 10.0
LONGEST_CHAR_S = 1.0
"""An utterance may take so long and so much longer for each character; then it is cut off, for
the talker has lost its way. Digits and symbols take the longest to read out."""


class Qwen3Model(TTSModel):
    """A loaded checkpoint."""

    def __init__(self, info: ModelInfo, folder: Path, context: LoadContext) -> None:
        """Load from a folder; see ``Qwen3Backend.load`` for what it raises."""
        self._settings = checked(context.options)
        device, dtype = _device(context)
        if context.threads:
            torch.set_num_threads(context.threads)
        try:
            self._engine: Engine | None = Engine(
                folder, device=device, dtype=dtype, graphs=wants_graphs(context.options)
            )
        except (BadConfiguration, BadVocabulary, BadWeights) as error:
            raise ModelLoadFailed(
                f"The folder of the model {info.id} {error}.",
                model=info.id,
                hint="Delete the model and download it again, or give the folder of a checkpoint "
                "as it is published.",
            ) from error
        self._info = known_from(self._engine.config, info)

    @property
    def info(self) -> ModelInfo:
        """Voices, languages and capabilities as the checkpoint itself has them."""
        return self._info

    def device_memory_bytes(self) -> int:
        """What torch holds of the device's memory: weights, graphs and what requests need."""
        if self._engine is None or not self._engine.device.startswith("cuda"):
            return 0
        return int(torch.cuda.memory_reserved(self._engine.device))

    def synthesize(self, request: SpeechRequest) -> Iterator[Audio]:
        """Yield sound while it is made, the first after two frames (160 ms of sound).

        Can be stopped between two pieces, which are of twelve frames at most.
        """
        engine = self._ready()
        settings = self._asked(request, engine)
        language = self._language(request.language, request.voice, engine)
        voice = self._voice(request, engine)
        prompt = engine.prompt(request.text, voice, language, request.instructions)
        frames = engine.frames(prompt, settings, request.seed)
        for samples in engine.sound(frames, before=voice.codes):
            yield Audio(samples=samples, sample_rate=engine.config.sample_rate)

    def close(self) -> None:
        """Free the weights and give the device's memory back."""
        engine, self._engine = self._engine, None
        if engine is None:
            return
        on_gpu = engine.device.startswith("cuda")
        engine.release()
        del engine
        if on_gpu:
            torch.cuda.empty_cache()

    def _ready(self) -> Engine:
        if self._engine is None:
            raise ModelNotReady(f"The model {self._info.id} was closed.", model=self._info.id)
        return self._engine

    def _asked(self, request: SpeechRequest, engine: Engine) -> Generation:
        longest = max(len(request.text), len(request.instructions or ""))
        if longest > MAX_TEXT_CHARS:
            raise TextTooLong(
                f"{longest} characters are too many for the model {self._info.id}.",
                model=self._info.id,
                hint=f"It takes up to {MAX_TEXT_CHARS} at a time.",
            )
        sampling = {**self._settings, **checked(request.options)}
        settings = replace(engine.config.generation, **sampling)  # type: ignore[arg-type]
        frame_s = engine.samples_per_frame / engine.config.sample_rate
        seconds = LONGEST_PAUSE_S + LONGEST_CHAR_S * len(request.text)
        frames = min(settings.max_new_tokens, math.ceil(seconds / frame_s))
        return replace(settings, max_new_tokens=frames)

    def _voice(self, request: SpeechRequest, engine: Engine) -> Voice:
        if request.reference is not None and engine.config.kind == BASE:
            rate = engine.config.sample_rate
            heard = self._checked(request.reference)
            samples = resample(heard.samples, heard.sample_rate, rate)
            return engine.recorded_voice(samples, (request.reference_text or "").strip())
        speakers = engine.config.speakers
        if not speakers:
            return Voice()
        speaker = speakers.get(request.voice.lower())
        if speaker is None:
            raise UnknownVoice(
                f"The model {self._info.id} has no voice {request.voice[:64]!r}.",
                model=self._info.id,
                param="voice",
                hint=f"It has: {', '.join(speakers)}.",
            )
        return engine.preset_voice(speaker)

    def _checked(self, reference: Audio) -> Audio:
        if reference.seconds > MAX_REFERENCE_S:
            raise AudioTooLong(
                f"The recording to imitate takes {reference.seconds:.0f} seconds.",
                model=self._info.id,
                param="reference",
                hint=f"Give at most {MAX_REFERENCE_S:.0f}; ten are enough.",
            )
        if reference.seconds < MIN_REFERENCE_S:
            raise InvalidAudio(
                f"The recording to imitate takes {reference.seconds:.2f} seconds.",
                model=self._info.id,
                param="reference",
                hint=f"Give at least {MIN_REFERENCE_S}; three and more are better.",
            )
        return reference

    def _language(self, tag: str | None, voice: str, engine: Engine) -> int | None:
        """The language's id among the codes; None leaves it to the talker.

        A voice with a dialect speaks Chinese in that dialect.
        """
        ids = engine.config.language_ids
        name = languages.name(tag) if tag else None
        if tag and name not in ids:
            raise InvalidRequest(
                f"The model {self._info.id} does not speak {tag[:32]!r}.",
                model=self._info.id,
                param="language",
                hint=f"It speaks: {', '.join(self._info.languages)}.",
            )
        if name in (None, languages.NAMES["zh"]):
            name = engine.config.dialects.get(voice.lower(), name)
        return ids[name] if name else None


def _device(context: LoadContext) -> tuple[str, Tensor]:
    kind, _, number = context.device.partition(":")
    there = kind == "cpu" or (
        kind == "cuda"
        and torch.cuda.is_available()
        and int(number or 0) < torch.cuda.device_count()
    )
    if not there:
        raise InvalidRequest(
            f"There is no device {context.device[:32]!r} here.",
            param="device",
            hint="Use 'cpu', or install a torch that knows the GPU.",
        )
    compute = context.compute_type or ("bfloat16" if kind == "cuda" else "float32")
    if compute not in _DTYPES:
        raise InvalidRequest(
            f"There is no number format {compute[:32]!r} here.",
            param="compute_type",
            hint=f"There are: {', '.join(_DTYPES)}.",
        )
    return context.device, _DTYPES[compute]
