"""Write a Qwen3-TTS checkpoint with random weights, in the layout of the published ones.

    python tiny_checkpoint.py FOLDER [--kind custom_voice|base|voice_design] [--published [--large]]

File names, keys and tensor names are those of the published repositories. The numbers come from a
stream that numpy has frozen, so that the same call writes the same weights everywhere; they are
scaled so that sound is loud and codes depend on the text. ``--published`` takes the published sizes
of the 0.6B model (2.5 GB, the talker in bfloat16 as it is published) instead of tiny ones, and
``--large`` those of the 1.7B model (4.5 GB).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import chain, count, product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers.pre_tokenizers import ByteLevel
from transformers import Qwen3Config, Qwen3Model

from open_speech_provider_qwen3 import configuration
from open_speech_provider_qwen3.codec_decoder import CodecDecoder
from open_speech_provider_qwen3.codec_encoder import CodecEncoder
from open_speech_provider_qwen3.speaker_encoder import SpeakerEncoder

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tts_pad>", "<tts_bos>", "<tts_eos>")
WORDS = ("assistant", "user", "the", "and", "ing", "Ġthe", "Ġof", "Ġa")
LANGUAGES: tuple[str, ...] = ("chinese", "english", "german", "italian", "portuguese")
LANGUAGES += ("spanish", "japanese", "korean", "french", "russian", "beijing_dialect")
SPEAKERS = ("vivian", "serena", "uncle_fu", "dylan", "eric", "ryan", "aiden", "ono_anna", "sohee")
PLACES = dict(zip(SPECIAL, (151_643, 151_644, 151_645, 151_671, 151_672, 151_673), strict=True))
"""Where the published vocabulary has the special marks."""
MERGES = 151_387
"""How many the published vocabulary has."""
ATTENTION = {"rms_norm_eps": 1e-6, "rope_theta": 1_000_000, "attention_bias": False}
LAST_QUIETER = 12.0
SAMPLING: dict[str, Any] = {
    "do_sample": True,
    "repetition_penalty": 1.05,
    "temperature": 0.9,
    "top_p": 1.0,
    "top_k": 50,
    "subtalker_dosample": True,
    "subtalker_temperature": 0.9,
    "subtalker_top_p": 1.0,
    "subtalker_top_k": 50,
}


def write(
    folder: Path,
    kind: str = "custom_voice",
    *,
    published: bool = False,
    large: bool = False,
    seed: int = 0,
    frames: int = 8192,
) -> Path:
    """Write a checkpoint; ``frames`` is its ``max_new_tokens``."""
    config = describe(folder, kind, published=published, large=large, frames=frames)
    chance: Any = Quick(seed) if published else np.random.RandomState(seed)
    numbers = torch.bfloat16 if published else torch.float32
    tensors = {name: each.to(numbers) for name, each in talker(config, chance)}
    save_file(tensors, folder / "model.safetensors", mark(kind, published=published))
    del tensors
    save_file(
        dict(speech_tokenizer(config, chance)),
        folder / "speech_tokenizer" / "model.safetensors",
        mark("codec", published=published),
    )
    return folder


def mark(part: str, *, published: bool) -> dict[str, str] | None:
    """What a file says of itself; some of the published ones say nothing."""
    return None if published and part in ("base", "codec") else {"format": "pt"}


def describe(folder: Path, kind: str, *, published: bool, large: bool, frames: int) -> Any:
    """Write everything but the weights; returns what it comes to."""
    (folder / "speech_tokenizer").mkdir(parents=True, exist_ok=True)
    text = write_vocabulary(folder, published=published)
    top, codec = sizes(kind, text, published=published, large=large)
    dump(folder / "config.json", top)
    dump(folder / "generation_config.json", {**SAMPLING, "max_new_tokens": frames})
    dump(folder / "speech_tokenizer" / "config.json", codec)
    extractor = {"feature_extractor_type": "EncodecFeatureExtractor", "feature_size": 1}
    extractor |= {"sampling_rate": 24_000, "padding_value": 0.0, "return_attention_mask": True}
    dump(folder / "speech_tokenizer" / "preprocessor_config.json", extractor)
    return configuration.read(folder)


class Quick:
    """Random numbers of which there are a billion: another stream, and half of the memory."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def standard_normal(self, shape: tuple[int, ...]) -> Any:
        return self._generator.standard_normal(shape, dtype=np.float32)


