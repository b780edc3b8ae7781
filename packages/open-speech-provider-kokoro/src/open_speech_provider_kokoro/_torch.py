"""The network by torch, on a GPU or a CPU; importing this imports torch and kokoro."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from open_speech import Samples
from open_speech.errors import InvalidRequest, ModelNotReady

from . import graphs
from ._engine import FRAME_SAMPLES, Frames, Noise, Symbols, at_speed
from ._network import Pace, Parts, Sound
from ._weights import Weights


class TorchEngine:
    """Both halves of the network with the weights filled in."""

    def __init__(self, weights: Weights, device: str, threads: int) -> None:
        """Raises InvalidRequest for a device that torch does not find."""
        self._device = _device(device)
        if self._device.type == "cpu":
            torch.set_num_threads(threads)
        parts = Parts(graphs.ARCHITECTURE)
        state = parts.state_dict()
        for name in graphs.shapes():
            state[name].copy_(torch.tensor(weights[name]))
        parts.requires_grad_(requires_grad=False).eval()
        self._pace: Pace | None = Pace(parts).to(self._device).eval()
        self._sound: Sound | None = Sound(parts).to(self._device).eval()

    def speak(
        self, symbols: Symbols, style: NDArray[np.float32], speed: float, noise: Noise
    ) -> tuple[Samples, Frames]:
        """See ``Engine.speak``."""
        if self._pace is None or self._sound is None:
            raise ModelNotReady("The model was closed.")
        with torch.inference_mode():
            manner = torch.from_numpy(style).to(self._device)
            own = torch.ones(1, dtype=torch.float32, device=self._device)
            numbers = torch.from_numpy(symbols[None]).to(self._device)
            found, prosody, features = self._pace(numbers, manner, own)
            frames = at_speed(found.cpu().numpy(), speed)
            places = torch.from_numpy(np.repeat(np.arange(len(frames)), frames)).to(self._device)
            drawn = torch.from_numpy(noise(FRAME_SAMPLES * len(places))[None]).to(self._device)
            samples = self._sound(prosody[:, :, places], features[:, :, places], manner, drawn)
            return samples.cpu().numpy(), frames

    def device_memory_bytes(self) -> int:
        """What torch holds there for this process."""
        on_gpu = self._device.type == "cuda" and self._pace is not None
        return torch.cuda.memory_reserved(self._device) if on_gpu else 0

    def close(self) -> None:
        """Free the weights."""
        self._pace = self._sound = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def _device(name: str) -> torch.device:
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= (count := torch.cuda.device_count()):
        raise InvalidRequest(
            f"There is no device {name!r}: torch finds {count} CUDA devices.",
            param="device",
            hint="Use 'cpu', or install a build of torch with CUDA that fits the driver.",
        )
    return device
