"""The same codes and sound as upstream's own package, over the same random weights.

``data/upstream.npz`` was recorded by ``record_upstream.py`` with qwen-tts 0.1.1 on transformers
4.57.3. Codes have to be equal, every one. Sound may differ by a ten thousandth of its loudness.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

TOLERANCE = 1e-4
"""Of the root mean square of the sound."""
LEAST_RMS = 0.05
TESTS = Path(__file__).parent
CASES = (
    "preset",
    "preset-other",
    "preset-instructed",
    "preset-dialect",
    "preset-sampled",
    "preset-nucleus",
    "designed",
    "designed-sampled",
    "cloned-with-text",
    "cloned-long-text",
    "cloned-voice-alone",
    "cloned-sampled",
)
LONG = {"preset", "designed", "cloned-with-text"}
FAST_FRAMES = 25
"""All frames of the long cases are compared by the fast tests, so many of the others."""

Recorded = Mapping[str, Any]


@pytest.fixture(scope="session")
def recorded() -> Recorded:
    """What upstream answered."""
    return dict(np.load(TESTS / "data" / "upstream.npz"))


class Answer:
    """What this provider answers to a case."""

    def __init__(self, engine: Any, cases: ModuleType, name: str, frames: int | None) -> None:
        from open_speech_provider_qwen3.prompts import Voice

        case = cases.CASES[name]
        config = engine.config
        self.before = 0
        voice = Voice()
        if case.reference_s:
            samples = cases.recording(case.reference_s)
            voice = engine.recorded_voice(samples, case.reference_text)
            self.before = 0 if voice.codes is None else len(voice.codes)
        elif case.speaker:
            voice = engine.preset_voice(config.speakers[case.speaker])
        language = config.dialects.get(case.speaker) or case.language.lower()
        number = None if language == "auto" else config.language_ids[language]
        instructions = case.instructions or None
        prompt = engine.prompt(case.text, voice, number, instructions)
        sampled = case.seed is not None
        settings = replace(
            config.generation,
            do_sample=sampled,
            subtalker_dosample=sampled,
            top_p=case.top_p,
            max_new_tokens=min(case.frames, frames or case.frames),
        )
        made = list(engine.frames(prompt, settings, case.seed))
        self.sound = np.concatenate(list(engine.sound(iter(made), voice.codes)))
        codes = [voice.codes.numpy()] if voice.codes is not None else []
        self.codes = np.concatenate([*codes, np.stack([frame.numpy() for frame in made])])


def compare(answer: Answer, codes: Any, sound: Any, samples: int, stride: int) -> None:
    """Assert that an answer is upstream's, as far as it goes."""
    np.testing.assert_array_equal(answer.codes, codes[: len(answer.codes)])
    rms = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    assert rms >= LEAST_RMS
    assert float(np.std(sound)) >= LEAST_RMS, "loud by a constant alone"
    # Upstream cuts a recording's sound off by a share of the whole, one sample early at times.
    early = samples - (len(codes) - answer.before) * 1920
    assert early in (0, 1)
    ours = np.concatenate([np.zeros(early, np.float32), answer.sound])[::stride]
    theirs = sound[: len(ours)]
    worst = float(np.abs(ours - theirs)[early:].max())
    assert worst <= TOLERANCE * rms, f"{worst / rms:.2e} of the loudness"


@pytest.mark.parametrize("name", CASES)
def test_codes_and_sound_are_upstreams(
    name: str, engine: Callable[[str], Any], upstream_cases: ModuleType, recorded: Recorded
) -> None:
    kind = upstream_cases.CASES[name].kind
    frames = None if name in LONG else FAST_FRAMES
    answer = Answer(engine(kind), upstream_cases, name, frames)
    if name in LONG:
        assert len(answer.codes) - answer.before >= 200
    samples = int(recorded[f"{name}.samples"])
    compare(answer, recorded[f"{name}.codes"], recorded[f"{name}.sound"], samples, 499)


def test_every_case_was_recorded(upstream_cases: ModuleType, recorded: Recorded) -> None:
    assert tuple(upstream_cases.CASES) == CASES
    assert {name.partition(".")[0] for name in recorded} == {*CASES, "versions"}


