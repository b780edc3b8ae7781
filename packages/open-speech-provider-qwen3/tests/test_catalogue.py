"""What is offered by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from open_speech import Capability
from open_speech_provider_qwen3 import Qwen3Backend, catalogue, configuration

INSTRUCTED, CLONES = Capability.INSTRUCTIONS, Capability.VOICE_CLONE


@pytest.mark.parametrize(
    ("name", "capability", "voices"),
    [
        ("qwen3-tts-0.6b", set(), 9),
        ("qwen3-tts-1.7b", {INSTRUCTED}, 9),
        ("qwen3-tts-0.6b-base", {CLONES}, 0),
        ("qwen3-tts-1.7b-base", {CLONES}, 0),
        ("qwen3-tts-1.7b-design", {INSTRUCTED}, 0),
    ],
)
def test_capabilities_are_those_of_each_checkpoint(
    name: str, capability: set[Capability], voices: int
) -> None:
    (info,) = (m for m in Qwen3Backend().list_available() if m.id == name)
    assert info.capabilities == {Capability.SEED, *capability}
    assert len(info.voices) == voices
    assert len(info.languages) == 10


def test_patterns_tell_checkpoints_apart() -> None:
    for info in catalogue.MODELS:
        (repository,) = info.aliases
        name = f"somebody/{repository.partition('/')[2]}-bf16"
        template = next(p.template for p in catalogue.PATTERNS if fnmatchcase(name, p.glob))
        assert template.capabilities == info.capabilities
        assert template.voices == info.voices


def test_a_loaded_checkpoint_corrects_what_was_assumed(checkpoint: Callable[[str], Path]) -> None:
    """A voice that was trained later is there, one that is missing is not."""
    config = configuration.read(checkpoint("custom_voice"))
    speakers = {"sohee": 1, "somebody": 2}
    changed = replace(config, speakers=speakers, size="0b6")
    info = catalogue.known_from(changed, catalogue.MODELS[1])
    assert [voice.id for voice in info.voices] == ["sohee", "somebody"]
    assert info.default_voice is None
    assert info.capabilities == {Capability.SEED}
