"""What both this provider and upstream's own package are asked, to compare their answers.

Plain data: it is read in two environments, with one of which the other's packages do not agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RATE = 24_000


@dataclass(frozen=True, kw_only=True)
class Case:
    """One utterance."""

    kind: str
    """What the checkpoint was trained for."""
    text: str
    frames: int = 200
    language: str = "Auto"
    """The name that upstream takes."""
    speaker: str = ""
    instructions: str = ""
    reference_s: float = 0.0
    """Seconds of the recording to imitate; 0 for none."""
    reference_text: str = ""
    seed: int | None = None
    """None takes the best code instead of sampling."""
    top_p: float = 1.0


CASES = {
    "preset": Case(kind="custom_voice", text="Hello world.", language="English", speaker="vivian"),
    "preset-other": Case(
        kind="custom_voice",
        text="The quick brown fox, and 1,234.5 more:\nda capo!",
        language="German",
        speaker="ryan",
    ),
    "preset-instructed": Case(
        kind="custom_voice",
        text="你好，世界。",  # noqa: RUF001 - a Chinese comma
        speaker="sohee",
        instructions="Speak very slowly, as to a child.",
        frames=80,
    ),
    "preset-dialect": Case(kind="custom_voice", text="你好。", speaker="dylan", frames=40),
    "preset-sampled": Case(
        kind="custom_voice", text="Hello world.", language="English", speaker="vivian", seed=7
    ),
    "preset-nucleus": Case(
        kind="custom_voice",
        text="Hello world.",
        language="French",
        speaker="aiden",
        seed=11,
        top_p=0.8,
        frames=60,
    ),
    "designed": Case(
        kind="voice_design",
        text="Bonjour tout le monde.",
        language="French",
        instructions="A deep old voice, hoarse and warm.",
    ),
    "designed-sampled": Case(
        kind="voice_design",
        text="It's only words.",
        instructions="A young woman who laughs.",
        seed=3,
        frames=80,
    ),
    "cloned-with-text": Case(
        kind="base",
        text="This is what I say, in somebody else's voice.",
        language="English",
        reference_s=2.5,
        reference_text="This was said before.",
    ),
    "cloned-long-text": Case(
        kind="base",
        text="Text that is longer than the recording goes on beside the frames that follow it. "
        * 2,
        language="Italian",
        reference_s=1.03,
        reference_text="Short.",
        frames=120,
    ),
    "cloned-voice-alone": Case(
        kind="base", text="Only the voice is known.", language="Spanish", reference_s=2.5
    ),
    "cloned-sampled": Case(
        kind="base",
        text="And once more by chance.",
        reference_s=2.0,
        reference_text="A recording.",
        seed=5,
        frames=80,
    ),
}


def recording(seconds: float) -> np.ndarray:
    """A gliding tone with noise, the same everywhere: float32 of shape ``(n,)``."""
    times = np.arange(int(seconds * RATE)) / RATE
    chance = np.random.RandomState(1)
    tone = 0.3 * np.sin(2 * np.pi * (180 + 40 * times) * times) * np.sin(3 * times + 0.5)
    return (tone + 0.05 * chance.standard_normal(len(times))).astype(np.float32)
