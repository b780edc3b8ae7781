"""Tiny models in sherpa-onnx's own formats, with random weights, which the real library loads.

Names of files, inputs, outputs and metadata are those that the library reads; each maker says
where in its sources that is. What a model "hears" depends on the sound and on every parameter, and
is the same every time. Digital silence is mostly silent: a blank, or no speaker.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sherpa_graphs import BOOL, FLOAT, INT32, INT64, Array, Graph, Port

QUIET = -15.942385
"""The logarithm of float32's epsilon: every mel band of digital silence, in kaldi's features."""
MELS = 80
HIDDEN = 16
BPE = (
    *("\u2581one", "\u2581two", "\u2581th", "ree", "\u2581f", "our", "ive", "\u2581s", "ix"),
    *("even", "\u2581a", "b", "c", "'", "s"),
)
CJK = ("\u4e00", "\u4e8c", "\u4e09", "\u56db", "\u4e94", "\u516d", "hello", "wor@@", "ld", "nine")


def write_tokens(folder: Path, tokens: Sequence[str]) -> None:
    """``tokens.txt``: a symbol and its number in each line (``ReadTokens`` of symbol-table.cc)."""
    lines = (f"{token} {number}\n" for number, token in enumerate(tokens))
    (folder / "tokens.txt").write_text("".join(lines), encoding="utf-8")


def ear(
    graph: Graph, features: str, size: int, *, scale: float, quiet: float, centre: float = 0.0
) -> tuple[str, Array]:
    """Features to hidden values in (-1, 1); also the hidden values of silence."""
    weight, bias = graph.draw(size, HIDDEN, scale=scale), graph.draw(HIDDEN, scale=0.2)
    bias -= centre * weight.sum(axis=0)
    hidden = graph("Tanh", graph.linear(features, weight, bias))
    return hidden, np.tanh(quiet * weight.sum(axis=0) + bias)


def classes(
    graph: Graph,
    count: int,
    *,
    blank: int | None = None,
    silent: Array | None = None,
    never: Sequence[int] = (),
    scale: float = 1.0,
) -> tuple[Array, Array]:
    """Weight and bias of a classifier that takes silence for ``blank``; never one of ``never``."""
    weight, bias = graph.draw(HIDDEN, count, scale=scale), graph.draw(count, scale=0.5)
    if blank is not None:
        bias[blank] += 1.0
        if silent is not None:
            weight[:, blank] += 14.0 * silent / float(silent @ silent)
    bias[list(never)] -= 60.0
    return weight, bias


def zipformer(folder: Path, seed: int = 1) -> Path:
    """A transducer of icefall: offline-transducer-model.cc.

    The decoder's metadata has ``vocab_size`` and ``context_size``; the encoder's ``model_type`` is
    written by icefall. Blank is 0, a frame of the encoder is four of 10 ms.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<blk>", "<sos/eos>", "<unk>", *BPE]
    write_tokens(folder, tokens)
    encoder = Graph(seed)
    hidden, silent = ear(encoder, "x", MELS, scale=0.05, quiet=QUIET)
    weight, bias = encoder.draw(HIDDEN, HIDDEN, scale=0.7), encoder.draw(HIDDEN, scale=0.2)
    encoder.linear(encoder.every(hidden, 1, 4), weight, bias, name="encoder_out")
    padded = encoder("Add", "x_lens", encoder.constant(3))
    encoder("Div", padded, encoder.constant(4), name="encoder_out_lens")
    encoder.save(
        folder / "encoder-epoch-99-avg-1.onnx",
        [("x", FLOAT, ("N", "T", MELS)), ("x_lens", INT64, ("N",))],
        [("encoder_out", FLOAT, ("N", "S", HIDDEN)), ("encoder_out_lens", INT64, ("N",))],
        {"model_type": "zipformer2", "version": "1", "model_author": "k2-fsa"},
    )
    icefall_decoder(folder, len(tokens), seed)
    icefall_joiner(folder, len(tokens), silent @ weight + bias, seed)
    return folder


