"""The engine, typed: recognizers made of a folder's files, and what they hear.

The only modules that import sherpa-onnx are this one and ``voices``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import sherpa_onnx

from open_speech import Capability, OptionValue, Samples
from open_speech.errors import ModelLoadFailed

from .families import CAPABILITIES, Family
from .hotwords import Vocabulary
from .layout import Layout
from .words import Token, tokens

SAMPLE_RATE = 16_000
BEAM_SEARCH = "modified_beam_search"
_CTC_FACTOR = 4
_ENDPOINTS = {
    "rule1_min_trailing_silence": 2.4,
    "rule2_min_trailing_silence": 1.2,
    "rule3_min_utterance_length": 20.0,
}
"""The engine's own rules for the end of an utterance, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What was understood of one piece of sound."""

    text: str
    tokens: Sequence[Token]
    """Empty where the model tells no times."""
    language: str = ""
    """The engine's mark, such as ``<|en|>``."""


class OfflineEngine:
    """Recognizers for whole pieces of sound, of one model. Thread-safe.

    Some requests need a second recognizer, with the weights once more: those with words to expect,
    as it searches in another way, and those that tell SenseVoice its language, as a recognizer
    that is told makes other features of the sound from then on (sherpa-onnx 2.0.1). It is made
    for the first such request.
    """

    def __init__(self, layout: Layout, threads: int, settings: Mapping[str, OptionValue]) -> None:
        self._layout = layout
        self._threads = threads
        self._settings = settings
        self._lock = Lock()
        self._plain = _offline(layout, threads)
        self._second: Any = None
        self._vocabulary = _vocabulary(layout)

    def hear(
        self,
        samples: Samples,
        *,
        source: str | None = None,
        target: str | None = None,
        keywords: Sequence[str] = (),
        options: Mapping[str, str] | None = None,
    ) -> Heard:
        """Understand a piece of sound. ``source`` and ``target`` are the model's own codes."""
        written = self._vocabulary.written(keywords) if self._vocabulary else ""
        recognizer = self._keenly() if written else self._plain
        stream = recognizer.create_stream(written) if written else recognizer.create_stream()
        for name, value in (options or {}).items():
            stream.set_option(name, value)
        stream.accept_waveform(SAMPLE_RATE, samples)
        if source:
            with self._lock:  # the language is the recognizer's, not the stream's
                self._told(source, target or source).decode_stream(stream)
        else:
            recognizer.decode_stream(stream)
        return _heard(stream.result)

    def _told(self, source: str, target: str) -> Any:
        """The recognizer for sound in a language."""
        if self._layout.family is Family.SENSE_VOICE:
            if self._second is None:
                self._second = _offline(self._layout, self._threads)
            recognizer = self._second
            recognizer.config.model_config.sense_voice.language = source
        elif self._layout.family is Family.CANARY:
            recognizer = self._plain
            recognizer.config.model_config.canary.src_lang = source
            recognizer.config.model_config.canary.tgt_lang = target
        else:
            return self._plain
        recognizer.recognizer.set_config(recognizer.config)
        return recognizer

    def _keenly(self) -> Any:
        with self._lock:
            if self._second is None:
                self._second = _with_hotwords(
                    self._vocabulary,
                    lambda extra: _offline(self._layout, self._threads, **extra),
                    self._settings,
                )
            return self._second


class OnlineEngine:
    """Recognizers for sound that comes in, of one model. Thread-safe; streams are not."""

    def __init__(self, layout: Layout, threads: int, settings: Mapping[str, OptionValue]) -> None:
        self._layout = layout
        self._threads = threads
        self._settings = settings
        self._scale = _time_scale(layout)
        self._rules = _rules(settings, self._scale)
        self._lock = Lock()
        self._plain = _online(layout, threads, **self._rules)
        self._keen: Any = None
        self._vocabulary = _vocabulary(layout)

    def stream(self, keywords: Sequence[str] = (), language: str | None = None) -> OnlineStream:
        """Begin to hear something."""
        written = self._vocabulary.written(keywords) if self._vocabulary else ""
        recognizer = self._keenly() if written else self._plain
        stream = recognizer.create_stream(written) if written else recognizer.create_stream()
        if language and "prompt_dictionary" in self._layout.metadata:
            stream.set_option("language", language)
        return OnlineStream(recognizer, stream, self._scale)

    def _keenly(self) -> Any:
        with self._lock:
            if self._keen is None:
                self._keen = _with_hotwords(
                    self._vocabulary,
                    lambda extra: _online(self._layout, self._threads, **self._rules, **extra),
                    self._settings,
                )
            return self._keen


class OnlineStream:
    """One sound as it comes in. One thread at a time."""

    def __init__(self, recognizer: Any, stream: Any, time_scale: float) -> None:
        self._recognizer = recognizer
        self._stream = stream
        self._scale = time_scale

    def feed(self, samples: Samples) -> None:
        """Take in more sound."""
        self._stream.accept_waveform(SAMPLE_RATE, samples)

    def end(self) -> None:
        """No more sound comes."""
        self._stream.input_finished()

    def steps(self) -> Iterator[None]:
        """Decode what is there, and pause after each of the engine's chunks."""
        while self._recognizer.is_ready(self._stream):
            self._recognizer.decode_stream(self._stream)
            yield

    def heard(self) -> Heard:
        """What was understood since the last ``reset``; times are of the whole stream."""
        result = self._recognizer.get_result_all(self._stream)
        since = float(result.start_time)
        times = [since + self._scale * float(time) for time in result.timestamps]
        return Heard(
            text=result.text.strip(),
            tokens=tokens(list(result.tokens), times, logprobs=list(result.ys_probs)),
        )

    def is_over(self) -> bool:
        """Whether the engine finds that the utterance has ended."""
        return bool(self._recognizer.is_endpoint(self._stream))

    def reset(self) -> None:
        """Begin a new utterance; the engine remembers how the sound went."""
        self._recognizer.reset(self._stream)


