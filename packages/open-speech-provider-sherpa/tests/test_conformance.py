"""The suites that every provider runs, over tiny models of each family."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from open_speech import Audio, LoadContext
from open_speech.testing import DiarizationConformance, STTConformance, join, noise, silence
from open_speech_provider_sherpa import SherpaBackend, SherpaDiarizationBackend

MODELS, STREAMS = sys.modules["sherpa_models"], sys.modules["sherpa_streams"]  # by conftest.py
SPEAKERS = sys.modules["sherpa_speakers"]
ROOT = tempfile.TemporaryDirectory(prefix="sherpa-conformance-")
RATE = 16_000
ENGINE = ("sherpa_onnx", "_sherpa_onnx")


def folder(make: str, kind: str) -> LoadContext:
    maker = (STREAMS.STREAMING if kind == "STREAMING" else MODELS.OFFLINE)[make]
    return LoadContext(paths={"model": maker(Path(ROOT.name, f"{kind}-{make}".lower()))}, threads=1)


def voice(hertz: float, seconds: float, seed: int) -> Audio:
    """A voice of a kind: a tone with its octave, and syllables of chance."""
    time = np.arange(round(seconds * RATE)) / RATE
    beat = np.random.default_rng(seed).uniform(3.0, 5.0)
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * beat * time)
    samples = 0.4 * swell * np.sin(2 * np.pi * hertz * time)
    return Audio(samples=samples.astype(np.float32), sample_rate=RATE)


class Hearing(STTConformance):
    """What they have in common."""

    backend = SherpaBackend
    engine_modules = ENGINE
    audio = join(silence(0.5), noise(2.0), silence(0.3), noise(1.0, amplitude=0.5, seed=3))
    other_audio = noise(1.5, amplitude=0.02, seed=9)


del STTConformance  # pytest collects the names of a module


class TestParakeet(Hearing):
    models = ("csukuangfj/sherpa-onnx-nemo-parakeet-tdt-0.6b-v3-int8",)
    context = folder("nemo_tdt", "OFFLINE")


class TestNemoTransducer(Hearing):
    models = ("somebody/sherpa-onnx-nemo-transducer-en",)
    context = folder("nemo_rnnt", "OFFLINE")


class TestGigaAM(Hearing):
    models = ("csukuangfj/sherpa-onnx-nemo-transducer-punct-giga-am-v3-russian-2025-12-16",)
    context = folder("gigaam", "OFFLINE")


class TestZipformer(Hearing):
    models = ("k2-fsa/sherpa-onnx-zipformer-korean-2024-06-24",)
    context = folder("zipformer", "OFFLINE")


class TestSenseVoice(Hearing):
    models = ("csukuangfj/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17",)
    context = folder("sense_voice", "OFFLINE")


class TestCanary(Hearing):
    models = ("csukuangfj/sherpa-onnx-nemo-canary-180m-flash-en-es-de-fr-int8",)
    context = folder("canary", "OFFLINE")


class TestMoonshine(Hearing):
    models = ("csukuangfj/sherpa-onnx-moonshine-tiny-en-int8",)
    context = folder("moonshine", "OFFLINE")


class TestParaformer(Hearing):
    models = ("csukuangfj/sherpa-onnx-paraformer-zh-2023-03-28",)
    context = folder("paraformer", "OFFLINE")


class TestNemoCtc(Hearing):
    models = ("csukuangfj/sherpa-onnx-nemo-parakeet-tdt_ctc-0.6b-ja-35000-int8",)
    context = folder("nemo_ctc", "OFFLINE")


class TestStreamingZipformer(Hearing):
    models = (
        "csukuangfj/sherpa-onnx-streaming-zipformer-en-2023-06-26",
        "somebody/sherpa-onnx-streaming-zipformer-fr-2026",
    )
    context = folder("zipformer", "STREAMING")


class TestStreamingParaformer(Hearing):
    models = ("csukuangfj/sherpa-onnx-streaming-paraformer-bilingual-zh-en",)
    context = folder("paraformer", "STREAMING")


class TestStreamingZipformerCtc(Hearing):
    models = ("somebody/sherpa-onnx-streaming-zipformer-ctc-small",)
    context = folder("zipformer_ctc", "STREAMING")


class TestNemotron(Hearing):
    models = ("csukuangfj2/sherpa-onnx-nemotron-3.5-asr-streaming-0.6b-560ms-int8-2026-06-11",)
    context = folder("nemo", "STREAMING")


class TestStreamingNemoCtc(Hearing):
    models = ("somebody/sherpa-onnx-nemo-streaming-fast-conformer-ctc-en",)
    context = folder("nemo_ctc", "STREAMING")


class TestZipformerCtc(Hearing):
    models = ("somebody/sherpa-onnx-zipformer-ctc-zh",)
    context = folder("zipformer_ctc", "OFFLINE")


class TestMoonshineV2(Hearing):
    models = ("somebody/sherpa-onnx-moonshine-base-es-quantized-2026",)
    context = folder("moonshine_v2", "OFFLINE")


class TestSpeakers(DiarizationConformance):
    """Two voices that take turns for a quarter of a minute."""

    backend = SherpaDiarizationBackend
    engine_modules = ENGINE
    context = LoadContext(
        paths={
            "segmentation": SPEAKERS.segmentation(Path(ROOT.name, "segmentation")),
            "embedding": SPEAKERS.embedding(Path(ROOT.name, "embedding")),
        },
        threads=1,
    )
    audio = join(
        silence(0.5),
        *(
            part
            for seed in range(3)
            for part in (voice(220, 2.5, seed), silence(0.7), voice(1_800, 2.0, seed), silence(0.7))
        ),
    )
    speakers = 2
    voices = tuple(
        (voice(hertz, 2.0, seed), voice(hertz, 3.0, seed + 1))
        for hertz, seed in ((220.0, 1), (1_800.0, 5))
    )


del DiarizationConformance