def icefall_decoder(folder: Path, count: int, seed: int) -> None:
    graph = Graph(seed + 100)
    table = graph.weight(graph.draw(count, HIDDEN, scale=1.0))
    last = graph("Gather", table, "y")  # the first tokens are -1, the last row of the table
    flat = graph("Reshape", last, graph.constant(-1, 2 * HIDDEN))
    weight, bias = graph.draw(2 * HIDDEN, HIDDEN, scale=0.12), graph.draw(HIDDEN, scale=0.1)
    graph("Tanh", graph.linear(flat, weight, bias), name="decoder_out")
    graph.save(
        folder / "decoder-epoch-99-avg-1.onnx",
        [("y", INT64, ("N", 2))],
        [("decoder_out", FLOAT, ("N", HIDDEN))],
        {"vocab_size": count, "context_size": 2},
    )


def icefall_joiner(folder: Path, count: int, silent: Array, seed: int) -> None:
    graph = Graph(seed + 200)
    weight, bias = classes(graph, count, blank=0, silent=np.tanh(silent), never=(1, 2))
    both = graph("Tanh", graph("Add", "encoder_out", "decoder_out"))
    graph.linear(both, weight, bias, name="logit")
    graph.save(
        folder / "joiner-epoch-99-avg-1.onnx",
        [("encoder_out", FLOAT, ("N", HIDDEN)), ("decoder_out", FLOAT, ("N", HIDDEN))],
        [("logit", FLOAT, ("N", count))],
        {"joiner_dim": HIDDEN},
    )


def nemo_ctc(folder: Path, seed: int = 2) -> Path:
    """A CTC model of NeMo: offline-nemo-enc-dec-ctc-model.cc, scripts/nemo.

    Features come as (N, C, T), normalized per band. Blank is the last token, ``<blk>``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<unk>", *BPE, "<blk>"]
    write_tokens(folder, tokens)
    graph = Graph(seed)
    frames = graph("Transpose", "audio_signal", perm=[0, 2, 1])
    hidden, silent = ear(graph, frames, MELS, scale=0.15, quiet=0.0)
    weight, bias = classes(graph, len(tokens), blank=len(tokens) - 1, silent=silent * 3, never=(0,))
    logits = graph.linear(graph.every(hidden, 1, 4), weight, bias)
    graph("LogSoftmax", logits, axis=-1, name="logprobs")
    graph.save(
        folder / "model.onnx",
        [("audio_signal", FLOAT, ("N", MELS, "T")), ("length", INT64, ("N",))],
        [("logprobs", FLOAT, ("N", "S", len(tokens)))],
        {
            "vocab_size": len(tokens),
            "normalize_type": "per_feature",
            "subsampling_factor": 4,
            "model_type": "EncDecCTCModelBPE",
            "version": "1",
            "model_author": "NeMo",
        },
    )
    return folder


def cmvn(graph: Graph) -> dict[str, object]:
    """Metadata of FunASR's front end: seven frames to one, each six frames, mean and deviation."""
    mean = -8.0 + graph.draw(7 * MELS, scale=0.5)
    spread = 0.2 + np.abs(graph.draw(7 * MELS, scale=0.02))
    return {
        "lfr_window_size": 7,
        "lfr_window_shift": 6,
        "neg_mean": ",".join(f"{value:.5f}" for value in mean),
        "inv_stddev": ",".join(f"{value:.5f}" for value in spread),
    }


