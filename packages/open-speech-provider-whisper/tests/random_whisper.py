"""Whisper models with random weights in the real CTranslate2 layout, made without torch.

The vocabulary can have the real size, which makes the engine take the model for a multilingual
one: then it detects languages and translates, as a published model does, in words of noise. Real
dimensions (``TINY``, ``BASE``) cost what published models cost, where ``tokens`` keeps the text
as short as speech makes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper.tokenizer import _LANGUAGE_CODES
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

REAL_TEXT_TOKENS = 50_257
"""Tokens before ``<|endoftext|>`` in a published multilingual model; the last one is empty."""
_CONTEXT = 1500
_TARGET = 448
_BIAS = 0.05


@dataclass(frozen=True, kw_only=True)
class Dimensions:
    """How large to make it."""

    d_model: int = 64
    layers: int = 2
    heads: int = 2
    mels: int = 80
    text_tokens: int = REAL_TEXT_TOKENS
    tokens: int | None = None
    """The text of a window is certain, and over at this place; None leaves both to chance, which
    fails every check of the library and goes on to the last place."""


TINY = Dimensions(d_model=384, layers=4, heads=6)
BASE = Dimensions(d_model=512, layers=6, heads=8)
"""As published."""


def make(
    folder: Path,
    size: Dimensions | None = None,
    *,
    quantization: str = "int8",
    seed: int = 0,
    change: Callable[[Any], None] | None = None,
) -> Path:
    """Write a model into ``folder`` and return it. Published ones are in ``float16``.

    ``change`` may do anything to the specification before it is written.
    """
    size = size or Dimensions()
    tokenizer = _tokenizer(size.text_tokens)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    spec = ctranslate2.specs.WhisperSpec(size.layers, size.heads, size.layers, size.heads)
    random = _Weights(seed)
    random.encoder(spec.encoder, size)
    random.decoder(spec.decoder, size, len(vocabulary))
    token = tokenizer.token_to_id
    if size.tokens is not None:
        _end_at(spec.decoder, size.tokens, token("<|endoftext|>"))
    special = ("<|startoftranscript|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>")
    spec.config.suppress_ids = [token(name) for name in special]
    spec.config.suppress_ids_begin = [token("<|endoftext|>")]
    spec.config.lang_ids = [token(f"<|{code}|>") for code in _LANGUAGE_CODES]
    spec.config.alignment_heads = [[size.layers - 1, head] for head in range(size.heads)]
    if change:
        change(spec)
    spec.register_vocabulary([name for name, _ in vocabulary])
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    tokenizer.save(str(folder / "tokenizer.json"))
    extractor = {"feature_size": size.mels, "sampling_rate": 16_000}
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor))
    return folder


def _tokenizer(text_tokens: int) -> Tokenizer:
    """Bytes, pairs of bytes up to the wanted size, an empty token, then Whisper's special ones."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {character: index for index, character in enumerate(alphabet)}
    for index in range(text_tokens - 1 - len(alphabet)):
        vocabulary[alphabet[index // 256] + alphabet[index % 256]] = len(vocabulary)
    vocabulary[""] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    names = ["endoftext", "startoftranscript", *_LANGUAGE_CODES, "translate", "transcribe"]
    names += ["startoflm", "startofprev", "nospeech", "notimestamps"]
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in names])
    times = [AddedToken(f"<|{index * 0.02:.2f}|>", special=False) for index in range(1501)]
    tokenizer.add_tokens(times)
    return tokenizer


def _end_at(decoder: Any, place: int, end_of_text: int) -> None:
    """From this place on, positions alone decide what comes; before, the likeliest is certain."""
    towards = decoder.embeddings.weight[end_of_text]
    decoder.position_encodings.encodings[place:] += 100 * towards
    decoder.layer_norm.gamma *= np.float32(8)


class _Weights:
    """Fills specifications with noise of the size that keeps activations sane.

    All of it is noise, biases and norms too: no tensor could be read in another's place unnoticed.
    """

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def encoder(self, spec: Any, size: Dimensions) -> None:
        d = size.d_model
        for convolution, channels in ((spec.conv1, size.mels), (spec.conv2, d)):
            convolution.weight = self._noise(d, channels, 3, scale=(3 * channels) ** -0.5)
            convolution.bias = self._noise(d, scale=_BIAS)
        spec.position_encodings.encodings = self._noise(_CONTEXT, d)
        self._norm(spec.layer_norm, d)
        for layer in spec.layer:
            self._attention(layer.self_attention, d, (3 * d, d))
            self._feed_forward(layer.ffn, d)

    def decoder(self, spec: Any, size: Dimensions, vocabulary: int) -> None:
        d = size.d_model
        spec.embeddings.weight = self._noise(vocabulary, d, scale=0.5)
        spec.projection.weight = spec.embeddings.weight
        spec.position_encodings.encodings = self._noise(_TARGET, d)
        self._norm(spec.layer_norm, d)
        for layer in spec.layer:
            self._attention(layer.self_attention, d, (3 * d, d))
            self._attention(layer.attention, d, (d, 2 * d, d))
            self._feed_forward(layer.ffn, d)

    def _noise(self, *shape: int, scale: float = 1.0) -> NDArray[np.float32]:
        return (self._random.standard_normal(shape, np.float32) * np.float32(scale)).astype("f4")

    def _linear(self, spec: Any, outputs: int, inputs: int) -> None:
        spec.weight = self._noise(outputs, inputs, scale=inputs**-0.5)
        spec.bias = self._noise(outputs, scale=_BIAS)

    def _norm(self, spec: Any, d: int) -> None:
        spec.gamma, spec.beta = 1 + self._noise(d, scale=_BIAS), self._noise(d, scale=_BIAS)

    def _attention(self, spec: Any, d: int, outputs: tuple[int, ...]) -> None:
        self._norm(spec.layer_norm, d)
        for linear, width in zip(spec.linear, outputs, strict=True):
            self._linear(linear, width, d)

    def _feed_forward(self, spec: Any, d: int) -> None:
        self._norm(spec.layer_norm, d)
        self._linear(spec.linear_0, 4 * d, d)
        self._linear(spec.linear_1, d, 4 * d)