def write_vocabulary(folder: Path, *, published: bool = False) -> dict[str, int]:
    """Bytes, a few words, special marks; returns the ids of the marks, and how many there are.

    As ``published`` it is as large as the published one, with syllables of chance.
    """
    letters = sorted(ByteLevel.alphabet())
    vocabulary = {letter: place for place, letter in enumerate(letters)}
    merges = []
    for word in WORDS:
        for end in range(2, len(word) + 1):
            if word[:end] not in vocabulary:
                vocabulary[word[:end]] = len(vocabulary)
                merges.append(f"{word[: end - 1]} {word[end - 1]}")
    syllables = chain(product(letters, repeat=2), product(letters, repeat=3))
    while published and len(merges) < MERGES:
        *first, last = next(syllables)
        syllable = "".join([*first, last])
        if syllable not in vocabulary:
            vocabulary[syllable] = len(vocabulary)
            merges.append(f"{''.join(first)} {last}")
    dump(folder / "vocab.json", vocabulary)
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]))
    marks = PLACES if published else dict(zip(SPECIAL, count(len(vocabulary))))
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    added = {str(i): {"content": mark, **flags, "special": True} for mark, i in marks.items()}
    tokenizer = {
        "tokenizer_class": "Qwen2Tokenizer",
        "processor_class": "Qwen3TTSProcessor",
        "add_prefix_space": False,
        "add_bos_token": False,
        "bos_token": None,
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": None,
        "errors": "replace",
        "clean_up_tokenization_spaces": False,
        "split_special_tokens": False,
        "model_max_length": 131_072,
        "added_tokens_decoder": added,
    }
    dump(folder / "tokenizer_config.json", tokenizer)
    return marks | {"": len(vocabulary) + len(marks)}