def paraformer(folder: Path, seed: int = 3) -> Path:
    """A Paraformer of FunASR: offline-paraformer-model.cc and its greedy-search decoder.

    ``us_cif_peak`` has three values for a frame of 60 ms; a peak of 1 is where a token fires, and
    there is one more than tokens. ``</s>`` ends the text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<blank>", "<s>", "</s>", *CJK, "<unk>"]
    write_tokens(folder, tokens)
    graph = Graph(seed)
    metadata = cmvn(graph)
    hidden, _ = ear(graph, "speech", 7 * MELS, scale=0.05, quiet=(QUIET - 8) * 0.2)
    weight, bias = classes(graph, len(tokens), scale=3.0, never=(0, 1, 2, len(tokens) - 1))
    alpha, offset = graph.draw(HIDDEN, 3, scale=0.5), graph.draw(3, scale=1.0)
    alphas = graph("Sigmoid", graph.linear(hidden, alpha, offset))
    loud = graph("MatMul", alphas, graph.weight(graph.draw(3, HIDDEN, scale=1.0)))
    frames = graph.size("speech", 1)
    # A token every fourth frame, where its peak is; the last peak has no token.
    peaks = graph("Div", graph("Sub", frames, graph.constant(3)), graph.constant(4))
    every = graph.every(graph("Add", hidden, loud), 1, 4)
    fired = graph("Slice", every, graph.constant(0), peaks, graph.constant(1))
    graph("LogSoftmax", graph.linear(fired, weight, bias), axis=-1, name="logits")
    graph("Cast", peaks, to=INT32, name="token_num")
    wide = graph.constant(0, -1)
    count = graph("Squeeze", graph("Mul", frames, graph.constant(3)))
    places = graph("Range", graph.scalar(0), count, graph.scalar(1))
    place = graph("Mod", places, graph.constant(12))
    fires = graph("Equal", place, graph.constant(6))
    flat = graph("Reshape", alphas, wide, name="us_alphas")
    low = graph("Mul", flat, graph.scalar(0.9, np.float32))
    graph("Where", fires, graph.scalar(1.0, np.float32), low, name="us_cif_peak")
    graph.save(
        folder / "model.onnx",
        [("speech", FLOAT, ("N", "T", 7 * MELS)), ("speech_lengths", INT32, ("N",))],
        [
            ("logits", FLOAT, ("N", "L", len(tokens))),
            ("token_num", INT32, ("L",)),
            ("us_alphas", FLOAT, ("N", "U")),
            ("us_cif_peak", FLOAT, ("N", "U")),
        ],
        {"vocab_size": len(tokens), "model_type": "paraformer", **metadata},
    )
    return folder


SENSE_LANGUAGES = {"zh": 3, "en": 4, "yue": 7, "ja": 11, "ko": 12}
_SENSE_MARKS = (
    *("<|zh|>", "<|en|>", "<|yue|>", "<|ja|>", "<|ko|>", "<|nospeech|>"),
    *("<|NEUTRAL|>", "<|Speech|>", "<|withitn|>", "<|woitn|>"),
)


def sense_voice(folder: Path, seed: int = 4) -> Path:
    """SenseVoice: offline-sense-voice-model.cc, scripts/sense-voice/export-onnx.py.

    Four frames before the sound's own: language, emotion, event, and whether numbers are written
    as such. The language is that asked for, or chosen from the sound for ``lang_auto``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<unk>", "<s>", "</s>", *_SENSE_MARKS, "\u2581", *BPE, *CJK[:6]]
    write_tokens(folder, tokens)
    marks, count = range(3, 3 + len(_SENSE_MARKS)), len(tokens)
    graph = Graph(seed)
    metadata = cmvn(graph)
    hidden, silent = ear(graph, "x", 7 * MELS, scale=0.04, quiet=(QUIET - 8) * 0.2)
    weight, bias = classes(graph, count, blank=0, silent=silent, never=(1, 2, *marks), scale=3.0)
    sound = graph.linear(hidden, weight, bias)

    pooled = graph("ReduceMean", hidden, axes=[1], keepdims=1)
    guess, offset = graph.draw(HIDDEN, count, scale=2.0), graph.draw(count, scale=0.5)
    offset -= 60.0
    offset[3:8] += 60.0
    chosen = graph.linear(pooled, guess, offset)
    told = graph.draw(16, count, scale=0.5)
    for place, number in enumerate(SENSE_LANGUAGES.values()):
        told[number, 3 + place] += 200.0
    language = graph("Add", chosen, _row(graph, told, "language"))
    emotion, event = graph.draw(1, 1, count, scale=0.5), graph.draw(1, 1, count, scale=0.5)
    emotion[..., 9] += 50.0
    event[..., 10] += 50.0
    form = graph.draw(16, count, scale=9.0)
    form[14, 11] += 50.0
    form[15, 12] += 50.0
    written = _row(graph, form, "text_norm")
    parts = [language, graph.weight(emotion), graph.weight(event), written]
    # How it is written shows in the text, too.
    sound = graph("Add", sound, graph("Mul", written, graph.scalar(0.1, np.float32)))
    graph("Concat", *parts, sound, axis=1, name="logits")
    graph.save(
        folder / "model.onnx",
        [
            ("x", FLOAT, ("N", "T", 7 * MELS)),
            ("x_length", INT32, ("N",)),
            ("language", INT32, ("N",)),
            ("text_norm", INT32, ("N",)),
        ],
        [("logits", FLOAT, ("N", "S", count))],
        {
            "normalize_samples": 0,
            "model_type": "sense_voice_ctc",
            "version": "2",
            "model_author": "iic",
            "vocab_size": count,
            "comment": "iic/SenseVoiceSmall",
            "lang_auto": 0,
            **{f"lang_{tag}": number for tag, number in SENSE_LANGUAGES.items()},
            "lang_nospeech": 13,
            "with_itn": 14,
            "without_itn": 15,
            **metadata,
        },
    )
    return folder


