"""Configurations that lie are refused before anything is built of them."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from open_speech_provider_qwen3 import configuration
from open_speech_provider_qwen3.configuration import BadConfiguration, Configuration

Checkpoint = Callable[[str], Path]


@pytest.fixture
def copied(checkpoint: Checkpoint, tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint("custom_voice"), tmp_path / "copy"))


def change(path: Path, keys: tuple[str, ...], value: Any) -> None:
    whole = json.loads(path.read_bytes())
    part = whole
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    path.write_text(json.dumps(whole))


def test_a_published_layout_is_read(checkpoint: Checkpoint) -> None:
    config = configuration.read(checkpoint("custom_voice"))
    assert config.decoder.samples_per_frame == 1920
    assert config.dialects == {"dylan": "beijing_dialect"}
    assert config.takes_instructions
    assert not configuration.read(checkpoint("base")).takes_instructions


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("talker_config", "hidden_size"), 10**9),
        (("talker_config", "hidden_size"), 64.5),
        (("talker_config", "hidden_size"), "64"),
        (("talker_config", "num_hidden_layers"), 100_000),
        (("talker_config", "num_hidden_layers"), -1),
        (("talker_config", "num_attention_heads"), 0),
        (("talker_config", "num_code_groups"), 5000),
        (("talker_config", "rope_theta"), float("nan")),
        (("talker_config", "spk_id", "ryan"), 10**5),
        (("talker_config", "spk_is_dialect", "ryan"), "klingon"),
        (("talker_config", "code_predictor_config"), None),
        (("talker_config",), []),
        (("tts_bos_token_id",), True),
        (("tts_model_type",), "singer"),
        (("tokenizer_type",), "qwen3_tts_tokenizer_25hz"),
    ],
)
def test_a_configuration_that_lies_is_refused(
    copied: Path, keys: tuple[str, ...], value: Any
) -> None:
    change(copied / "config.json", keys, value)
    with pytest.raises(BadConfiguration):
        configuration.read(copied)


def test_a_codec_that_does_not_fit_is_refused(copied: Path) -> None:
    change(copied / "speech_tokenizer" / "config.json", ("decoder_config", "num_quantizers"), 8)
    with pytest.raises(BadConfiguration, match="does not fit"):
        configuration.read(copied)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"model_type": 1}'])
def test_a_broken_file_is_refused(copied: Path, text: str) -> None:
    (copied / "config.json").write_text(text)
    with pytest.raises(BadConfiguration):
        configuration.read(copied)
    assert configuration.kind_of(copied) is None


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type, and no number that is none."""
    if dataclasses.is_dataclass(hint):
        hints = get_type_hints(hint)
        return all(fits(getattr(value, each.name), hints[each.name]) for each in fields(hint))
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    if get_origin(hint) is tuple:
        return type(value) is tuple and all(fits(each, get_args(hint)[0]) for each in value)
    if get_origin(hint) is Mapping:
        key, item = get_args(hint)
        return all(fits(k, key) and fits(v, item) for k, v in value.items())
    return type(value) is hint


def test_values_are_told_from_what_fits_no_annotation(checkpoint: Checkpoint) -> None:
    config = configuration.read(checkpoint("custom_voice"))
    assert fits(config, Configuration)
    assert not fits(dataclasses.replace(config, tts_bos_token_id=True), Configuration)
    assert not fits(dataclasses.replace(config, tts_bos_token_id=1.5), Configuration)
    assert not fits(dataclasses.replace(config, speakers={"a": "b"}), Configuration)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
    | st.integers(-2, 200),
    keys=st.sampled_from(
        [
            ("talker_config",),
            ("talker_config", "hidden_size"),
            ("talker_config", "rope_theta"),
            ("talker_config", "spk_id"),
            ("talker_config", "spk_is_dialect"),
            ("talker_config", "code_predictor_config", "num_hidden_layers"),
            ("speaker_encoder_config",),
            ("tts_model_type",),
            ("im_start_token_id",),
            ("tts_model_size",),
        ]
    ),
)
def test_anything_else_is_refused_or_read_as_what_it_should_be(
    copied: Path, keys: tuple[str, ...], value: Any
) -> None:
    path = copied / "config.json"
    before = path.read_bytes()
    change(path, keys, value)
    try:
        config = configuration.read(copied)
    except BadConfiguration:
        return
    finally:
        path.write_bytes(before)
    assert fits(config, Configuration)
