"""The network by ONNX Runtime, on a CPU; importing this imports it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from open_speech import Samples
from open_speech.errors import ModelNotReady

from . import graphs
from ._engine import FRAME_SAMPLES, Frames, Noise, Symbols, at_speed
from ._weights import Weights

_ERRORS_ONLY = 3


class OnnxEngine:
    """Both graphs with the weights filled in."""

    def __init__(self, weights: Weights, threads: int) -> None:
        self._sessions = {name: _session(name, weights, threads) for name in ("pace", "sound")}
        # Else it keeps as much as its longest sentence took: 15 MB and more for each second.
        self._run_options = onnxruntime.RunOptions()
        self._run_options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def speak(
        self, symbols: Symbols, style: NDArray[np.float32], speed: float, noise: Noise
    ) -> tuple[Samples, Frames]:
        """See ``Engine.speak``."""
        frames, prosody, features = self._run(
            "pace",
            symbols=symbols[None],
            style=style,
            speed=np.ones(1, np.float32),
        )
        frames = at_speed(frames, speed)
        places = np.repeat(np.arange(len(frames)), frames)
        (samples,) = self._run(
            "sound",
            prosody=prosody[:, :, places],
            features=features[:, :, places],
            style=style,
            noise=noise(FRAME_SAMPLES * len(places))[None],
        )
        return samples, frames

    def device_memory_bytes(self) -> int:
        """None of it: this engine runs on a CPU."""
        return 0

    def close(self) -> None:
        """Free the weights."""
        self._sessions.clear()

    def _run(self, name: str, **inputs: NDArray[Any]) -> list[NDArray[Any]]:
        if name not in self._sessions:
            raise ModelNotReady("The model was closed.")
        return list(self._sessions[name].run(None, inputs, self._run_options))


def _session(name: str, weights: Weights, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = _ERRORS_ONLY
    # Several models share the machine: whoever waits must not spin.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    names = graphs.weights_of(name)
    values = [weights[weight] for weight in names]  # kept until the session has read them
    options.add_external_initializers(
        list(names), [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in values]
    )
    return onnxruntime.InferenceSession(
        graphs.graph(name), options, providers=["CPUExecutionProvider"]
    )
