"""Published models and families of names, as data.

Each repository is pinned to a commit that was read off its pages on the hub, or that programs of
others which use the model agree on; sizes are those of the files that are downloaded. What could
not be found is left out.
"""

from __future__ import annotations

from dataclasses import replace

from open_speech import Capability, ModelInfo, ModelPattern, ModelSource

from . import languages
from .families import CAPABILITIES, Family
from .layout import FLOAT32, INT8, TOKENS

SESSIONS = 64
"""Sounds that a streaming model hears at a time: each costs a thread that waits, and its states."""
TRANSDUCER = ("encoder*.onnx", "decoder*.onnx", "joiner*.onnx", TOKENS)
SMALL_TRANSDUCER = ("encoder*.int8.onnx", "decoder*.int8.onnx", "joiner*.int8.onnx", TOKENS)
FUNASR_LICENSE = "https://github.com/modelscope/FunASR/blob/main/MODEL_LICENSE"
SEGMENTATION = "csukuangfj/sherpa-onnx-pyannote-segmentation-3-0"
VOICES = "csukuangfj/speaker-embedding-models"
SAME_VOICE = 0.6
"""The engine's own examples take two recordings for one speaker from here on."""

_EUROPEAN = (
    *("en", "bg", "hr", "cs", "da", "nl", "et", "fi", "fr", "de", "el", "hu", "it", "lv", "lt"),
    *("mt", "pl", "pt", "ro", "sk", "sl", "es", "sv", "ru", "uk"),
)


def _model(
    repository: str,
    family: Family,
    revision: str,
    description: str,
    tags: tuple[str, ...],
    files: tuple[str, ...],
    *,
    size: int | None = None,
    license: str | None = None,  # noqa: A002 - as ModelInfo calls it
    license_url: str | None = None,
) -> ModelInfo:
    source = ModelSource(repo_id=repository, revision=revision, files=files, size_bytes=size)
    info = ModelInfo(
        id=repository,
        description=description,
        languages=tags,
        capabilities=CAPABILITIES[family],
        sources=(source,),
        size_bytes=size,
        license=license,
        license_url=license_url,
        aliases=(repository.partition("/")[2],),
    )
    return replace(info, sessions=SESSIONS) if family.streams else info


