"""faster-whisper, typed, with what it lacks: voice activity as a step apart, log-probabilities.

Nothing of its decoding is changed: on the same samples with the same settings, text and times are
those of the library called directly.
"""

from __future__ import annotations

import copy
import logging
import math
import re
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import ctranslate2
import faster_whisper
import numpy as np
from faster_whisper.transcribe import restore_speech_timestamps
from faster_whisper.vad import VadOptions, get_speech_timestamps, get_vad_model

from open_speech import Samples, TokenLogprob, VoiceActivity
from open_speech.errors import InvalidRequest

from ._alignment import Aligned, align

SAMPLE_RATE = 16_000
"""Samples per second that the model was made for."""
MIN_SAMPLES = 160
"""One frame; in less there is nothing to decode."""
MAX_KEYWORD_TOKENS = 100
"""Room for keywords before each window: with text that went before (223 tokens at most) it leaves
120 of the model's 448 places for what is said in 30 seconds."""

_MARK = re.compile(r"<\|")
_CLOSE_TIMEOUT_S = 2.0


@dataclass(frozen=True, kw_only=True)
class Region:
    """Where somebody speaks, in samples."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What was found out before decoding, and the segments as the library yields them."""

    language: str
    """The model's own code."""
    probability: float | None
    """None where the language was given."""
    segments: Generator[tuple[Any, tuple[TokenLogprob, ...]]]
    """Each with its log-probabilities, which are empty unless asked for."""


class Engine:
    """A loaded model. Requests may run in several threads at once."""

    def __init__(
        self, folder: Path, *, device: str, compute_type: str, threads: int, workers: int
    ) -> None:
        kind, _, index = device.partition(":")
        # The library tells each request's length and language; the server knows them already.
        logging.getLogger("faster_whisper").setLevel(logging.WARNING)
        self._whisper = _Whisper(
            str(folder),
            device=kind,
            device_index=int(index or 0),
            compute_type=compute_type,
            cpu_threads=threads,
            num_workers=workers,
            local_files_only=True,
        )
        get_vad_model()  # one thread, kept for good: the first request finds it ready

    @property
    def multilingual(self) -> bool:
        """Whether it tells languages apart."""
        return bool(self._whisper.model.is_multilingual)

    def speech(self, samples: Samples, activity: VoiceActivity) -> list[Region]:
        """Find where somebody speaks, by the detector that comes with the library."""
        options = VadOptions(
            threshold=activity.threshold,
            min_silence_duration_ms=round(activity.min_silence_s * 1000),
            speech_pad_ms=round(activity.padding_s * 1000),
        )
        found = get_speech_timestamps(samples, options, SAMPLE_RATE)
        return [Region(start=int(part["start"]), end=int(part["end"])) for part in found]

    def hear(
        self,
        samples: Samples,
        regions: Sequence[Region] | None,
        *,
        logprobs: bool = False,
        language: str | None = None,
        among: Sequence[str] = (),
        **settings: Any,
    ) -> Heard:
        """Begin to decode: all of the samples, or the regions alone, with times of the whole.

        Blocks where the language has to be detected, which is one of those ``among`` unless there
        are none. ``settings`` are the library's own.
        """
        view = copy.copy(self._whisper)  # shares everything, and remembers for this request alone
        parts = None
        if regions is not None:
            parts = [{"start": part.start, "end": part.end} for part in regions]
            samples = np.concatenate([samples[part.start : part.end] for part in regions])
        probability = None
        if language is None and among:
            language, probability = self._likeliest(samples, among)
        segments, info = view.transcribe(samples, language=language, **settings)
        if parts:
            segments = restore_speech_timestamps(segments, parts, SAMPLE_RATE)
        return Heard(
            language=info.language,
            probability=probability if language else float(info.language_probability),
            segments=_told(view, segments, logprobs=logprobs),
        )

    def align(
        self, samples: Samples, words: Sequence[str], language: str | None
    ) -> Iterator[Aligned]:
        """Find when each word is said; see ``_alignment.align`` for what it raises."""
        return align(self._whisper, samples, words, [plain(word) for word in words], language)

    def _likeliest(self, samples: Samples, among: Sequence[str]) -> tuple[str, float]:
        """The language, of some, that the first window is most likely in, and how likely."""
        *_, known = self._whisper.detect_language(samples)
        language, probability = max((each for each in known if each[0] in among), key=itemgetter(1))
        return language, float(probability)

    def hotwords(self, keywords: Sequence[str]) -> str | None:
        """The keywords as the library takes them: as many of the first as there is room for."""
        kept: list[str] = []
        for keyword in keywords:
            line = ", ".join([*kept, plain(keyword)])
            tokens = self._whisper.hf_tokenizer.encode(f" {line}", add_special_tokens=False)
            if len(tokens.ids) > MAX_KEYWORD_TOKENS:
                break
            kept.append(plain(keyword))
        return ", ".join(kept) or None

    def close(self) -> None:
        """Free the weights. The engine ignores this while it counts a batch as active."""
        model = self._whisper.model
        give_up = time.monotonic() + _CLOSE_TIMEOUT_S
        while model.model_is_loaded and time.monotonic() < give_up:
            model.unload_model()
            time.sleep(0.001)