def _row(graph: Graph, table: Array, number: str) -> str:
    """One row of a table, shape (N, 1, V)."""
    return graph("Unsqueeze", graph("Gather", graph.weight(table), number), graph.constant(1))


def moonshine(folder: Path, seed: int = 5) -> Path:
    """Moonshine, first layout: offline-moonshine-model.cc and its greedy-search decoder.

    Four graphs without metadata. Raw samples come in; token 1 begins and 2 ends a text, whose
    length the engine bounds by that of the sound (384 samples for a frame).
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<unk>", "<s>", "</s>", *BPE]
    write_tokens(folder, tokens)
    frame, count = 384, len(tokens)
    graph = Graph(seed)
    kernel = graph.weight(graph.draw(HIDDEN, 1, frame, scale=0.3))
    sound = graph("Unsqueeze", "audio", graph.constant(1))
    # As published: a sound too short for the kernel is an error of onnxruntime.
    filtered = graph("Conv", sound, kernel, kernel_shape=[frame], strides=[frame])
    graph("Transpose", graph("Abs", filtered), perm=[0, 2, 1], name="features")
    graph.save(
        folder / "preprocess.onnx",
        [("audio", FLOAT, (1, "T"))],
        [("features", FLOAT, (1, "S", HIDDEN))],
    )
    graph = Graph(seed + 1)
    weight, bias = graph.draw(HIDDEN, HIDDEN, scale=1.0), graph.draw(HIDDEN, scale=0.3)
    graph("Tanh", graph.linear("features", weight, bias), name="encoder_out")
    graph.save(
        folder / "encode.int8.onnx",
        [("features", FLOAT, (1, "S", HIDDEN)), ("features_len", INT32, (1,))],
        [("encoder_out", FLOAT, (1, "S", HIDDEN))],
    )
    ports: list[Port] = [
        ("token", INT32, (1, 1)),
        ("encoder_out", FLOAT, (1, "S", HIDDEN)),
        ("seq_len", INT32, (1,)),
    ]
    for name, cached in (("uncached_decode", False), ("cached_decode", True)):
        graph = Graph(seed + 2)
        state = _moonshine_step(graph, count, "state_in" if cached else None)
        states: list[Port] = [("state_in", FLOAT, (1, 1, HIDDEN))] if cached else []
        graph.save(
            folder / f"{name}.int8.onnx",
            [*ports, *states],
            [("logits", FLOAT, (1, 1, count)), (state, FLOAT, (1, 1, HIDDEN))],
        )
    return folder


def _moonshine_step(graph: Graph, count: int, state: str | None) -> str:
    """One token more: attention of a kind, with what was said so far as the query."""
    table = graph.weight(graph.draw(count, HIDDEN, scale=0.7))
    said = graph("Gather", table, "token")
    if state is not None:
        decay = graph.weight(graph.draw(HIDDEN, HIDDEN, scale=0.3))
        said = graph("Add", said, graph("MatMul", state, decay))
    after = graph("Tanh", said, name="state_out")
    scores = graph("MatMul", after, graph("Transpose", "encoder_out", perm=[0, 2, 1]))
    heard = graph("MatMul", graph("Softmax", scores, axis=-1), "encoder_out")
    weight, bias = classes(graph, count, never=(0, 1))
    bias[2] -= 5.0  # a text goes on for a while
    graph.linear(graph("Add", heard, after), weight, bias, name="logits")
    return after


def nemo_transducer(folder: Path, seed: int = 6, durations: int = 5) -> Path:
    """A transducer of NeMo: offline-transducer-nemo-model.cc, scripts/nemo/parakeet-tdt-0.6b-v3.

    With ``durations`` a token-and-duration transducer, which the library tells by ``tdt`` in the
    metadata's URL. The blank is the last token and not counted in ``vocab_size``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<unk>", *BPE, "<blk>"]
    write_tokens(folder, tokens)
    count = len(tokens)
    graph = Graph(seed)
    frames = graph("Transpose", "audio_signal", perm=[0, 2, 1])
    hidden, silent = ear(graph, frames, 128, scale=0.12, quiet=0.0)
    weight, bias = graph.draw(HIDDEN, HIDDEN, scale=0.6), graph.draw(HIDDEN, scale=0.2)
    out = graph.linear(graph.every(hidden, 1, 8), weight, bias)
    graph("Transpose", out, perm=[0, 2, 1], name="outputs")
    graph("Div", graph("Add", "length", graph.constant(7)), graph.constant(8), name="lengths")
    url = "parakeet-tdt-0.6b-v3" if durations else "parakeet-unified-en-0.6b"
    graph.save(
        folder / "encoder.int8.onnx",
        [("audio_signal", FLOAT, ("N", 128, "T")), ("length", INT64, ("N",))],
        [("outputs", FLOAT, ("N", HIDDEN, "S")), ("lengths", INT64, ("N",))],
        {
            "vocab_size": count - 1,
            "normalize_type": "per_feature",
            "pred_rnn_layers": 2,
            "pred_hidden": HIDDEN,
            "subsampling_factor": 8,
            "model_type": "EncDecRNNTBPEModel",
            "version": "2",
            "model_author": "NeMo",
            "url": f"https://huggingface.co/nvidia/{url}",
            "feat_dim": 128,
        },
    )
    nemo_decoder(folder, count, seed)
    nemo_joiner(folder, count, durations, silent @ weight + bias, seed)
    return folder


