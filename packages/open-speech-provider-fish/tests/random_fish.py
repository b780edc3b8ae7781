"""Write a checkpoint of random weights in the published layout.

    python random_fish.py FOLDER [--published-codec]

Runs with the interpreter of the provider's own environment. Names and shapes are upstream's: its
own classes make the weights and write the files. Only the sizes are small; ``codec.yaml`` tells
those of the codec, which the published file of weights does not hold either. With
``--published-codec`` the codec has its published size (gigabytes), and there is no such file.
"""

from __future__ import annotations

import argparse
import base64
import copy
from pathlib import Path
from typing import Any

import torch

from open_speech_provider_fish import _engine
from open_speech_provider_fish._engine import CODEC_CONFIG, OmegaConf, instantiate, llama

CODEBOOKS = 10
CODES, PUBLISHED_CODES = 64, 4096
RESIDUAL_CODES = 1024
"""Of all codebooks but the first, as published."""
LOUDNESS = 0.1
"""Root mean square of the sound, so that it is no silence."""


def write(folder: Path, *, published_codec: bool = False) -> None:
    """Write everything into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    _text_model(folder, PUBLISHED_CODES if published_codec else CODES)
    if published_codec:
        config, codes, frames = OmegaConf.load(CODEC_CONFIG), RESIDUAL_CODES, 8
    else:
        config, codes, frames = _small_codec(), CODES, 60
        OmegaConf.save(config, folder / "codec.yaml")
    _codec(folder, config, torch.randint(0, codes, (1, CODEBOOKS, frames)))


def _text_model(folder: Path, codes: int) -> None:
    from fish_speech.tokenizer import ALL_SPECIAL_TOKENS, FishTokenizer

    vocabulary = folder / "tokenizer.tiktoken"
    single = (base64.b64encode(bytes([byte])).decode() for byte in range(256))
    vocabulary.write_text("".join(f"{text} {rank}\n" for rank, text in enumerate(single)))
    plain = [token for token in ALL_SPECIAL_TOKENS if "semantic" not in token]
    tokens = [*plain, *(f"<|semantic:{code}|>" for code in range(codes))]
    tokenizer = FishTokenizer(str(vocabulary), tokens)
    config = llama.DualARModelArgs(
        vocab_size=256 + len(tokens), n_layer=2, n_head=2, dim=32, intermediate_size=64,
        head_dim=16, max_seq_len=4096, codebook_size=codes, num_codebooks=CODEBOOKS,
        n_fast_layer=2, attention_qk_norm=True, initializer_range=0.5,
    )  # fmt: skip
    model = llama.DualARTransformer(config, tokenizer=tokenizer)
    _scatter(model)
    model.save_pretrained(folder)


@torch.no_grad()
def _scatter(model: torch.nn.Module) -> None:
    """Make the parameters random that upstream makes constant: norms, scales, biases, alphas."""
    for parameter in model.parameters():
        if parameter.min() == parameter.max():
            parameter.copy_(parameter * 0.5 + torch.rand_like(parameter) * 0.5 + 0.01)


def _small_codec() -> Any:
    config = OmegaConf.to_container(OmegaConf.load(CODEC_CONFIG))
    config |= {"encoder_dim": 4, "decoder_dim": 64, "encoder_transformer_layers": [0, 0, 0, 1],
               "decoder_transformer_layers": [1, 0, 0, 0]}  # fmt: skip
    config["transformer_general_config"] |= {"head_dim": 16, "block_size": 1024}
    inner = config["encoder_dim"] * 16
    quantizer = config["quantizer"]
    quantizer |= {"input_dim": inner, "codebook_size": CODES, "semantic_codebook_size": CODES}
    for name in ("post_module", "pre_module"):
        module = quantizer[name] = copy.deepcopy(quantizer[name])
        module["input_dim"] = inner
        module["config"] |= {"n_layer": 1, "n_head": 4, "dim": inner, "intermediate_size": 128,
                             "head_dim": 16, "block_size": 1024}  # fmt: skip
    return OmegaConf.create(config)


def _codec(folder: Path, config: Any, frames: torch.Tensor) -> None:
    codec = instantiate(config).eval()
    _scatter(codec)
    with torch.inference_mode():
        for _ in range(6):  # its last step is a tanh, so it takes a few
            sound = codec.decode(frames, torch.tensor([frames.shape[2]]))[0]
            _scale(codec, LOUDNESS / max(float(sound.square().mean().sqrt()), 1e-9))
    torch.save(codec.state_dict(), folder / _engine.CODEC)


def _scale(codec: torch.nn.Module, by: float) -> None:
    last = [m for m in codec.decoder.modules() if hasattr(m, "parametrizations")][-1]
    last.parametrizations.weight.original0.mul_(by)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--published-codec", action="store_true")
    write(**vars(parser.parse_args()))
