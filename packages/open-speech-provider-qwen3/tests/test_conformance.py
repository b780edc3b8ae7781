"""The suite that every provider runs."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from open_speech import LoadContext, Model, ModelInfo, SpeechRequest
from open_speech.testing import TTSConformance
from open_speech_provider_qwen3 import Qwen3Backend


class _Tiny(TTSConformance):
    """Random weights in place of the published ones; what they say is cut off after 6 frames."""

    backend = Qwen3Backend
    engine_modules = ("torch", "transformers", "tokenizers", "safetensors", "huggingface_hub")
    # The repositories belong to others and seldom move; which commit is loaded is fixed by the
    # store at the first download.
    allow_unpinned = True
    streams = True
    kind: ClassVar[str]
    _folder: ClassVar[tempfile.TemporaryDirectory[str]]

    def request(self, info: ModelInfo, model: Model, **changes: Any) -> SpeechRequest:
        """With a seed: what is random may end sooner than what it is compared with."""
        return super().request(info, model, **{"seed": 7, **changes})

    @classmethod
    def setup_class(cls) -> None:
        path = Path(__file__).with_name("tiny_checkpoint.py")
        spec = importlib.util.spec_from_file_location("tiny_checkpoint", path)
        assert spec is not None
        assert spec.loader is not None
        module: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        cls._folder = tempfile.TemporaryDirectory()
        folder = module.write(Path(cls._folder.name), cls.kind, frames=6)
        cls.context = LoadContext(paths={"model": folder}, threads=1)

    @classmethod
    def teardown_class(cls) -> None:
        super().teardown_class()
        cls._folder.cleanup()


class TestPresetVoices(_Tiny):
    kind = "custom_voice"
    models = ("qwen3-tts-1.7b",)


class TestClonedVoices(_Tiny):
    kind = "base"
    models = ("qwen3-tts-0.6b-base",)
    reference_text = "Transcript of the recording."


class TestDesignedVoices(_Tiny):
    kind = "voice_design"
    models = ("qwen3-tts-1.7b-design",)