def nemo_decoder(folder: Path, count: int, seed: int) -> None:
    graph = Graph(seed + 100)
    table = graph.weight(graph.draw(count, HIDDEN, scale=1.0))
    said = graph("Transpose", graph("Gather", table, "targets"), perm=[1, 0, 2])  # (1, N, H)
    first, second = (graph.weight(graph.draw(2, 1, 1, scale=0.5)) for _ in range(2))
    graph("Tanh", graph("Add", graph("Mul", "states.1", first), said), name="next.1")
    graph("Tanh", graph("Sub", graph("Mul", "states.2", second), said), name="next.2")
    both = graph("Concat", "next.1", "next.2", axis=0)
    flat = graph("ReduceMean", both, axes=[0], keepdims=0)
    weight, bias = graph.draw(HIDDEN, HIDDEN, scale=0.5), graph.draw(HIDDEN, scale=0.2)
    out = graph.linear(flat, weight, bias)
    graph("Unsqueeze", out, graph.constant(2), name="outputs")
    graph("Identity", "target_length", name="prednet_lengths")
    states = [(f"states.{number}", FLOAT, (2, "N", HIDDEN)) for number in (1, 2)]
    after = [(f"next.{number}", FLOAT, (2, "N", HIDDEN)) for number in (1, 2)]
    graph.save(
        folder / "decoder.int8.onnx",
        [("targets", INT32, ("N", 1)), ("target_length", INT32, ("N",)), *states],
        [("outputs", FLOAT, ("N", HIDDEN, 1)), ("prednet_lengths", INT32, ("N",)), *after],
    )


