"""Tiny models for sound that comes in: see ``sherpa_models``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from sherpa_graphs import FLOAT, INT32, INT64, Array, Graph, Port
from sherpa_models import (
    BPE,
    CJK,
    HIDDEN,
    MELS,
    QUIET,
    classes,
    cmvn,
    ear,
    icefall_decoder,
    icefall_joiner,
    nemo_decoder,
    nemo_joiner,
    write_tokens,
)


def streaming_zipformer(folder: Path, seed: int = 7) -> Path:
    """A streaming Zipformer of icefall: online-zipformer2-transducer-model.cc.

    32 frames in a chunk, of which the encoder makes eight; 13 more are looked at. Six states for
    a layer, one for the convolutions before, and a counter.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<blk>", "<sos/eos>", "<unk>", *BPE]
    write_tokens(folder, tokens)
    graph = Graph(seed)
    remembered, shapes, silent = _zipformer_chunk(graph)
    weight, bias = graph.draw(HIDDEN, HIDDEN, scale=0.7), graph.draw(HIDDEN, scale=0.2)
    graph.linear(remembered, weight, bias, name="encoder_out")
    _save_zipformer(
        graph,
        folder / "encoder-epoch-99-avg-1-chunk-16-left-128.onnx",
        ("encoder_out", FLOAT, ("N", 8, HIDDEN)),
        shapes,
    )
    icefall_decoder(folder, len(tokens), seed)
    icefall_joiner(folder, len(tokens), silent @ weight + bias, seed)
    return folder


def streaming_zipformer_ctc(folder: Path, seed: int = 14) -> Path:
    """A streaming CTC model of icefall: online-zipformer2-ctc-model.cc, the same states."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<blk>", "<sos/eos>", "<unk>", *BPE]
    write_tokens(folder, tokens)
    graph = Graph(seed)
    remembered, shapes, silent = _zipformer_chunk(graph)
    weight, bias = classes(graph, len(tokens), blank=0, silent=silent, never=(1, 2), scale=2.0)
    logits = graph.linear(remembered, weight, bias)
    graph("LogSoftmax", logits, axis=-1, name="log_probs")
    _save_zipformer(
        graph,
        folder / "ctc-epoch-20-avg-1-chunk-16-left-128.int8.onnx",
        ("log_probs", FLOAT, ("N", 8, len(tokens))),
        shapes,
    )
    return folder


_Shapes = dict[str, tuple[Sequence[int | str], int]]
"""Of the states, and which axis is that of the batch."""


def _zipformer_chunk(graph: Graph) -> tuple[str, _Shapes, Array]:
    """What the encoder makes of a chunk and its states; their shapes; what it makes of silence."""
    hidden, silent = ear(graph, "x", MELS, scale=0.05, quiet=QUIET)
    chunk = graph.every(hidden, 1, 4, 4, 36)
    width, context = 4, 4
    shapes: _Shapes = {
        "cached_key_0": ((context, "N", width), 1),
        "cached_nonlin_attn_0": ((1, "N", context, 3 * HIDDEN // 4), 1),
        "cached_val1_0": ((context, "N", width), 1),
        "cached_val2_0": ((context, "N", width), 1),
        "cached_conv1_0": (("N", HIDDEN, 1), 0),
        "cached_conv2_0": (("N", HIDDEN, 1), 0),
        "embed_states": (("N", 128, 3, 19), 0),
    }
    pooled = graph("ReduceMean", chunk, axes=[1], keepdims=0)
    remembered = chunk
    for name, (shape, batch) in shapes.items():
        remembered = _remember(graph, name, shape, batch, pooled, remembered)
    graph("Add", "processed_lens", graph.constant(16), name="new_processed_lens")
    return remembered, shapes, silent


def _save_zipformer(graph: Graph, path: Path, output: Port, shapes: _Shapes) -> None:
    states = [(name, FLOAT, shape) for name, (shape, _) in shapes.items()]
    new = [(f"new_{name}", FLOAT, shape) for name, (shape, _) in shapes.items()]
    graph.save(
        path,
        [("x", FLOAT, ("N", 45, MELS)), *states, ("processed_lens", INT64, ("N",))],
        [output, *new, ("new_processed_lens", INT64, ("N",))],
        {
            "model_type": "zipformer2",
            "version": "1",
            "model_author": "k2-fsa",
            "comment": "streaming zipformer2",
            "decode_chunk_len": 32,
            "T": 45,
            "num_encoder_layers": 1,
            "encoder_dims": HIDDEN,
            "cnn_module_kernels": 3,
            "left_context_len": 4,
            "query_head_dims": 4,
            "value_head_dims": 4,
            "num_heads": 1,
        },
    )


def _remember(
    graph: Graph, name: str, shape: Sequence[int | str], batch: int, pooled: str, values: str
) -> str:
    """Let a state in, half of it and some of the chunk out; the values with the state's mean."""
    size = int(np.prod([each for each in shape if not isinstance(each, str)]))
    rest = [each for each in shape if not isinstance(each, str)]
    weight = graph.weight(graph.draw(HIDDEN, size, scale=0.3))
    update = graph("Reshape", graph("MatMul", pooled, weight), graph.constant(-1, *rest))
    if batch:
        order = [*range(1, batch + 1), 0, *range(batch + 1, len(shape))]
        update = graph("Transpose", update, perm=order)
    half = graph("Mul", name, graph.weight(graph.draw(1, scale=0.5)))
    graph("Tanh", graph("Add", half, update), name=f"new_{name}")
    axes = [axis for axis in range(len(shape)) if axis != batch]
    mean = graph("ReduceMean", name, axes=axes, keepdims=0)
    column = graph("Unsqueeze", mean, graph.constant(1, 2))
    told = graph("MatMul", column, graph.weight(graph.draw(1, HIDDEN, scale=0.25 * size**0.5)))
    return graph("Add", values, told)