def sizes(
    kind: str, text: dict[str, int], *, published: bool, large: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """``config.json`` and ``speech_tokenizer/config.json``."""
    # The 1.7B checkpoints have a predictor narrower than their talker.
    large = large if published else kind != "base"
    codes = 2048 if published else 64
    first = codes + 100 if published else codes
    talker = {
        "vocab_size": codes + 1024,
        "hidden_size": (2048 if large else 1024) if published else 64,
        "intermediate_size": (6144 if large else 3072) if published else 96,
        "num_hidden_layers": 28 if published else 2,
        "num_attention_heads": 16 if published else 4,
        "num_key_value_heads": 8 if published else 2,
        "head_dim": 128 if published else 16,
        "text_hidden_size": 2048 if published else 80,
        "text_vocab_size": 151_936 if published else text[""],
        "max_position_embeddings": 32_768,
        "num_code_groups": 16,
        "rope_scaling": {
            "interleaved": True,
            "mrope_section": [24, 20, 20] if published else [4, 2, 2],
            "rope_type": "default",
            "type": "default",
        },
        "codec_pad_id": first,
        "codec_bos_id": first + 1,
        "codec_eos_token_id": first + 2,
        "codec_think_id": first + 6,
        "codec_nothink_id": first + 7,
        "codec_think_bos_id": first + 8,
        "codec_think_eos_id": first + 9,
        "codec_language_id": {name: first + 10 + i for i, name in enumerate(LANGUAGES)},
        "spk_id": {},
        "spk_is_dialect": {},
        "code_predictor_config": {
            "vocab_size": codes,
            "hidden_size": 1024 if published else (48 if large else 64),
            "intermediate_size": 3072 if published else 96,
            "num_hidden_layers": 5 if published else 2,
            "num_attention_heads": 16 if published else 4,
            "num_key_value_heads": 8 if published else 2,
            "head_dim": 128 if published else 16,
            "num_code_groups": 16,
            "max_position_embeddings": 65_536,
            **ATTENTION,
        },
        **ATTENTION,
    }
    if kind == "custom_voice":
        talker["spk_id"] = {name: first + 40 + i for i, name in enumerate(SPEAKERS)}
        dialect = {"dylan": "beijing_dialect"}
        talker["spk_is_dialect"] = {name: dialect.get(name, False) for name in SPEAKERS}
    top = {
        "architectures": ["Qwen3TTSForConditionalGeneration"],
        "model_type": "qwen3_tts",
        "tokenizer_type": "qwen3_tts_tokenizer_12hz",
        "tts_model_type": kind,
        "tts_model_size": "1b7" if large else "0b6",
        "talker_config": talker,
        "im_start_token_id": text["<|im_start|>"],
        "im_end_token_id": text["<|im_end|>"],
        "tts_pad_token_id": text["<tts_pad>"],
        "tts_bos_token_id": text["<tts_bos>"],
        "tts_eos_token_id": text["<tts_eos>"],
    }
    if kind == "base":
        top["speaker_encoder_config"] = {"enc_dim": talker["hidden_size"], "sample_rate": 24_000}
        if not published:
            top["speaker_encoder_config"] |= {
                "enc_channels": [32, 32, 32, 32, 96],
                "enc_attention_channels": 16,
                "enc_res2net_scale": 4,
                "enc_se_channels": 16,
            }
    return top, codec_sizes(codes, published=published)


def codec_sizes(codes: int, *, published: bool) -> dict[str, Any]:
    """``speech_tokenizer/config.json``."""
    decoder = {
        "codebook_size": codes,
        "codebook_dim": 512 if published else 32,
        "hidden_size": 512 if published else 32,
        "latent_dim": 1024 if published else 40,
        "num_attention_heads": 16 if published else 2,
        "num_key_value_heads": 16 if published else 2,
        "head_dim": 64 if published else 16,
        "intermediate_size": 1024 if published else 48,
        "num_hidden_layers": 8 if published else 2,
        "num_quantizers": 16,
        "decoder_dim": 1536 if published else 64,
        "sliding_window": 72 if published else 24,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10_000,
        "layer_scale_initial_scale": 0.01,
        "upsample_rates": [8, 5, 4, 3],
        "upsampling_ratios": [2, 2],
    }
    encoder = {
        "hidden_size": 512 if published else 32,
        "num_filters": 64 if published else 4,
        "num_hidden_layers": 8 if published else 2,
        "intermediate_size": 2048 if published else 48,
        "num_attention_heads": 8 if published else 2,
        "num_key_value_heads": 8 if published else 2,
        "head_dim": 64 if published else 16,
        "codebook_size": codes,
        "codebook_dim": 256 if published else 16,
        "num_quantizers": 32,
        "vector_quantization_hidden_dimension": 256 if published else 16,
        "upsample_groups": 512 if published else 32,
        "sampling_rate": 24_000,
        "_frame_rate": 12.5,
        "max_position_embeddings": 8_000,
        "num_semantic_quantizers": 1,
        "sliding_window": 250 if published else 30,
        "upsampling_ratios": [8, 6, 5, 4],
        "use_cache": False,
    }
    return {
        "architectures": ["Qwen3TTSTokenizerV2Model"],
        "model_type": "qwen3_tts_tokenizer_12hz",
        "encoder_config": encoder,
        "decoder_config": decoder,
        "encoder_valid_num_quantizers": 16,
        "input_sample_rate": 24_000,
        "output_sample_rate": 24_000,
        "decode_upsample_rate": 1920,
        "encode_downsample_rate": 1920,
    }


def talker(config: Any, chance: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of ``model.safetensors``."""
    sizes, predictor = config.talker, config.predictor
    hidden = sizes.hidden_size
    for prefix, stack in (("talker.", sizes), ("talker.code_predictor.", predictor)):
        with torch.device("meta"):
            module = Qwen3Model(qwen3(stack))
        for name, shape in shapes(module):
            if name != "embed_tokens.weight":
                yield f"{prefix}model.{name}", made(name, shape, chance)
    plain = {
        "talker.model.text_embedding.weight": (sizes.text_vocab_size, sizes.text_hidden_size),
        "talker.model.codec_embedding.weight": (sizes.vocab_size, hidden),
        "talker.codec_head.weight": (sizes.vocab_size, hidden),
        "talker.text_projection.linear_fc1.weight": (sizes.text_hidden_size,) * 2,
        "talker.text_projection.linear_fc1.bias": (sizes.text_hidden_size,),
        "talker.text_projection.linear_fc2.weight": (hidden, sizes.text_hidden_size),
        "talker.text_projection.linear_fc2.bias": (hidden,),
    }
    inner = "talker.code_predictor."
    for place in range(sizes.num_code_groups - 1):
        plain[f"{inner}model.codec_embedding.{place}.weight"] = (predictor.vocab_size, hidden)
        plain[f"{inner}lm_head.{place}.weight"] = (predictor.vocab_size, predictor.hidden_size)
    if predictor.hidden_size != hidden:
        plain[f"{inner}small_to_mtp_projection.weight"] = (predictor.hidden_size, hidden)
        plain[f"{inner}small_to_mtp_projection.bias"] = (predictor.hidden_size,)
    for name, shape in plain.items():
        tensor = made(name, shape, chance)
        if name == "talker.codec_head.weight":
            tensor *= 3.0  # preferences, so that codes are not chosen by rounding
            tensor[sizes.codec_eos_token_id] = 0.0  # random weights would end after a second
        yield name, tensor
    if config.kind == "base":
        with torch.device("meta"):
            module = SpeakerEncoder(config.speaker_encoder)
        for name, shape in shapes(module):
            yield f"speaker_encoder.{name}", made(name, shape, chance)


def speech_tokenizer(config: Any, chance: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """The tensors of ``speech_tokenizer/model.safetensors``, those that go unused too."""
    with torch.device("meta"):
        decoder, encoder = CodecDecoder(config.decoder), CodecEncoder(config.encoder, 32)
    for name, shape in shapes(decoder):
        yield f"decoder.{name}", made(name, shape, chance)
    for name, shape in shapes(encoder):
        yield f"encoder.{name}", made(name, shape, chance)
        if name.endswith("cluster_usage"):
            yield f"encoder.{name}".replace("cluster_usage", "initialized"), torch.ones(1)
    size, inner = config.decoder.codebook_dim, config.decoder.codebook_dim // 2
    for part in ("first", "rest"):
        name = f"decoder.quantizer.rvq_{part}.input_proj.weight"
        yield name, made(name, (inner, size, 1), chance)
    mimi = config.encoder
    inner, size = mimi.vector_quantization_hidden_dimension, mimi.hidden_size
    for part in ("semantic", "acoustic"):
        name = f"encoder.quantizer.{part}_residual_vector_quantizer.output_proj.weight"
        yield name, made(name, (size, inner, 1), chance)


def qwen3(stack: Any) -> Any:
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    names += ("num_key_value_heads", "head_dim")
    return Qwen3Config(vocab_size=1, **{name: getattr(stack, name) for name in names})


def shapes(module: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, tuple(tensor.shape)) for name, tensor in module.state_dict().items()]


def made(name: str, shape: tuple[int, ...], chance: Any) -> torch.Tensor:
    """Random numbers of a scale that fits the part they are for."""
    numbers = chance.standard_normal(shape).astype(np.float32, copy=False)
    if name.endswith("cluster_usage"):
        numbers = 1.0 + np.abs(numbers)
    elif name.endswith(("scale", "gamma")):
        numbers = 0.3 + 0.1 * numbers
    elif name.endswith(("alpha", "beta")):
        numbers *= 0.3
    elif "norm" in name and name.endswith("weight"):
        numbers = 1.0 + 0.1 * numbers
    elif name.endswith("bias"):
        numbers *= 0.1
    elif "embedding" not in name and not name.endswith("embed_sum"):
        inputs = shape[0] * 2 if _transposed(name) else int(np.prod(shape[1:]))
        numbers /= np.sqrt(inputs) * _quieter(name)
    return torch.from_numpy(numbers)


def _transposed(name: str) -> bool:
    return (name.endswith("block.1.conv.weight") and name.startswith("decoder.")) or (
        name.startswith("upsample.") and name.endswith(".0.conv.weight")
    )


def _quieter(name: str) -> float:
    """Residual branches add up, and a loud wave through a sine would make noise of rounding."""
    if name == "decoder.6.conv.weight":
        return LAST_QUIETER
    return 4.0 if ".conv2.conv." in name or ".conv1.conv." in name else 1.0


def dump(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", default="custom_voice", choices=configuration.KINDS)
    parser.add_argument("--published", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--frames", type=int, default=8192)
    write(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