def _time_scale(layout: Layout) -> float:
    """What the engine's times within an utterance have to be multiplied with.

    It takes a frame of any streaming CTC model for four of 10 ms (sherpa-onnx 2.0.1); those of
    NeMo are eight.
    """
    factor = layout.metadata.get("subsampling_factor", "")
    if layout.family is not Family.STREAMING_NEMO_CTC or not factor.isdigit():
        return 1.0
    return int(factor) / _CTC_FACTOR


def _rules(settings: Mapping[str, OptionValue], time_scale: float) -> dict[str, float]:
    """The rules for the end of an utterance, in the engine's own time where it counts silence."""
    return {
        name: float(settings.get(name, value)) / (time_scale if "silence" in name else 1.0)
        for name, value in _ENDPOINTS.items()
    }


def _heard(result: Any) -> Heard:
    return Heard(
        text=result.text.strip(),
        tokens=tokens(
            list(result.tokens),
            list(result.timestamps),
            list(result.durations),
            list(result.ys_log_probs),
        ),
        language=result.lang,
    )


def _vocabulary(layout: Layout) -> Vocabulary | None:
    takes = Capability.KEYWORDS in CAPABILITIES[layout.family]
    return Vocabulary(layout.files["tokens"]) if takes else None


def _with_hotwords(vocabulary: Vocabulary | None, make: Any, options: Mapping[str, Any]) -> Any:
    """A recognizer that takes words to expect; the engine reads the vocabulary while it is made."""
    assert vocabulary is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bpe.vocab")
        vocabulary.write(path)
        return make(
            {
                "decoding_method": BEAM_SEARCH,
                "modeling_unit": vocabulary.unit,
                "bpe_vocab": "" if vocabulary.unit == "cjkchar" else str(path),
                "max_active_paths": options.get("max_active_paths", 4),
                "hotwords_score": options.get("hotwords_score", 1.5),
            }
        )


_MAKERS: dict[Family, tuple[str, dict[str, str]]] = {
    Family.TRANSDUCER: (
        "from_transducer",
        {"encoder": "encoder", "decoder": "decoder", "joiner": "joiner"},
    ),
    Family.NEMO_TRANSDUCER: (
        "from_transducer",
        {"encoder": "encoder", "decoder": "decoder", "joiner": "joiner"},
    ),
    Family.NEMO_CTC: ("from_nemo_ctc", {"model": "model"}),
    Family.ZIPFORMER_CTC: ("from_zipformer_ctc", {"model": "model"}),
    Family.WENET_CTC: ("from_wenet_ctc", {"model": "model"}),
    Family.PARAFORMER: ("from_paraformer", {"paraformer": "model"}),
    Family.SENSE_VOICE: ("from_sense_voice", {"model": "model"}),
    Family.MOONSHINE: (
        "from_moonshine",
        {
            "preprocessor": "preprocessor",
            "encoder": "encoder",
            "uncached_decoder": "uncached_decoder",
            "cached_decoder": "cached_decoder",
        },
    ),
    Family.MOONSHINE_V2: (
        "from_moonshine_v2",
        {"encoder": "encoder", "decoder": "merged_decoder"},
    ),
    Family.CANARY: ("from_nemo_canary", {"encoder": "encoder", "decoder": "decoder"}),
    Family.STREAMING_TRANSDUCER: (
        "from_transducer",
        {"encoder": "encoder", "decoder": "decoder", "joiner": "joiner"},
    ),
    Family.STREAMING_NEMO_TRANSDUCER: (
        "from_transducer",
        {"encoder": "encoder", "decoder": "decoder", "joiner": "joiner"},
    ),
    Family.STREAMING_PARAFORMER: (
        "from_paraformer",
        {"encoder": "encoder", "decoder": "decoder"},
    ),
    Family.STREAMING_ZIPFORMER_CTC: ("from_zipformer2_ctc", {"model": "model"}),
    Family.STREAMING_NEMO_CTC: ("from_nemo_ctc", {"model": "model"}),
}
"""How the library makes a recognizer, and what it calls the files."""


def _offline(layout: Layout, threads: int, **extra: Any) -> Any:
    if layout.family is Family.NEMO_TRANSDUCER:
        extra["model_type"] = "nemo_transducer"
    if layout.family is Family.SENSE_VOICE:
        extra["use_itn"] = True
    return _made(sherpa_onnx.OfflineRecognizer, layout, threads, extra)


def _online(layout: Layout, threads: int, **extra: Any) -> Any:
    extra["enable_endpoint_detection"] = True
    return _made(sherpa_onnx.OnlineRecognizer, layout, threads, extra)


def _made(library: Any, layout: Layout, threads: int, extra: Mapping[str, Any]) -> Any:
    name, names = _MAKERS[layout.family]
    files = {parameter: str(layout.files[part]) for parameter, part in names.items()}
    try:
        return getattr(library, name)(
            **files, tokens=str(layout.files["tokens"]), num_threads=threads, **extra
        )
    except (RuntimeError, ValueError, AssertionError) as error:
        raise ModelLoadFailed(
            f"sherpa-onnx cannot load {layout.files['tokens'].parent.name}: {error}",
            provider="sherpa",
            hint="Download the model again, or give the folder of one made for sherpa-onnx.",
        ) from error


def contiguous(samples: Samples) -> Samples:
    """The same samples as the engine wants them."""
    return np.ascontiguousarray(samples, np.float32)