_PROMPTS = {"auto": 0, "en-US": 1, "de-DE": 2, "ja-JP": 3}


def streaming_nemo(folder: Path, seed: int = 33) -> Path:
    """A streaming transducer of NeMo: online-transducer-nemo-model.cc, scripts/nemo/nemotron-*.

    A window of 65 frames that moves by 56, of which the encoder makes seven. Two caches and their
    length are its states; ``prompt_index`` is the language, told by ``prompt_dictionary``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<unk>", *BPE, "<blk>"]
    write_tokens(folder, tokens)
    graph = Graph(seed)
    values, silent = _nemo_window(graph)
    table = graph.weight(graph.draw(len(_PROMPTS), HIDDEN, scale=0.6))
    prompt = graph("Unsqueeze", graph("Gather", table, "prompt_index"), graph.constant(1))
    weight, bias = graph.draw(HIDDEN, HIDDEN, scale=0.6), graph.draw(HIDDEN, scale=0.2)
    out = graph.linear(graph("Add", values, prompt), weight, bias)
    graph("Transpose", out, perm=[0, 2, 1], name="outputs")
    _save_nemo(
        graph,
        folder / "encoder.int8.onnx",
        [("prompt_index", INT64, ("N",))],
        ("outputs", FLOAT, ("N", HIDDEN, "S")),
        {
            "vocab_size": len(tokens) - 1,
            "pred_rnn_layers": 2,
            "pred_hidden": HIDDEN,
            "model_type": "EncDecRNNTBPEModelWithPrompt",
            "prompt_dictionary": json.dumps(_PROMPTS),
            "auto_prompt_id": 0,
        },
    )
    nemo_decoder(folder, len(tokens), seed)
    nemo_joiner(folder, len(tokens), 0, silent @ weight + bias, seed)
    return folder


def streaming_nemo_ctc(folder: Path, seed: int = 61) -> Path:
    """A streaming CTC model of NeMo: online-nemo-ctc-model.cc, the same window and states."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<unk>", *BPE, "<blk>"]
    write_tokens(folder, tokens)
    graph = Graph(seed)
    values, silent = _nemo_window(graph)
    weight, bias = classes(
        graph, len(tokens), blank=len(tokens) - 1, silent=silent, never=(0,), scale=2.0
    )
    graph("LogSoftmax", graph.linear(values, weight, bias), axis=-1, name="outputs")
    _save_nemo(
        graph,
        folder / "model.onnx",
        [],
        ("outputs", FLOAT, ("N", "S", len(tokens))),
        {"vocab_size": len(tokens) - 1, "model_type": "EncDecHybridRNNTCTCBPEModel"},
    )
    return folder


def _nemo_window(graph: Graph) -> tuple[str, Array]:
    """What the encoder makes of a window and its caches, and of silence."""
    frames = graph("Transpose", "audio_signal", perm=[0, 2, 1])
    hidden, silent = ear(graph, frames, MELS, scale=0.05, quiet=QUIET, centre=-8.0)
    chunk = graph.every(hidden, 1, 8, 4, 60)
    pooled = graph("ReduceMean", chunk, axes=[1], keepdims=0)
    shapes: _Shapes = {
        "cache_last_channel": (("N", 2, 3, HIDDEN), 0),
        "cache_last_time": (("N", 2, HIDDEN, 4), 0),
    }
    values = chunk
    for name, (shape, batch) in shapes.items():
        values = _remember(graph, name, shape, batch, pooled, values)
    graph("Add", "cache_last_channel_len", graph.constant(7), name="new_cache_last_channel_len")
    graph("Div", "length", graph.constant(8), name="lengths")
    return values, silent