def test_what_is_compared_depends_on_what_was_asked(recorded: Recorded) -> None:
    """Equality would mean little if every text led to the same codes, or to one code."""
    starts = [recorded[f"{name}.codes"][-40:].tobytes() for name in CASES]
    assert len(set(starts)) == len(CASES)
    for name in CASES:
        codes = recorded[f"{name}.codes"]
        assert len(np.unique(codes[:, 0])) > 20
        assert len(np.unique(codes[:, 1:])) > 40


@pytest.fixture
def spoilt(engine: Callable[[str], Any]) -> Iterator[Callable[[Any], Any]]:
    """Change one tensor a little, for the length of a test."""
    undo = []

    def spoil(tensor: Any) -> None:
        undo.append((tensor, tensor.clone()))
        tensor += (
            0.1
            * tensor.std()
            * tensor.new_tensor(np.sin(np.arange(tensor.numel()))).view_as(tensor)
        )

    yield spoil
    for tensor, kept in undo:
        tensor.copy_(kept)


@pytest.mark.parametrize("part", ["talker", "predictor", "embedding", "decoder"])
def test_one_tensor_that_is_a_little_off_is_noticed(
    part: str,
    engine: Callable[[str], Any],
    spoilt: Callable[[Any], Any],
    upstream_cases: ModuleType,
    recorded: Recorded,
) -> None:
    whole = engine("custom_voice")
    spoilt(
        {
            "talker": whole.talker.stack._model.layers[1].mlp.down_proj.weight,
            "predictor": whole.predictor._stack._model.layers[0].self_attn.v_proj.weight,
            "embedding": whole.talker._text,
            "decoder": whole.decoder.decoder[2].block[1].conv.weight,
        }[part]
    )
    answer = Answer(whole, upstream_cases, "preset", FAST_FRAMES)
    codes, sound = recorded["preset.codes"], recorded["preset.sound"]
    with pytest.raises(AssertionError):
        compare(answer, codes, sound, int(recorded["preset.samples"]), 499)


@pytest.mark.deep
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CASES)
def test_all_samples_are_upstreams(
    name: str, engine: Callable[[str], Any], upstream_cases: ModuleType, fresh: Recorded
) -> None:
    """Recorded now, in an environment that is made for it, and compared sample by sample."""
    answer = Answer(engine(upstream_cases.CASES[name].kind), upstream_cases, name, None)
    samples = int(fresh[f"{name}.samples"])
    compare(answer, fresh[f"{name}.codes"], fresh[f"{name}.sound"], samples, 1)


@pytest.mark.deep
@pytest.mark.timeout(3600)
def test_the_record_is_what_upstream_says_today(fresh: Recorded, recorded: Recorded) -> None:
    for name in CASES:
        np.testing.assert_array_equal(fresh[f"{name}.codes"], recorded[f"{name}.codes"])


@pytest.fixture(scope="session")
def fresh(upstream_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Everything that upstream answers, with all samples."""
    out = tmp_path_factory.mktemp("fresh") / "upstream.npz"
    run(upstream_python, TESTS / "record_upstream.py", out, "--whole")
    return dict(np.load(out))


@pytest.fixture(scope="session")
def upstream_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has upstream's package, on top of what this one has.

    ``QWEN_TTS_PYTHON`` names one that is there already.
    """
    if given := os.environ.get("QWEN_TTS_PYTHON"):
        return Path(given)
    folder = tmp_path_factory.mktemp("upstream")
    run(Path(sys.executable), "-m", "venv", folder)
    python = folder / "bin" / "python"
    (packages,) = folder.glob("lib/python*/site-packages")
    layers = "; ".join(
        f"site.addsitedir({path!r})" for path in sys.path if path.endswith("site-packages")
    )
    (packages / "zz_base.pth").write_text(f"import site; {layers}\n")
    pip = ("-m", "pip", "install", "--quiet", "--progress-bar=off")
    pins = ("transformers==4.57.3", "accelerate==1.12.0", "librosa", "einops")
    run(python, *pip, *pins)
    run(python, *pip, "--no-deps", "qwen-tts==0.1.1")
    return python


def run(python: Path, *arguments: object) -> None:
    """Run Python to its end; its output is shown where it fails."""
    subprocess.run([str(python), *map(str, arguments)], check=True, timeout=3000)
