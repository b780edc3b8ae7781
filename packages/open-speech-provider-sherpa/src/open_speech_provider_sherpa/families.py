"""Families of models that the engine knows, and what each can do."""

from __future__ import annotations

from enum import StrEnum

from open_speech import Capability


class Family(StrEnum):
    """How a model is made up, which decides how the engine loads it."""

    TRANSDUCER = "transducer"
    """Of icefall: Zipformer, Conformer."""
    NEMO_TRANSDUCER = "nemo_transducer"
    """Of NeMo: Parakeet (TDT and RNNT), GigaAM."""
    NEMO_CTC = "nemo_ctc"
    ZIPFORMER_CTC = "zipformer_ctc"
    WENET_CTC = "wenet_ctc"
    PARAFORMER = "paraformer"
    SENSE_VOICE = "sense_voice"
    MOONSHINE = "moonshine"
    """The first layout: four graphs."""
    MOONSHINE_V2 = "moonshine_v2"
    """The second: two files of onnxruntime's own format."""
    CANARY = "canary"
    STREAMING_TRANSDUCER = "streaming_transducer"
    """Of icefall."""
    STREAMING_NEMO_TRANSDUCER = "streaming_nemo_transducer"
    """Of NeMo: Nemotron."""
    STREAMING_PARAFORMER = "streaming_paraformer"
    STREAMING_ZIPFORMER_CTC = "streaming_zipformer_ctc"
    STREAMING_NEMO_CTC = "streaming_nemo_ctc"

    @property
    def streams(self) -> bool:
        """Whether it understands sound while it comes in."""
        return self.value.startswith("streaming_")


_TIMES = frozenset({Capability.WORD_TIMESTAMPS})
_TRANSDUCER = _TIMES | {Capability.LOGPROBS, Capability.KEYWORDS}
_LISTENS = frozenset({Capability.LISTENING, Capability.PARTIALS})

CAPABILITIES: dict[Family, frozenset[Capability]] = {
    Family.TRANSDUCER: _TRANSDUCER,
    Family.NEMO_TRANSDUCER: _TRANSDUCER,
    Family.NEMO_CTC: _TIMES,
    Family.ZIPFORMER_CTC: _TIMES,
    Family.WENET_CTC: _TIMES,
    Family.PARAFORMER: frozenset(),
    Family.SENSE_VOICE: _TIMES | {Capability.LANGUAGE_DETECTION},
    Family.MOONSHINE: frozenset(),
    Family.MOONSHINE_V2: frozenset(),
    Family.CANARY: frozenset({Capability.TRANSLATION}),
    Family.STREAMING_TRANSDUCER: _LISTENS | _TRANSDUCER,
    Family.STREAMING_NEMO_TRANSDUCER: _LISTENS | _TRANSDUCER,
    Family.STREAMING_PARAFORMER: _LISTENS,
    Family.STREAMING_ZIPFORMER_CTC: _LISTENS | _TIMES,
    Family.STREAMING_NEMO_CTC: _LISTENS | _TIMES,
}
"""What the engine can do with a model of each family."""

_NEMO_CACHES = tuple(
    f"cache_last_{kind}_dim{number}" for kind in ("channel", "time") for number in (1, 2, 3)
)

NEEDED: dict[Family, dict[str, tuple[str, ...]]] = {
    Family.TRANSDUCER: {"decoder": ("vocab_size", "context_size")},
    Family.NEMO_TRANSDUCER: {
        "encoder": ("vocab_size", "subsampling_factor", "pred_rnn_layers", "pred_hidden")
    },
    Family.NEMO_CTC: {"model": ("vocab_size", "subsampling_factor")},
    Family.WENET_CTC: {"model": ("vocab_size", "subsampling_factor")},
    Family.PARAFORMER: {
        "model": ("vocab_size", "lfr_window_size", "lfr_window_shift", "neg_mean", "inv_stddev")
    },
    Family.SENSE_VOICE: {
        "model": (
            *("vocab_size", "lfr_window_size", "lfr_window_shift", "normalize_samples"),
            *("with_itn", "without_itn", "neg_mean", "inv_stddev"),
            *("lang_auto", "lang_zh", "lang_en", "lang_ja", "lang_ko", "lang_yue"),
        )
    },
    Family.CANARY: {"encoder": ("model_type", "vocab_size", "subsampling_factor", "feat_dim")},
    Family.STREAMING_TRANSDUCER: {
        "encoder": ("model_type", "T", "decode_chunk_len"),
        "decoder": ("vocab_size", "context_size"),
    },
    Family.STREAMING_NEMO_TRANSDUCER: {
        "encoder": (
            *("vocab_size", "window_size", "chunk_shift", "subsampling_factor"),
            *("pred_rnn_layers", "pred_hidden", *_NEMO_CACHES),
        )
    },
    Family.STREAMING_PARAFORMER: {
        "encoder": (
            *("vocab_size", "lfr_window_size", "lfr_window_shift", "neg_mean", "inv_stddev"),
            *("encoder_output_size", "decoder_num_blocks", "decoder_kernel_size"),
        )
    },
    Family.STREAMING_ZIPFORMER_CTC: {
        "model": (
            *("T", "decode_chunk_len", "encoder_dims", "query_head_dims", "value_head_dims"),
            *("num_heads", "num_encoder_layers", "cnn_module_kernels", "left_context_len"),
        )
    },
    Family.STREAMING_NEMO_CTC: {
        "model": (
            *("vocab_size", "window_size", "chunk_shift", "subsampling_factor"),
            *_NEMO_CACHES,
        )
    },
}
"""Metadata that the engine reads, by file. It ends the process where one of them is missing, so
they are looked for before it sees the files."""
