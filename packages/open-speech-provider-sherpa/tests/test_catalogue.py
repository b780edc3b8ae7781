"""What names mean, and that the catalogue promises what the families can do."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from open_speech import Capability
from open_speech_provider_sherpa import SherpaBackend, SherpaDiarizationBackend
from open_speech_provider_sherpa.catalogue import MODELS, PATTERNS, SPEAKER_MODELS
from open_speech_provider_sherpa.families import CAPABILITIES, Family

NAMES = {
    "csukuangfj/sherpa-onnx-zipformer-en-2023-06-26": Family.TRANSDUCER,
    "csukuangfj/sherpa-onnx-zipformer-gigaspeech-2023-12-12": Family.TRANSDUCER,
    "csukuangfj/sherpa-onnx-small-zipformer-ru-2024-09-18": Family.TRANSDUCER,
    "csukuangfj/sherpa-onnx-conformer-zh-stateless2-2023-05-23": Family.TRANSDUCER,
    "csukuangfj/sherpa-onnx-zipformer-ctc-zh-int8-2025-07-03": Family.ZIPFORMER_CTC,
    "csukuangfj/sherpa-onnx-nemo-parakeet-tdt-0.6b-v2": Family.NEMO_TRANSDUCER,
    "csukuangfj2/sherpa-onnx-nemo-parakeet-unified-en-0.6b-non-streaming": Family.NEMO_TRANSDUCER,
    "csukuangfj/sherpa-onnx-nemo-parakeet_tdt_ctc_110m-en-36000": Family.NEMO_CTC,
    "csukuangfj/sherpa-onnx-nemo-ctc-en-conformer-small": Family.NEMO_CTC,
    "csukuangfj/sherpa-onnx-nemo-fast-conformer-ctc-en-de-es-fr-14288": Family.NEMO_CTC,
    "csukuangfj/sherpa-onnx-nemo-streaming-fast-conformer-ctc-en-80ms": Family.STREAMING_NEMO_CTC,
    "csukuangfj/sherpa-onnx-nemo-streaming-fast-conformer-transducer-en-80ms": (
        Family.STREAMING_NEMO_TRANSDUCER
    ),
    "csukuangfj2/sherpa-onnx-nemotron-speech-streaming-en-0.6b-560ms-int8-2026-04-25": (
        Family.STREAMING_NEMO_TRANSDUCER
    ),
    "csukuangfj/sherpa-onnx-streaming-zipformer-bilingual-zh-en-2023-02-20": (
        Family.STREAMING_TRANSDUCER
    ),
    "csukuangfj/sherpa-onnx-streaming-zipformer-ctc-small-2024-03-18": (
        Family.STREAMING_ZIPFORMER_CTC
    ),
    "csukuangfj/sherpa-onnx-streaming-paraformer-trilingual-zh-cantonese-en": (
        Family.STREAMING_PARAFORMER
    ),
    "csukuangfj/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-int8-2025-09-09": Family.SENSE_VOICE,
    "csukuangfj/sherpa-onnx-moonshine-base-en-int8": Family.MOONSHINE,
    "csukuangfj2/sherpa-onnx-moonshine-base-es-quantized-2026-02-27": Family.MOONSHINE_V2,
    "csukuangfj/sherpa-onnx-paraformer-zh-small-2024-03-09": Family.PARAFORMER,
    "csukuangfj/sherpa-onnx-nemo-canary-180m-flash-en-es-de-fr": Family.CANARY,
    "csukuangfj/sherpa-onnx-pyannote-segmentation-3-0": None,
    "csukuangfj/sherpa-onnx-kws-zipformer-gigaspeech-3.3M-2024-01-01": None,
    "csukuangfj/sherpa-onnx-whisper-tiny.en": None,
    "csukuangfj/kokoro-en-v0_19": None,
}


@pytest.mark.parametrize(("name", "family"), NAMES.items())
def test_a_name_means_a_family(name: str, family: Family | None) -> None:
    fits = [pattern.template for pattern in PATTERNS if fnmatchcase(name, pattern.glob)]
    if family is None:
        assert fits == []
    else:
        assert fits[0].capabilities == CAPABILITIES[family]
        assert (fits[0].sessions > 8) is family.streams


def test_models_keep_what_their_names_would_promise() -> None:
    for info in MODELS:
        template = next(p.template for p in PATTERNS if fnmatchcase(info.id, p.glob))
        assert info.capabilities == template.capabilities, info.id
        assert info.aliases == (info.id.split("/")[1],)


def test_sizes_add_up() -> None:
    for info in (*MODELS, *SPEAKER_MODELS):
        sizes = [source.size_bytes for source in info.sources]
        assert info.size_bytes == (sum(filter(None, sizes)) or None)
    assert all(len(info.sources) == 2 for info in SPEAKER_MODELS)


def test_the_rest_of_the_contract() -> None:
    assert SherpaBackend.name == "sherpa"
    assert SherpaDiarizationBackend.name == "sherpa-diarization"
    assert all(Capability.EMBEDDING in info.capabilities for info in SPEAKER_MODELS)
