"""What ``config.json`` says of a checkpoint: sizes, token ids, voices. No engine is needed here.

A checkpoint is a folder with ``config.json`` (the talker with its code predictor, the speaker
encoder), ``generation_config.json`` (how to sample) and ``speech_tokenizer/config.json`` (the codec
that turns frames of codes into sound and recordings into codes).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

CONFIG = "config.json"
GENERATION = "generation_config.json"
CODEC = "speech_tokenizer"
"""The folder of the codec within that of a checkpoint."""

MODEL_TYPE = "qwen3_tts"
CODEC_TYPE = "qwen3_tts_tokenizer_12hz"
CUSTOM_VOICE, BASE, VOICE_DESIGN = KINDS = ("custom_voice", "base", "voice_design")
"""What a checkpoint was trained for: preset voices, cloning, designed voices."""

_MAX_NUMBER = 1_000_000
_MAX_FRACTION = 1e12
_MAX_LAYERS = 256
_MAX_CODES = 64
_MAX_JSON_BYTES = 10_000_000


class BadConfiguration(ValueError):
    """Says what is wrong with a folder, as the end of a sentence about it."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack of transformer layers."""

    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    rms_norm_eps: float = 1e-6
    rope_theta: float = 10_000.0


@dataclass(frozen=True, kw_only=True)
class Talker(Stack):
    """The language model that yields the first code of each frame."""

    vocab_size: int
    text_vocab_size: int
    text_hidden_size: int
    num_code_groups: int
    """Codes per frame."""
    codec_pad_id: int
    codec_bos_id: int
    codec_eos_token_id: int
    codec_think_id: int
    codec_nothink_id: int
    codec_think_bos_id: int
    codec_think_eos_id: int


@dataclass(frozen=True, kw_only=True)
class CodePredictor(Stack):
    """The small language model that completes a frame."""

    vocab_size: int


@dataclass(frozen=True, kw_only=True)
class SpeakerEncoder:
    """The network that hears whose voice a recording is (ECAPA-TDNN)."""

    mel_dim: int = 128
    enc_dim: int = 1024
    enc_channels: tuple[int, ...] = (512, 512, 512, 512, 1536)
    enc_kernel_sizes: tuple[int, ...] = (5, 3, 3, 3, 1)
    enc_dilations: tuple[int, ...] = (1, 2, 3, 4, 1)
    enc_attention_channels: int = 128
    enc_res2net_scale: int = 8
    enc_se_channels: int = 128


@dataclass(frozen=True, kw_only=True)
class CodecDecoder(Stack):
    """The half of the codec that makes sound of codes."""

    hidden_size: int = 1024
    intermediate_size: int = 3072
    num_hidden_layers: int = 8
    num_attention_heads: int = 16
    num_key_value_heads: int = 16
    head_dim: int = 64
    rms_norm_eps: float = 1e-5
    sliding_window: int = 72
    codebook_size: int = 2048
    codebook_dim: int = 512
    latent_dim: int = 1024
    decoder_dim: int = 1536
    num_quantizers: int = 16
    upsampling_ratios: tuple[int, ...] = (2, 2)
    upsample_rates: tuple[int, ...] = (8, 5, 4, 3)

    @property
    def samples_per_frame(self) -> int:
        """How many samples one frame of codes becomes."""
        return math.prod(self.upsampling_ratios) * math.prod(self.upsample_rates)


@dataclass(frozen=True, kw_only=True)
class CodecEncoder(Stack):
    """The half of the codec that makes codes of a recording (Mimi's encoder)."""

    hidden_size: int = 512
    intermediate_size: int = 2048
    num_hidden_layers: int = 8
    num_attention_heads: int = 8
    num_key_value_heads: int = 8
    head_dim: int = 64
    norm_eps: float = 1e-5
    num_filters: int = 64
    num_residual_layers: int = 1
    kernel_size: int = 7
    last_kernel_size: int = 3
    residual_kernel_size: int = 3
    dilation_growth_rate: int = 2
    compress: int = 2
    upsampling_ratios: tuple[int, ...] = (8, 6, 5, 4)
    codebook_size: int = 2048
    codebook_dim: int = 256
    vector_quantization_hidden_dimension: int = 256
    num_semantic_quantizers: int = 1


@dataclass(frozen=True, kw_only=True)
class Generation:
    """How to sample, by the names of ``generation_config.json``; the defaults are upstream's."""

    do_sample: bool = True
    temperature: float = 0.9
    top_k: int = 50
    top_p: float = 1.0
    repetition_penalty: float = 1.05
    subtalker_dosample: bool = True
    subtalker_temperature: float = 0.9
    subtalker_top_k: int = 50
    subtalker_top_p: float = 1.0
    max_new_tokens: int = 2048


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """All of a checkpoint."""

    kind: str
    """One of ``KINDS``."""
    size: str
    """``0b6`` or ``1b7``."""
    tts_bos_token_id: int
    tts_eos_token_id: int
    tts_pad_token_id: int
    im_start_token_id: int
    im_end_token_id: int
    speakers: Mapping[str, int]
    """Preset voices with their ids among the talker's codes."""
    dialects: Mapping[str, str]
    """Preset voices that speak a dialect, with its name among ``language_ids``."""
    language_ids: Mapping[str, int]
    talker: Talker
    predictor: CodePredictor
    speaker_encoder: SpeakerEncoder
    decoder: CodecDecoder
    encoder: CodecEncoder
    generation: Generation
    sample_rate: int = 24_000

    @property
    def takes_instructions(self) -> bool:
        """Upstream drops instructions for the small model with preset voices: it ignores them."""
        return self.kind == VOICE_DESIGN or (self.kind == CUSTOM_VOICE and self.size != "0b6")