def nemo_joiner(folder: Path, count: int, durations: int, silent: Array, seed: int) -> None:
    graph = Graph(seed + 200)
    weight, bias = classes(
        graph, count + durations, blank=count - 1, silent=np.tanh(silent), never=(0,)
    )
    if durations:
        bias[count] -= 3.0  # most tokens take time
    else:
        bias[count - 1] += 4.0  # not many tokens in a frame
    both = graph("Add", "encoder_outputs", "decoder_outputs")
    flat = graph("Transpose", graph("Tanh", both), perm=[0, 2, 1])
    logits = graph.linear(flat, weight, bias)
    graph("Unsqueeze", logits, graph.constant(1), name="outputs")
    graph.save(
        folder / "joiner.int8.onnx",
        [
            ("encoder_outputs", FLOAT, ("N", HIDDEN, 1)),
            ("decoder_outputs", FLOAT, ("N", HIDDEN, 1)),
        ],
        [("outputs", FLOAT, ("N", 1, 1, count + durations))],
    )


def gigaam(folder: Path, seed: int = 17) -> Path:
    """GigaAM: the same files of the library, scripts/nemo/GigaAM/export-onnx-rnnt-v3-punct.py.

    With ``is_giga_am`` the library makes 64 bands of its own kind, which are not normalized. Only
    the encoder has eight bits, and it has four frames in one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<unk>", *BPE, "<blk>"]
    write_tokens(folder, tokens)
    graph = Graph(seed)
    frames = graph("Transpose", "audio_signal", perm=[0, 2, 1])
    hidden, silent = ear(graph, frames, 64, scale=0.06, quiet=QUIET, centre=-8.0)
    weight, bias = graph.draw(HIDDEN, HIDDEN, scale=0.6), graph.draw(HIDDEN, scale=0.2)
    out = graph.linear(graph.every(hidden, 1, 4), weight, bias)
    graph("Transpose", out, perm=[0, 2, 1], name="encoded")
    graph("Div", graph("Add", "length", graph.constant(3)), graph.constant(4), name="encoded_len")
    graph.save(
        folder / "encoder.int8.onnx",
        [("audio_signal", FLOAT, ("N", 64, "T")), ("length", INT64, ("N",))],
        [("encoded", FLOAT, ("N", HIDDEN, "S")), ("encoded_len", INT64, ("N",))],
        {
            "vocab_size": len(tokens) - 1,
            "pred_rnn_layers": 2,
            "pred_hidden": HIDDEN,
            "normalize_type": "",
            "subsampling_factor": 4,
            "model_type": "EncDecRNNTBPEModel",
            "version": "3",
            "model_author": "https://github.com/salute-developers/GigaAM",
            "language": "Russian",
            "is_giga_am": 1,
        },
    )
    nemo_decoder(folder, len(tokens), seed)
    nemo_joiner(folder, len(tokens), 0, silent @ weight + bias, seed)
    for part in ("decoder", "joiner"):
        (folder / f"{part}.int8.onnx").rename(folder / f"{part}.onnx")
    return folder


def canary(folder: Path, seed: int = 10) -> Path:
    """Canary: offline-canary-model.cc and offline-recognizer-canary-impl.h.

    The decoder takes a token and its place, and states that grow by one entry each time. Its first
    nine tokens say what is wanted: the languages spoken and written, punctuation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    marks = (
        *("<|startofcontext|>", "<|startoftranscript|>", "<|emo:undefined|>", "<|endoftext|>"),
        *("<|en|>", "<|es|>", "<|de|>", "<|fr|>", "<|pnc|>", "<|nopnc|>", "<|noitn|>"),
        *("<|notimestamp|>", "<|nodiarize|>"),
    )
    tokens = ["<unk>", *marks, *BPE]
    write_tokens(folder, tokens)
    count = len(tokens)
    graph = Graph(seed)
    hidden, _ = ear(graph, "audio_signal", 128, scale=0.12, quiet=0.0)
    graph("Identity", graph.every(hidden, 1, 8), name="enc_states")
    frames = graph("Div", graph("Add", "length", graph.constant(7)), graph.constant(8))
    graph("Identity", frames, name="lengths")
    steps = graph("Shape", "enc_states")
    spread = graph("Slice", steps, graph.constant(0), graph.constant(2), graph.constant(0))
    graph("ConstantOfShape", spread, value=_one(), name="enc_mask")
    graph.save(
        folder / "encoder.int8.onnx",
        [("audio_signal", FLOAT, ("N", "T", 128)), ("length", INT64, ("N",))],
        [
            ("enc_states", FLOAT, ("N", "S", HIDDEN)),
            ("lengths", INT64, ("N",)),
            ("enc_mask", FLOAT, ("N", "S")),
        ],
        {
            "vocab_size": count,
            "normalize_type": "per_feature",
            "subsampling_factor": 8,
            "model_type": "EncDecMultiTaskModel",
            "version": "1",
            "model_author": "NeMo",
            "feat_dim": 128,
            "num_decoder_layers": 2,
            "decoder_hidden_size": HIDDEN,
        },
    )
    _canary_decoder(folder, count, seed)
    return folder


