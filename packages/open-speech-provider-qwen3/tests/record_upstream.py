"""Record what upstream's own package answers, for the tests to compare with.

Runs in an environment of its own, with qwen-tts 0.1.1 and the versions that it pins:

    python -m venv upstream
    echo SITE_PACKAGES_OF_THE_PROJECT > upstream/lib/python3.11/site-packages/zz_base.pth
    upstream/bin/pip install transformers==4.57.3 accelerate==1.12.0 librosa einops
    upstream/bin/pip install --no-deps qwen-tts==0.1.1
    OMP_WAIT_POLICY=PASSIVE upstream/bin/python record_upstream.py data/upstream.npz

``--whole`` keeps every sample (for the deep tests); otherwise one in ``STRIDE`` is kept.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import json
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open

sys.path.insert(0, str(Path(__file__).parent))

import tiny_checkpoint
from upstream_cases import CASES, RATE, Case, recording

STRIDE = 499
CODEC = "speech_tokenizer"


def without_torchaudio() -> None:
    """Stand in for what upstream imports for another codec alone: it needs CUDA's libraries."""
    for name in ("torchaudio", "torchaudio.compliance", "torchaudio.compliance.kaldi", "sox"):
        module: Any = types.ModuleType(name)
        module.__path__ = []
        module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        sys.modules[name] = module
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)


class Upstream:
    """Upstream's model over one checkpoint, with its codes caught on their way to the codec."""

    def __init__(self, folder: Path) -> None:
        from qwen_tts import Qwen3TTSModel

        how = {"device_map": "cpu", "dtype": torch.float32, "attn_implementation": "sdpa"}
        self._model = Qwen3TTSModel.from_pretrained(str(folder), **how)
        codec = self._model.model.speech_tokenizer
        for network, path in ((self._model.model, folder), (codec.model, folder / CODEC)):
            with safe_open(path / "model.safetensors", framework="pt") as file:
                odd = set(file.keys()) ^ set(network.state_dict())
            assert not odd, f"names of tensors that are not upstream's: {sorted(odd)[:5]}"
        decode = codec.decode

        def caught(given: Any) -> Any:
            self._codes = given[0]["audio_codes"]
            return decode(given)

        codec.decode = caught

    def say(self, case: Case) -> tuple[np.ndarray, np.ndarray]:
        """Codes ``(frames, codes)``, those of a recording first, and sound ``(n,)``."""
        sampled = case.seed is not None
        how = {
            "max_new_tokens": case.frames + 1,  # the last one is never made into a frame
            "do_sample": sampled,
            "subtalker_dosample": sampled,
            "top_p": case.top_p,
        }
        if sampled:
            torch.manual_seed(case.seed)
        said, rate = self._call(case, how)
        assert rate == RATE
        return self._codes.cpu().numpy(), said[0]

    def _call(self, case: Case, how: dict[str, Any]) -> Any:
        common = {"text": case.text, "language": case.language, **how}
        if case.kind == "custom_voice":
            instruct = case.instructions or None
            return self._model.generate_custom_voice(
                speaker=case.speaker, instruct=instruct, **common
            )
        if case.kind == "voice_design":
            return self._model.generate_voice_design(instruct=case.instructions, **common)
        return self._model.generate_voice_clone(
            ref_audio=(recording(case.reference_s), RATE),
            ref_text=case.reference_text or None,
            x_vector_only_mode=not case.reference_text,
            **common,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args()
    without_torchaudio()
    import transformers

    recorded: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in dict.fromkeys(case.kind for case in CASES.values()):
            upstream = Upstream(tiny_checkpoint.write(Path(folder) / kind, kind))
            for name, case in CASES.items():
                if case.kind == kind:
                    codes, sound = upstream.say(case)
                    rms = np.sqrt(np.mean(sound**2))
                    sys.stderr.write(f"{name} {codes.shape} rms {rms:.3f}\n")
                    recorded[f"{name}.codes"] = codes.astype(np.uint16 if given.whole else np.uint8)
                    recorded[f"{name}.sound"] = sound if given.whole else sound[::STRIDE]
                    recorded[f"{name}.samples"] = np.array(len(sound))
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    recorded["versions"] = np.array(json.dumps(versions))
    np.savez_compressed(given.out, **recorded)


if __name__ == "__main__":
    main()