def kind_of(folder: Path) -> str | None:
    """What the checkpoint in a folder was trained for; None for what is none of this format."""
    try:
        top = _json(folder / CONFIG)
    except BadConfiguration:
        return None
    fits = top.get("model_type") == MODEL_TYPE and top.get("tokenizer_type") == CODEC_TYPE
    return top["tts_model_type"] if fits and top.get("tts_model_type") in KINDS else None


def read(folder: Path) -> Configuration:
    """Read a checkpoint's configuration; raises BadConfiguration, for numbers that lie too."""
    top = _json(folder / CONFIG)
    if kind_of(folder) is None:
        raise BadConfiguration(f"has a {CONFIG} that is not of a {CODEC_TYPE!r} {MODEL_TYPE!r}")
    codec = _json(folder / CODEC / CONFIG)
    talker = _section(top, "talker_config")
    encoder = _section(codec, "encoder_config")
    ids = (f.name for f in fields(Configuration) if f.name.endswith("_token_id"))
    configuration = Configuration(
        kind=top["tts_model_type"],
        size=str(top.get("tts_model_size")),
        talker=_made(Talker, talker),
        predictor=_made(CodePredictor, _section(talker, "code_predictor_config")),
        speaker_encoder=_made(SpeakerEncoder, _section(top, "speaker_encoder_config", {})),
        decoder=_made(CodecDecoder, _section(codec, "decoder_config")),
        encoder=_made(CodecEncoder, encoder),
        generation=_made(Generation, _json(folder / GENERATION)),
        speakers=_ids(talker, "spk_id"),
        dialects={n: str(d) for n, d in _section(talker, "spk_is_dialect", {}).items() if d},
        language_ids=_ids(talker, "codec_language_id"),
        sample_rate=_number(codec.get("output_sample_rate", 24_000), "output_sample_rate"),
        **{name: _number(top.get(name), name) for name in ids},
    )
    _check(configuration)
    return configuration


def _check(found: Configuration) -> None:
    codes = {found.talker.num_code_groups, found.decoder.num_quantizers}
    if len(codes) != 1 or not 1 < found.talker.num_code_groups <= _MAX_CODES:
        raise BadConfiguration("has a codec that does not fit its talker")
    for stack in (found.talker, found.predictor, found.decoder, found.encoder):
        if stack.num_hidden_layers > _MAX_LAYERS:
            raise BadConfiguration(f"claims {stack.num_hidden_layers} layers")
    wild = [d for d in found.dialects.values() if d not in found.language_ids]
    special = [*found.speakers.values(), *found.language_ids.values()]
    if wild or any(number >= found.talker.vocab_size for number in special):
        raise BadConfiguration("has voices or languages that its talker does not know")
    if found.decoder.codebook_size > found.talker.vocab_size:
        raise BadConfiguration("has more codes than its talker can say")


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_JSON_BYTES:
            raise BadConfiguration(f"has a {path.name} of {path.stat().st_size} bytes")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, BadConfiguration):
            raise
        raise BadConfiguration(f"has no readable {path.parent.name}/{path.name}") from error
    if not isinstance(found, dict):
        raise BadConfiguration(f"has a {path.name} that is not an object")
    return found


def _section(
    found: Mapping[str, Any], name: str, default: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    section = found.get(name)
    if section is None and default is not None:
        return default
    if not isinstance(section, dict):
        raise BadConfiguration(f"has no {name}")
    return section


def _ids(found: Mapping[str, Any], name: str) -> dict[str, int]:
    return {key: _number(value, name) for key, value in _section(found, name, {}).items()}


def _made(kind: type[Any], section: Mapping[str, Any]) -> Any:
    """Make a part of those fields that the file has; null means the default, as in the file."""
    found = {field.name: section.get(field.name) for field in fields(kind)}
    types = {field.name: str(field.type) for field in fields(kind)}
    given = {
        name: _value(value, name, types[name]) for name, value in found.items() if value is not None
    }
    try:
        return kind(**given)
    except TypeError as error:
        raise BadConfiguration(f"has an incomplete configuration ({error})") from error


def _value(value: Any, name: str, kind: str) -> Any:
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "float" and type(value) in (int, float) and 0 < value <= _MAX_FRACTION:
        return float(value)
    if kind == "int":
        return _number(value, name, least=0 if name.endswith(("_id", "_k")) else 1)
    if kind.startswith("tuple") and isinstance(value, list) and len(value) <= _MAX_LAYERS:
        return tuple(_number(item, name, least=1) for item in value)
    raise BadConfiguration(f"says {str(value)[:40]!r} for {name}")


def _number(value: Any, name: str, *, least: int = 0) -> int:
    """A whole number within bounds that no honest checkpoint exceeds."""
    if type(value) is not int or not least <= value <= _MAX_NUMBER:
        raise BadConfiguration(f"says {str(value)[:40]!r} for {name}")
    return value
