"""Random weights in the published sizes of the 0.6B checkpoints: four gigabytes, minutes."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from open_speech import LoadContext, SpeechRequest
from open_speech.testing import sine
from open_speech_provider_qwen3 import Qwen3Backend


@pytest.mark.deep
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("kind", "name"), [("custom_voice", "qwen3-tts-0.6b"), ("base", "qwen3-tts-0.6b-base")]
)
def test_published_sizes_load_and_speak(
    kind: str, name: str, tmp_path: Path, tiny_checkpoint: ModuleType
) -> None:
    folder = tiny_checkpoint.write(tmp_path / kind, kind, published=True, frames=5)
    (info,) = (m for m in Qwen3Backend().list_available() if m.id == name)
    model = Qwen3Backend().load(info, LoadContext(paths={"model": folder}))
    reference = sine(2.0, sample_rate=24_000) if kind == "base" else None
    text = "A tone." if reference else None
    voice = "default" if reference else "ryan"
    asked = SpeechRequest(
        text="Hello.", voice=voice, seed=1, reference=reference, reference_text=text
    )
    pieces = [audio.samples for audio in model.synthesize(asked)]
    model.close()
    assert [len(piece) for piece in pieces] == [2 * 1920, 3 * 1920]
    assert max(float(abs(piece).max()) for piece in pieces) > 0.01