def _one() -> object:
    from onnx import helper

    return helper.make_tensor("value", FLOAT, [1], [1.0])


def _canary_decoder(folder: Path, count: int, seed: int) -> None:
    graph = Graph(seed + 100)
    parts = [graph("Gather", "decoder_input", graph.constant(each), axis=1) for each in (0, 1)]
    said = graph("Gather", graph.weight(graph.draw(count, HIDDEN, scale=0.8)), parts[0])
    place = graph("Cast", graph("Unsqueeze", parts[1], graph.constant(2)), to=FLOAT)
    wave = graph("Sin", graph("Mul", place, graph.weight(graph.draw(1, 1, HIDDEN, scale=1.5))))
    step = graph("Tanh", graph("Add", said, wave))
    for layer in (0, 1):
        graph("Concat", f"decoder_mems_{layer}", step, axis=1, name=f"next_{layer}")
        mean = graph("ReduceMean", f"next_{layer}", axes=[1], keepdims=1)
        weight, bias = graph.draw(HIDDEN, HIDDEN, scale=1.5), graph.draw(HIDDEN, scale=0.2)
        step = graph("Tanh", graph("Add", step, graph.linear(mean, weight, bias)))
    scores = graph("MatMul", step, graph("Transpose", "enc_states", perm=[0, 2, 1]))
    kept = graph("Mul", scores, graph("Unsqueeze", "enc_mask", graph.constant(1)))
    heard = graph("MatMul", graph("Softmax", kept, axis=-1), "enc_states")
    weight, bias = classes(graph, count, never=(0, 1, 2, 3, *range(5, 14)))
    graph.linear(graph("Add", heard, step), weight, bias, name="logits")
    mems = [(f"decoder_mems_{layer}", FLOAT, (1, "L", HIDDEN)) for layer in (0, 1)]
    nexts = [(f"next_{layer}", FLOAT, (1, "M", HIDDEN)) for layer in (0, 1)]
    graph.save(
        folder / "decoder.int8.onnx",
        [
            ("decoder_input", INT32, (1, 2)),
            *mems,
            ("enc_states", FLOAT, (1, "S", HIDDEN)),
            ("enc_mask", FLOAT, (1, "S")),
        ],
        [("logits", FLOAT, (1, 1, count)), *nexts],
    )


