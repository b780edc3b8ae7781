"""Tiny models for speakers, in the formats and with the metadata that sherpa-onnx reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sherpa_graphs import FLOAT, Graph

MELS = 80


def segmentation(folder: Path, seed: int = 8) -> Path:
    """Pyannote's segmentation: offline-speaker-segmentation-pyannote-model.cc.

    Ten seconds of samples in, 589 frames of seven classes out: nobody, one of three speakers, or
    two of them (scripts/pyannote/segmentation). Deep tones are the first speaker, high ones the
    second, both at once are both.
    """
    folder.mkdir(parents=True, exist_ok=True)
    field, shift, rate = 991, 270, 16_000
    graph = Graph(seed)
    time = np.arange(field) / rate
    window = np.hanning(field)
    bands = []
    for tones in ((180, 220, 260, 300), (1_500, 1_800, 2_100, 2_400)):
        phases = [f(2 * np.pi * tone * time) for tone in tones for f in (np.cos, np.sin)]
        bands += [np.stack(phases) * window / 60]
    kernel = np.concatenate(bands)[:, None].astype(np.float32)  # (16, 1, field)
    kernel += graph.draw(*kernel.shape, scale=0.0005)
    heard = graph("Conv", "x", graph.weight(kernel), kernel_shape=[field], strides=[shift])
    level = graph("Sqrt", graph("Mul", heard, heard))
    pooling = np.kron(np.eye(2), np.ones((8, 1))) + graph.draw(16, 2, scale=0.02)
    frames = graph("Transpose", level, perm=[0, 2, 1])
    power = graph("MatMul", frames, graph.weight(pooling.astype(np.float32)))
    near, off = graph.draw(2, 4, scale=0.02), graph.draw(4, scale=0.02)
    near += np.array([[6.0, 0.0, 0.0, 0.0], [0.0, 6.0, 0.0, 0.0]], np.float32)
    off += np.array([-2.0, -2.0, 0.0, 0.0], np.float32)
    spoken = graph("Tanh", graph.linear(power, near, off))
    first = np.array([-1, 1, -1, 0, 1, 0, 0], np.float32)
    second = np.array([-1, -1, 1, 0, 1, 0, 0], np.float32)
    table = np.stack([first, second, 0 * first, 0 * first]) * 4 + graph.draw(4, 7, scale=0.05)
    likely = graph.draw(7, scale=0.05) - np.array([0, 0, 0, 9, 0, 9, 9], np.float32)
    graph("LogSoftmax", graph.linear(spoken, table, likely), axis=-1, name="y")
    graph.save(
        folder / "model.onnx",
        [("x", FLOAT, ("N", 1, "T"))],
        [("y", FLOAT, ("N", "S", 7))],
        {
            "num_speakers": 3,
            "powerset_max_classes": 2,
            "num_classes": 7,
            "sample_rate": rate,
            "window_size": 160_000,
            "receptive_field_size": field,
            "receptive_field_shift": shift,
            "model_type": "pyannote-segmentation-3.0",
            "version": "1",
            "model_author": "pyannote",
        },
    )
    return folder


def embedding(folder: Path, seed: int = 9, framework: str = "wespeaker") -> Path:
    """A speaker embedding: speaker-embedding-extractor-model.cc, scripts/wespeaker, 3dspeaker.

    Features (N, T, 80) in, one vector out; how loud each band is on average tells the speaker.
    """
    folder.mkdir(parents=True, exist_ok=True)
    graph = Graph(seed)
    size = 24
    # Without their mean, features are small.
    scale = 0.08 if framework == "wespeaker" else 0.8
    weight, bias = graph.draw(MELS, 32, scale=scale), graph.draw(32, scale=0.3)
    frames = graph("Tanh", graph.linear("feats", weight, bias))
    mean = graph("ReduceMean", frames, axes=[1], keepdims=0)
    out, offset = graph.draw(32, size, scale=0.5), graph.draw(size, scale=0.05)
    graph.linear(mean, out, offset, name="embs")
    metadata: dict[str, object] = {
        "framework": framework,
        "language": "English",
        "url": "https://example.org",
        "comment": "tiny",
        "sample_rate": 16_000,
        "output_dim": size,
        "normalize_samples": 0 if framework == "wespeaker" else 1,
    }
    if framework == "3d-speaker":
        metadata["feature_normalize_type"] = "global-mean"
    graph.save(
        folder / "model.onnx",
        [("feats", FLOAT, ("N", "T", MELS))],
        [("embs", FLOAT, ("N", size))],
        metadata,
    )
    return folder