MODELS: tuple[ModelInfo, ...] = (
    _model(
        "csukuangfj/sherpa-onnx-nemo-parakeet-tdt-0.6b-v3-int8",
        Family.NEMO_TRANSDUCER,
        "2bda32ec70b097a55adaa07d9a7173915b43cc78",
        "NVIDIA Parakeet TDT 0.6B v3: 25 European languages, with punctuation.",
        _EUROPEAN,
        SMALL_TRANSDUCER,
        size=670_478_772,
        license="CC-BY-4.0",
    ),
    _model(
        "csukuangfj/sherpa-onnx-nemo-parakeet-tdt-0.6b-v2-int8",
        Family.NEMO_TRANSDUCER,
        "1ab9323565ddb038682214b292f588070a538ce2",
        "NVIDIA Parakeet TDT 0.6B v2: English, with punctuation.",
        ("en",),
        SMALL_TRANSDUCER,
        size=661_190_513,
        license="CC-BY-4.0",
    ),
    _model(
        "csukuangfj/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17",
        Family.SENSE_VOICE,
        "2365baeacb507f821a0c8120fcee3d484dba7a07",
        "SenseVoice Small: Chinese, Cantonese, English, Japanese, Korean.",
        languages.SENSE_VOICE,
        ("model.int8.onnx", TOKENS),
        size=239_549_735,
        license="LicenseRef-FunASR-Model",
        license_url=FUNASR_LICENSE,
    ),
    _model(
        "csukuangfj/sherpa-onnx-nemo-canary-180m-flash-en-es-de-fr-int8",
        Family.CANARY,
        "9077164e0d3dd1d5353743e89ceaa1d3a770838c",
        "NVIDIA Canary 180M Flash: four languages, translates to English.",
        languages.CANARY,
        ("encoder.int8.onnx", "decoder.int8.onnx", TOKENS),
        size=207_170_046,
        license="CC-BY-4.0",
    ),
    _model(
        "csukuangfj/sherpa-onnx-moonshine-tiny-en-int8",
        Family.MOONSHINE,
        "bf2b762c076d8ea61e2af0b3851c9564fb77552e",
        "Moonshine tiny: English, for small boards.",
        ("en",),
        (
            *("preprocess.onnx", "encode.int8.onnx", "uncached_decode.int8.onnx"),
            *("cached_decode.int8.onnx", TOKENS),
        ),
        size=123_967_539,
        license="MIT",
    ),
    _model(
        "csukuangfj/sherpa-onnx-paraformer-zh-2023-03-28",
        Family.PARAFORMER,
        "fe3e2bbfa0a0d3789b653c4b6cf3f87a5dbf2b94",
        "Paraformer: Chinese and English.",
        ("zh", "en"),
        ("model.int8.onnx", TOKENS),
    ),
    _model(
        "csukuangfj/sherpa-onnx-nemo-parakeet-tdt_ctc-0.6b-ja-35000-int8",
        Family.NEMO_CTC,
        "bef18eb066808c90bd0f5df5be685767b0732de8",
        "NVIDIA Parakeet 0.6B for Japanese, with punctuation.",
        ("ja",),
        ("model.int8.onnx", TOKENS),
        size=655_571_161,
        license="CC-BY-4.0",
    ),
    _model(
        "csukuangfj/sherpa-onnx-nemo-transducer-punct-giga-am-v3-russian-2025-12-16",
        Family.NEMO_TRANSDUCER,
        "a6039be7cee829a9044a69ac0ebaf1c191217c97",
        "GigaAM v3: Russian, with punctuation.",
        ("ru",),
        ("encoder.int8.onnx", "decoder.onnx", "joiner.onnx", TOKENS),
        size=231_897_202,
        license="MIT",
    ),
    _model(
        "k2-fsa/sherpa-onnx-zipformer-korean-2024-06-24",
        Family.TRANSDUCER,
        "0fb4b2b5c8d3e5766121481ba911961e3649c664",
        "Zipformer for Korean, small.",
        ("ko",),
        SMALL_TRANSDUCER,
        size=76_271_087,
    ),
    _model(
        "csukuangfj/sherpa-onnx-zipformer-vi-int8-2025-04-20",
        Family.TRANSDUCER,
        "b2745a435379992ad3f299635468db0c34918e1e",
        "Zipformer for Vietnamese, small.",
        ("vi",),
        TRANSDUCER,
        size=77_100_477,
    ),
    _model(
        "csukuangfj/sherpa-onnx-streaming-zipformer-en-2023-06-26",
        Family.STREAMING_TRANSDUCER,
        "672fbf1b30579d6585301139bb363f42a0ad4a24",
        "Streaming Zipformer: English as it is spoken, in capitals, small.",
        ("en",),
        # The repository holds another set too, that looks back half as far.
        (*(f"{part}-*-left-128.int8.onnx" for part in ("encoder", "decoder", "joiner")), TOKENS),
        size=72_654_782,
        license="Apache-2.0",
    ),
    _model(
        "csukuangfj2/sherpa-onnx-nemotron-3.5-asr-streaming-0.6b-560ms-int8-2026-06-11",
        Family.STREAMING_NEMO_TRANSDUCER,
        "ab43d895f5985b1bbab8b6eac8607fcdc05343f3",
        "NVIDIA Nemotron 3.5 streaming 0.6B: many languages as they are spoken.",
        (),
        SMALL_TRANSDUCER,
        license_url="https://huggingface.co/nvidia/nemotron-3.5-asr-streaming-0.6b",
    ),
    _model(
        "csukuangfj/sherpa-onnx-streaming-paraformer-bilingual-zh-en",
        Family.STREAMING_PARAFORMER,
        "8e40c43232a1c5c66c82111efc5820d3accca11b",
        "Streaming Paraformer: Chinese and English as they are spoken.",
        ("zh", "en"),
        ("encoder.int8.onnx", "decoder.int8.onnx", TOKENS),
    ),
)


def _pattern(glob: str, family: Family, tags: tuple[str, ...] = ()) -> ModelPattern:
    template = ModelInfo(
        id=glob,
        description="A model made for sherpa-onnx.",
        languages=tags,
        capabilities=CAPABILITIES[family],
        # Which of its files there are differs, so all weights are taken.
        sources=(ModelSource(repo_id="{name}", files=(TOKENS,), optional=("*.onnx", "*.ort")),),
        compute_types=(INT8, FLOAT32),
    )
    return ModelPattern(
        glob=glob, template=replace(template, sessions=SESSIONS) if family.streams else template
    )


