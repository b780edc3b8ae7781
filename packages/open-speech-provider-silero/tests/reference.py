"""What Silero's own ONNX model says of the test recording: ``data/probabilities.json``.

pip install onnxruntime numpy
pip download --no-deps silero-vad==6.2.3 && unzip silero_vad-6.2.3*.whl -d silero
python tests/reference.py silero/silero_vad/data/silero_vad.onnx
"""

from __future__ import annotations

import json
import sys
import wave
from pathlib import Path

import numpy as np
import onnxruntime

DATA = Path(__file__).parent / "data"
FRAME, CONTEXT, RATE = 512, 64, 16_000


def main(model: str) -> None:
    """Run it frame by frame, as its own package does."""
    with wave.open(str(DATA / "two-phrases.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32768)
    session = onnxruntime.InferenceSession(model)
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros((1, CONTEXT), np.float32)
    found = []
    for frame in samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME):
        sound = np.concatenate([context, frame[None]], axis=1)
        given = {"input": sound, "state": state, "sr": np.array(RATE, np.int64)}
        out, state = session.run(None, given)
        context = sound[:, -CONTEXT:]
        found.append(round(float(out[0, 0]), 6))
    (DATA / "probabilities.json").write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