def zipformer_ctc(folder: Path, seed: int = 12) -> Path:
    """A CTC model of icefall: offline-zipformer-ctc-model.cc, which reads but ``model_type``."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<blk>", "<sos/eos>", "<unk>", *BPE]
    write_tokens(folder, tokens)
    graph = Graph(seed)
    hidden, silent = ear(graph, "x", MELS, scale=0.06, quiet=QUIET)
    weight, bias = classes(graph, len(tokens), blank=0, silent=silent, never=(1, 2), scale=2.0)
    logits = graph.linear(graph.every(hidden, 1, 4), weight, bias)
    graph("LogSoftmax", logits, axis=-1, name="log_probs")
    padded = graph("Add", "x_lens", graph.constant(3))
    graph("Div", padded, graph.constant(4), name="log_probs_len")
    graph.save(
        folder / "model.int8.onnx",
        [("x", FLOAT, ("N", "T", MELS)), ("x_lens", INT64, ("N",))],
        [("log_probs", FLOAT, ("N", "S", len(tokens))), ("log_probs_len", INT64, ("N",))],
        {"model_type": "zipformer2_ctc", "version": "1", "model_author": "k2-fsa"},
    )
    return folder


def moonshine_v2(folder: Path, seed: int = 16) -> Path:
    """Moonshine, second layout: offline-moonshine-model-v2.cc and its greedy-search decoder.

    One decoder with caches of keys and values for each layer, and a switch for its first step;
    tokens in base64. As published, both files are in onnxruntime's own format, which has no writer
    here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tokens = ["<unk>", "<s>", "</s>", *(piece.replace("\u2581", " ") for piece in BPE)]
    write_tokens(folder, [base64.b64encode(token.encode()).decode() for token in tokens])
    frame, count = 384, len(tokens)
    graph = Graph(seed)
    kernel = graph.weight(graph.draw(HIDDEN, 1, frame, scale=0.3))
    sound = graph("Unsqueeze", "input_values", graph.constant(1))
    filtered = graph("Conv", sound, kernel, kernel_shape=[frame], strides=[frame])
    level = graph("Transpose", graph("Abs", filtered), perm=[0, 2, 1])
    weight, bias = graph.draw(HIDDEN, HIDDEN, scale=1.0), graph.draw(HIDDEN, scale=0.3)
    graph("Tanh", graph.linear(level, weight, bias), name="last_hidden_state")
    graph.save(
        folder / "encoder_model.onnx",
        [("input_values", FLOAT, (1, "T"))],
        [("last_hidden_state", FLOAT, (1, "S", HIDDEN))],
    )
    graph = Graph(seed + 1)
    table = graph.weight(graph.draw(count, HIDDEN, scale=0.7))
    said = graph("Gather", table, "input_ids")  # (1, 1, H)
    kinds = [f"{who}.{what}" for who in ("decoder", "encoder") for what in ("key", "value")]
    past = [f"past_key_values.0.{kind}" for kind in kinds]
    present = [f"present.0.{kind}" for kind in kinds]
    step = graph("Tanh", said)
    for name, after in zip(past[:2], present[:2], strict=True):
        own = graph("MatMul", step, graph.weight(graph.draw(HIDDEN, HIDDEN, scale=0.5)))
        entry = graph("Unsqueeze", own, graph.constant(1))  # (1, 1, 1, H)
        graph("Concat", name, entry, axis=2, name=after)
        mean = graph("ReduceMean", after, axes=[1, 2], keepdims=0)
        step = graph("Tanh", graph("Add", step, graph("Unsqueeze", mean, graph.constant(1))))
    values = "encoder_hidden_states"
    for after in present[2:]:
        made = graph("MatMul", values, graph.weight(graph.draw(HIDDEN, HIDDEN, scale=0.6)))
        graph("Unsqueeze", made, graph.constant(1), name=after)
    keys = graph("Squeeze", present[2], graph.constant(1))
    scores = graph("MatMul", step, graph("Transpose", keys, perm=[0, 2, 1]))
    told = graph("Squeeze", present[3], graph.constant(1))
    heard = graph("MatMul", graph("Softmax", scores, axis=-1), told)
    weight, bias = classes(graph, count, never=(0, 1), scale=2.0)
    bias[2] -= 9.0  # a text goes on for a while
    graph.linear(graph("Add", heard, step), weight, bias, name="logits")
    graph("Identity", "use_cache_branch", name="unused")
    graph.save(
        folder / "decoder_model_merged.onnx",
        [
            ("input_ids", INT64, (1, 1)),
            ("encoder_hidden_states", FLOAT, (1, "S", HIDDEN)),
            *((name, FLOAT, (1, 1, f"P{place // 2}", HIDDEN)) for place, name in enumerate(past)),
            ("use_cache_branch", BOOL, (1,)),
        ],
        [
            ("logits", FLOAT, (1, 1, count)),
            *(
                (name, FLOAT, (1, 1, f"Q{place // 2}", HIDDEN))
                for place, name in enumerate(present)
            ),
        ],
    )
    return folder


OFFLINE: dict[str, Callable[[Path], Path]] = {
    "zipformer": zipformer,
    "nemo_ctc": nemo_ctc,
    "nemo_tdt": nemo_transducer,
    "nemo_rnnt": lambda folder: nemo_transducer(folder, durations=0),
    "gigaam": gigaam,
    "sense_voice": sense_voice,
    "moonshine": moonshine,
    "paraformer": paraformer,
    "canary": canary,
    "zipformer_ctc": zipformer_ctc,
    "moonshine_v2": moonshine_v2,
}