PATTERNS: tuple[ModelPattern, ...] = (
    # The first one that fits a name counts.
    _pattern("*/sherpa-onnx-streaming-zipformer-ctc-*", Family.STREAMING_ZIPFORMER_CTC),
    _pattern("*/sherpa-onnx-streaming-paraformer-*", Family.STREAMING_PARAFORMER),
    _pattern("*/sherpa-onnx-streaming-*", Family.STREAMING_TRANSDUCER),
    _pattern("*/sherpa-onnx-nemo-streaming-*-ctc-*", Family.STREAMING_NEMO_CTC),
    _pattern("*/sherpa-onnx-nemo-streaming-*", Family.STREAMING_NEMO_TRANSDUCER),
    _pattern("*/sherpa-onnx-nemotron-*streaming-*", Family.STREAMING_NEMO_TRANSDUCER),
    _pattern("*/sherpa-onnx-nemo-canary-*", Family.CANARY, languages.CANARY),
    _pattern("*/sherpa-onnx-nemo-ctc-*", Family.NEMO_CTC),
    _pattern("*/sherpa-onnx-nemo-*_ctc-*", Family.NEMO_CTC),
    _pattern("*/sherpa-onnx-nemo-*_ctc_*", Family.NEMO_CTC),
    _pattern("*/sherpa-onnx-nemo-fast-conformer-ctc-*", Family.NEMO_CTC),
    _pattern("*/sherpa-onnx-nemo-*", Family.NEMO_TRANSDUCER),
    _pattern("*/sherpa-onnx-sense-voice-*", Family.SENSE_VOICE, languages.SENSE_VOICE),
    _pattern("*/sherpa-onnx-moonshine-*-quantized-*", Family.MOONSHINE_V2),
    _pattern("*/sherpa-onnx-moonshine-*", Family.MOONSHINE),
    _pattern("*/sherpa-onnx-paraformer-*", Family.PARAFORMER),
    _pattern("*/sherpa-onnx-zipformer-ctc-*", Family.ZIPFORMER_CTC),
    _pattern("*/sherpa-onnx-zipformer-*", Family.TRANSDUCER),
    _pattern("*/sherpa-onnx-small-zipformer-*", Family.TRANSDUCER),
    _pattern("*/sherpa-onnx-conformer-*", Family.TRANSDUCER),
)
"""Names that mean a repository of this naming; what its files can do shows when it is loaded."""


def _speakers(variant: str, file: str, size: int, license: str, text: str) -> ModelInfo:  # noqa: A002
    segmentation = ModelSource(
        repo_id=SEGMENTATION,
        revision="9403a6902bb58e3d5ae8c7e77c3422de279db2e0",
        files=("model.onnx",),
        size_bytes=5_992_913,
        key="segmentation",
    )
    voices = ModelSource(
        repo_id=VOICES,
        revision="0743f301363dec56491a490f6d6cbc9d67f9a3bf",
        files=(file,),
        size_bytes=size,
        key="embedding",
    )
    return ModelInfo(
        id=f"{SEGMENTATION}/{variant}" if variant else SEGMENTATION,
        description=text,
        capabilities=frozenset({Capability.EMBEDDING}),
        sources=(segmentation, voices),
        size_bytes=5_992_913 + size,
        license=license,
        same_voice=SAME_VOICE,
        aliases=() if variant else (SEGMENTATION.partition("/")[2],),
    )


SPEAKER_MODELS: tuple[ModelInfo, ...] = (
    _speakers(
        "",
        "wespeaker_en_voxceleb_resnet34_LM.onnx",
        26_530_550,
        "MIT AND CC-BY-4.0",
        "Pyannote segmentation 3.0 with WeSpeaker ResNet34, trained with VoxCeleb.",
    ),
    _speakers(
        "eres2net-zh",
        "3dspeaker_speech_eres2net_base_sv_zh-cn_3dspeaker_16k.onnx",
        39_593_761,
        "MIT AND Apache-2.0",
        "Pyannote segmentation 3.0 with 3D-Speaker ERes2Net, trained with Chinese voices.",
    ),
)
"""Speakers told apart: one segmentation model, and what tells voices."""

LOCAL = ModelInfo(id="local", description="A folder of a model made for sherpa-onnx.")
"""What to assume of a folder on this machine."""