def _save_nemo(
    graph: Graph,
    path: Path,
    more: Sequence[Port],
    output: Port,
    metadata: Mapping[str, object],
) -> None:
    caches: list[Port] = [
        ("cache_last_channel", FLOAT, ("N", 2, 3, HIDDEN)),
        ("cache_last_time", FLOAT, ("N", 2, HIDDEN, 4)),
        ("cache_last_channel_len", INT64, ("N",)),
    ]
    graph.save(
        path,
        [("audio_signal", FLOAT, ("N", MELS, 65)), ("length", INT64, ("N",)), *caches, *more],
        [output, ("lengths", INT64, ("N",)), *((f"new_{name}", *rest) for name, *rest in caches)],
        {
            "window_size": 65,
            "chunk_shift": 56,
            "subsampling_factor": 8,
            "normalize_type": "",
            "cache_last_channel_dim1": 2,
            "cache_last_channel_dim2": 3,
            "cache_last_channel_dim3": HIDDEN,
            "cache_last_time_dim1": 2,
            "cache_last_time_dim2": HIDDEN,
            "cache_last_time_dim3": 4,
            "version": "1",
            "model_author": "NeMo",
            **metadata,
        },
    )


def streaming_paraformer(folder: Path, seed: int = 11) -> Path:
    """A streaming Paraformer: online-paraformer-model.cc and online-recognizer-paraformer-impl.h.

    The library itself adds up ``alphas`` and fires a token wherever they reach 1.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<blank>", "<s>", "</s>", *CJK, "<unk>"]
    write_tokens(folder, tokens)
    graph = Graph(seed)
    metadata = cmvn(graph)
    quiet = (QUIET - 8) * 0.2 * HIDDEN**0.5
    hidden, silent = ear(graph, "speech", 7 * MELS, scale=0.008, quiet=quiet)
    graph("Identity", hidden, name="enc")
    graph("Identity", "speech_lengths", name="enc_len")
    weight, bias = graph.draw(HIDDEN, 1, scale=0.3), graph.draw(1, scale=0.1)
    weight[:, 0] -= 6.0 * silent / float(silent @ silent)  # silence fires nothing
    alphas = graph("Sigmoid", graph.linear(hidden, weight, bias))
    graph("Squeeze", alphas, graph.constant(2), name="alphas")
    graph.save(
        folder / "encoder.int8.onnx",
        [("speech", FLOAT, ("N", "T", 7 * MELS)), ("speech_lengths", INT32, ("N",))],
        [
            ("enc", FLOAT, ("N", "T", HIDDEN)),
            ("enc_len", INT32, ("N",)),
            ("alphas", FLOAT, ("N", "T")),
        ],
        {
            "vocab_size": len(tokens),
            "model_type": "paraformer",
            "encoder_output_size": HIDDEN,
            "decoder_num_blocks": 2,
            "decoder_kernel_size": 3,
            **metadata,
        },
    )
    _paraformer_decoder(folder, len(tokens), seed)
    return folder


def _paraformer_decoder(folder: Path, count: int, seed: int) -> None:
    graph = Graph(seed + 100)
    values = "acoustic_embeds"
    for block in (0, 1):
        mean = graph("ReduceMean", f"in_cache_{block}", axes=[2], keepdims=0)
        known = graph("MatMul", mean, graph.weight(graph.draw(HIDDEN, HIDDEN, scale=0.5)))
        values = graph("Add", values, graph("Unsqueeze", known, graph.constant(1)))
        last = graph.every(graph("Transpose", values, perm=[0, 2, 1]), 2, 1, start=-1)
        shifted = graph.every(f"in_cache_{block}", 2, 1, start=1)
        graph("Concat", shifted, last, axis=2, name=f"out_cache_{block}")
    weight, bias = classes(graph, count, never=(0, 1, 2, count - 1))
    # What was heard around the tokens counts too.
    around = graph("ReduceMean", "enc", axes=[1], keepdims=1)
    logits = graph.linear(graph("Add", values, around), weight, bias, name="logits")
    graph("ArgMax", logits, axis=-1, keepdims=0, name="sample_ids")
    caches = [(f"in_cache_{block}", FLOAT, (1, HIDDEN, 2)) for block in (0, 1)]
    after = [(f"out_cache_{block}", FLOAT, (1, HIDDEN, 2)) for block in (0, 1)]
    graph.save(
        folder / "decoder.int8.onnx",
        [
            ("enc", FLOAT, (1, "T", HIDDEN)),
            ("enc_len", INT32, (1,)),
            ("acoustic_embeds", FLOAT, (1, "L", HIDDEN)),
            ("acoustic_embeds_len", INT32, (1,)),
            *caches,
        ],
        [("logits", FLOAT, (1, "L", count)), ("sample_ids", INT64, (1, "L")), *after],
    )


STREAMING: dict[str, Callable[[Path], Path]] = {
    "zipformer": streaming_zipformer,
    "zipformer_ctc": streaming_zipformer_ctc,
    "nemo": streaming_nemo,
    "nemo_ctc": streaming_nemo_ctc,
    "paraformer": streaming_paraformer,
}