def plain(text: str) -> str:
    """Text without the marks of the model's own tokens, which the tokenizer would obey."""
    return _MARK.sub("< |", text.encode(errors="replace").decode()).strip()


def check_device(device: str, compute_type: str | None) -> None:
    """Raise InvalidRequest for a device, or a number format on it, that this machine lacks."""
    kind, _, index = device.partition(":")
    if kind == "cuda" and int(index or 0) >= (count := ctranslate2.get_cuda_device_count()):
        raise InvalidRequest(
            f"There is no device {device!r}: CTranslate2 finds {count} CUDA devices.",
            param="device",
            hint="Use 'cpu', or check the driver and the libraries of CUDA 12 and cuDNN 9.",
        )
    if compute_type is None:
        return
    possible = ctranslate2.get_supported_compute_types(kind, int(index or 0))
    if compute_type not in possible:
        raise InvalidRequest(
            f"The number format {compute_type!r} is not supported on {device!r}.",
            param="compute_type",
            hint=f"Choose one of {', '.join(sorted(possible))}, or leave it out.",
        )


@dataclass(frozen=True)
class _Window:
    """What one window of 30 seconds was decoded to."""

    encoded: Any
    tokens: list[int]
    tokenizer: Any


class _Whisper(faster_whisper.WhisperModel):  # type: ignore[misc]
    """The library's model, remembering its last window. Copied for each request."""

    window: _Window | None = None

    def generate_with_fallback(
        self, encoder_output: Any, prompt: list[int], tokenizer: Any, options: Any
    ) -> Any:
        """Decode a window as the library does, and remember it."""
        result = super().generate_with_fallback(encoder_output, prompt, tokenizer, options)
        self.window = _Window(encoder_output, result[0].sequences_ids[0], tokenizer)
        return result


def _told(
    view: _Whisper, segments: Generator[Any], *, logprobs: bool
) -> Generator[tuple[Any, tuple[TokenLogprob, ...]]]:
    """The segments, each with the log-probabilities of its tokens."""
    told: _Logprobs | None = None
    with closing(segments):
        for segment in segments:
            if logprobs and view.window and (told is None or told.window is not view.window):
                told = _Logprobs(view, view.window)
            yield segment, told.of(segment.tokens) if told else ()


class _Logprobs:
    """Log-probabilities (natural logarithm) of one window's text tokens.

    They are the model's own, given the sound and the text before in the window, out of the pass
    that also finds word times. Time stamps are no text and have none.
    """

    def __init__(self, view: _Whisper, window: _Window) -> None:
        self.window = window
        self._tokenizer = view.hf_tokenizer
        self._end_of_text = window.tokenizer.eot
        places = [i for i, token in enumerate(window.tokens) if token < self._end_of_text]
        self._logprobs: dict[int, float] = {}
        if text := [window.tokens[place] for place in places]:
            start, frames = window.tokenizer.sot_sequence, view.feature_extractor.nb_max_frames
            (aligned,) = view.model.align(window.encoded, start, [text], frames)
            pairs = zip(places, aligned.text_token_probs, strict=True)
            self._logprobs = {place: _log(probability) for place, probability in pairs}

    def of(self, tokens: Sequence[int]) -> tuple[TokenLogprob, ...]:
        """Those of a segment: of the place in the window where its tokens, with times, stand."""
        window, count = self.window.tokens, len(tokens)
        for place in range(len(window) - count + 1):
            if window[place : place + count] == list(tokens):
                return tuple(
                    TokenLogprob(token=self._tokenizer.decode([window[i]]), logprob=known)
                    for i in range(place, place + count)
                    if (known := self._logprobs.get(i)) is not None
                )
        return ()


def _log(probability: float) -> float:
    return math.log(min(probability, 1.0)) if probability > 0.0 else -math.inf
