"""Upstream's package behind one typed module; the only one that imports it.

The text model (``fish_speech.models.text2semantic``) makes frames of ten numbers out of text, about
21.5 a second; the codec (``fish_speech.models.dac``) makes sound of frames, and frames of a
recording. Both are upstream's code as it is. What is left out is upstream's ``inference_engine``,
which imports torchaudio to read files: recordings come decoded.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from open_speech import Audio, OptionValue, Samples
from open_speech.errors import InvalidRequest, ModelLoadFailed, OutOfMemory, TextTooLong

from ._absent import without

# Upstream shows a bar for each sentence, and logs what is spoken.
os.environ.setdefault("TQDM_DISABLE", "1")

_HOW = "Install it with 'open-speech providers install open-speech-provider-fish --isolated'."
try:
    import fish_speech
    import torch
    from fish_speech.models.text2semantic import inference, llama
    from hydra.utils import instantiate
    from julius import resample_frac
    from loguru import logger
    from omegaconf import OmegaConf

    with without():
        from fish_speech.models.dac import modded_dac as _  # noqa: F401 - named by the settings
except ImportError as error:
    raise ModelLoadFailed(
        f"The engine of Fish Speech is not installed here: {error}.", hint=_HOW
    ) from error

_log = logging.getLogger(__name__)
logger.disable("fish_speech")

TEXT_MODEL, CODEC = "model.pth", "codec.pth"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
CODEC_CONFIG = Path(*fish_speech.__path__) / "configs" / "modded_dac_vq.yaml"
"""Of the codec that all OpenAudio S1 checkpoints share; the file of weights does not hold it."""
Frames = Any
"""A tensor of whole numbers, shape ``(codebooks, frames)``."""


class Engine:
    """Both models, loaded. One thread at a time."""

    def __init__(
        self, folder: Path, device: str, compute_type: str | None, codec_config: Path | None = None
    ) -> None:
        """Load from a folder of the published layout; raises ModelLoadFailed."""
        self._device = torch.device(device)
        usual = "float32" if self._device.type == "cpu" else "bfloat16"
        try:
            self._text = _text_model(folder).to(self._device, DTYPES[compute_type or usual])
            self._codec = _codec(folder / CODEC, codec_config or CODEC_CONFIG).to(self._device)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory("There is not enough memory on the device.") from error
        self._text.eval()
        self._codec.eval()

    @property
    def sample_rate(self) -> int:
        """Of the sound."""
        return int(self._codec.sample_rate)

    def speak(
        self,
        text: str,
        seed: int,
        sampling: Mapping[str, OptionValue],
        voice: tuple[str, Frames] | None = None,
    ) -> Frames:
        """Make frames of a text, in the voice of a recording: what it says, and its frames."""
        torch.manual_seed(seed)
        said, frames = ([voice[0]], [voice[1]]) if voice else ([], [])
        try:
            answers = inference.generate_long(
                model=self._text,
                device=self._device,
                decode_one_token=inference.decode_one_token_ar,
                text=text,
                prompt_text=said,
                prompt_tokens=frames,
                **sampling,
            )
            return torch.cat([each.codes for each in answers if each.action == "sample"], dim=1)
        except ValueError as error:
            if "too long" in str(error) or "max_seq_len" in str(error):
                raise TextTooLong("The text and the recording are too long together.") from error
            raise

    def sound(self, frames: Frames) -> Samples:
        """Make samples of frames."""
        if not frames.shape[1]:
            return np.zeros(0, np.float32)
        lengths = torch.tensor([frames.shape[1]], device=self._device)
        with torch.inference_mode():
            made = self._codec.decode(frames[None].to(self._device), lengths)[0]
        samples: Samples = made.flatten().float().clamp(-1, 1).cpu().numpy()
        return samples

    def frames(self, recording: Audio) -> Frames:
        """Make frames of a recording."""
        with torch.inference_mode():
            samples = torch.from_numpy(np.ascontiguousarray(recording.samples))
            heard = resample_frac(samples, recording.sample_rate, self.sample_rate)
            heard = heard[None, None].to(self._device)
            if not heard.shape[2]:
                raise InvalidRequest("The recording is empty.", param="reference")
            lengths = torch.tensor([heard.shape[2]], device=self._device)
            return self._codec.encode(heard, lengths)[0][0]

    def device_memory_bytes(self) -> int:
        """Bytes that it holds on the accelerator."""
        if self._device.type != "cuda":
            return 0
        return int(torch.cuda.memory_reserved(self._device))


def _text_model(folder: Path) -> Any:
    try:
        model = llama.DualARTransformer.from_pretrained(folder, load_weights=True)
        known = torch.load(folder / TEXT_MODEL, map_location="cpu", mmap=True, weights_only=True)
    except Exception as error:  # of many kinds, for a file that lies
        raise _unreadable(folder, error) from error
    names = {name.removeprefix("model.") for name in known.get("state_dict", known)}
    _check_complete(folder / TEXT_MODEL, model, {n for n, _ in model.named_parameters()} - names)
    with torch.device("cpu"):
        model.setup_caches(1, model.config.max_seq_len, next(model.parameters()).dtype)
    return model


def _codec(path: Path, config: Path) -> Any:
    try:
        codec = instantiate(OmegaConf.load(config))
        found = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        found = found.get("state_dict", found)
        # Of a whole training state the generator is what makes sound.
        mark = "generator."
        if any(name.startswith(mark) for name in found):
            found = {n.removeprefix(mark): v for n, v in found.items() if n.startswith(mark)}
        # Torch takes normalised weights by their older names too (weight_g, weight_v).
        lacking = codec.load_state_dict(found, strict=False, assign=True).missing_keys
    except Exception as error:
        raise _unreadable(path, error) from error
    _check_complete(path, codec, set(lacking))
    return codec


def _check_complete(path: Path, model: Any, lacking: set[str]) -> None:
    """Upstream loads what fits and leaves the rest as chance made it."""
    missing = sorted({name for name, _ in model.named_parameters()} & lacking)
    if missing:
        raise ModelLoadFailed(
            f"{path.name} lacks {len(missing)} tensors, such as {missing[0]}.",
            hint="It may be of a checkpoint that only Fish Speech's newest server runs.",
        )


def _unreadable(path: Path, error: Exception) -> ModelLoadFailed:
    return ModelLoadFailed(
        f"The weights in {path} cannot be read: {type(error).__name__}: {error}.",
        hint="They have to be config.json, model.pth, tokenizer.tiktoken, special_tokens.json and "
        "codec.pth, as fishaudio/openaudio-s1-mini has them.",
    )
