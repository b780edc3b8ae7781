"""piper-tts, typed: a session with bounded threads, phonemes to sound, how long each one is."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from piper import PiperVoice
from piper.config import PiperConfig, SynthesisConfig
from piper.const import BOS, EOS, PAD

from open_speech import LoadContext, Samples
from open_speech.errors import InvalidRequest, ModelLoadFailed

from . import _graph, _phonemizers
from ._layout import Config

CUDA = "CUDAExecutionProvider"
_ERRORS_ONLY = 3
_MAX_TRIAL_PHONEMES = 8
_SILENT = 1e-8


class Spoken(NamedTuple):
    """A sentence as sound."""

    samples: Samples
    ends: NDArray[np.int64] | None
    """Where each phoneme ends, in samples; one that the voice has no sound for is empty. Where the
    sentence itself begins stands before them all."""


class Engine:
    """A loaded voice. Sentences may be computed in several threads at once."""

    def __init__(self, graph: Path, config: Config, context: LoadContext, model: str) -> None:
        """Load, and speak a little to find out now what is wrong; see ``PiperBackend.load``."""
        # It names each phoneme that a voice lacks, and at debugging level every text.
        logging.getLogger("piper").setLevel(logging.ERROR)
        self._model = model
        self.kind = str(config.get("phoneme_type", "espeak"))
        _phonemizers.check_installed(self.kind, model)
        found = _graph.examine(graph, model)
        known = PiperConfig.from_dict(dict(config))
        # The engine would use the current folder, and write what it fetches into it.
        nowhere = graph.parent / "nothing-is-fetched"
        self._voice = PiperVoice(
            session=_session(graph, found, context, model), config=known, download_dir=nowhere
        )
        if self.kind == "pinyin":
            # Where the engine keeps it; with nothing there it would make one, and fetch.
            chinese = _phonemizers.chinese(context.options, model)
            self._voice._chinese_phonemizer = chinese  # noqa: SLF001
        self._try_phonemes()
        self.has_lengths = self._try_sound()

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return int(self._voice.config.sample_rate)

    def knows(self, phoneme: str) -> bool:
        """Whether the voice has a sound for it."""
        return phoneme in self._voice.config.phoneme_id_map

    def phonemes(self, text: str) -> list[list[str]]:
        """The phonemes of each sentence, with the spaces and punctuation between them."""
        return [list(sentence) for sentence in self._voice.phonemize(text)]

    def speak(
        self,
        phonemes: list[str],
        *,
        speaker: int | None,
        speed: float,
        noise_scale: float | None = None,
        noise_w: float | None = None,
        normalize: bool = False,
    ) -> Spoken:
        """Compute a sentence. What is None is the voice's own."""
        config = self._voice.config
        settings = SynthesisConfig(
            speaker_id=speaker,
            length_scale=config.length_scale / speed,
            noise_scale=noise_scale,
            noise_w_scale=noise_w,
        )
        numbers = self._voice.phonemes_to_ids(phonemes)
        sound, lengths = self._voice.phoneme_ids_to_audio(
            numbers, settings, include_alignments=True
        )
        samples = np.ravel(sound)
        if normalize:
            peak = np.max(np.abs(samples), initial=0.0)
            samples = samples / peak if peak >= _SILENT else np.zeros_like(samples)
        samples = np.clip(samples, -1.0, 1.0).astype(np.float32)
        return Spoken(samples, self._ends(phonemes, lengths, len(samples)))

    def close(self) -> None:
        """Free the weights."""
        self._voice.session = None

    def _ends(self, phonemes: list[str], lengths: Any, total: int) -> NDArray[np.int64] | None:
        """From the length of each number to where each phoneme ends."""
        if lengths is None or self.kind not in ("espeak", "text"):
            return None
        by_number = np.concatenate([[0], np.cumsum(np.ravel(lengths))]).astype(np.int64)
        known = self._voice.config.phoneme_id_map
        padding = len(known[PAD])
        counts = [len(known[BOS]) + padding]
        counts += [len(known[p]) + padding if p in known else 0 for p in phonemes]
        places = np.cumsum(counts)
        fits = places[-1] + len(known[EOS]) == len(by_number) - 1 and by_number[-1] == total
        return by_number[places] if fits else None

    def _try_phonemes(self) -> None:
        try:
            self.phonemes(_phonemizers.SAMPLES.get(self.kind, "a"))
        except Exception as error:
            voice = self._voice.config.espeak_voice
            what = f"espeak-ng voice {voice!r}" if self.kind == "espeak" else self.kind
            raise ModelLoadFailed(
                f"The model {self._model} cannot be loaded: its phonemizer ({what}) does not work "
                f"in this installation: {_first_line(error)}",
                model=self._model,
                hint=_phonemizers.remedy(self.kind),
            ) from error

    def _try_sound(self) -> bool:
        """Speak with the last speaker, so that a wrong count shows; tell if lengths are right."""
        config = self._voice.config
        phonemes = [p for p in config.phoneme_id_map if p not in (BOS, EOS, PAD)]
        speaker = config.num_speakers - 1 if config.num_speakers > 1 else None
        try:
            spoken = self.speak(phonemes[:_MAX_TRIAL_PHONEMES], speaker=speaker, speed=1.0)
        except Exception as error:
            raise _not_loaded(self._model, error) from error
        if not np.isfinite(spoken.samples).all():
            raise _not_loaded(self._model, ValueError("it gives sound that is not finite"))
        return spoken.ends is not None


class _Session(onnxruntime.InferenceSession):  # type: ignore[misc]
    """Gives back what a sentence took; else pieces for every length of sentence are kept."""

    def run(self, names: Any, inputs: Any, run_options: Any = None) -> Any:
        """Compute as the engine does; only the memory differs."""
        return super().run(names, inputs, run_options or self._shrinking())

    def _shrinking(self) -> Any:
        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return options


def _session(graph: Path, found: _graph.Graph, context: LoadContext, model: str) -> Any:
    """The engine's session. Threads wait asleep: spinning ones take the CPU from other models."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = context.threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    providers = _providers(context.device)
    try:
        session = _Session(
            _graph.with_lengths(graph, found) or str(graph), options, providers=providers
        )
    except Exception as error:
        raise _not_loaded(model, error) from error
    session.disable_fallback()
    # It keeps the file to load it again in a fallback, and that is as large as the weights.
    session._model_bytes = b""  # noqa: SLF001
    if len(providers) > 1 and CUDA not in session.get_providers():
        raise _no_device(context.device, "its libraries do not load")
    return session


def _providers(device: str) -> list[Any]:
    kind, _, index = device.partition(":")
    if kind != "cuda":
        return ["CPUExecutionProvider"]
    if CUDA not in onnxruntime.get_available_providers():
        raise _no_device(device, "this onnxruntime runs on CPUs alone")
    settings = {"device_id": int(index or 0), "cudnn_conv_algo_search": "HEURISTIC"}
    return [(CUDA, settings), "CPUExecutionProvider"]


def _no_device(device: str, reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"There is no device {device!r}: {reason}.",
        param="device",
        hint="Use 'cpu', or put onnxruntime-gpu in the place of onnxruntime.",
    )


def _not_loaded(model: str, error: Exception) -> ModelLoadFailed:
    return ModelLoadFailed(
        f"The model {model} cannot be loaded: {_first_line(error)}",
        model=model,
        hint="Download it again; a voice of your own is made by Piper's export to ONNX.",
        detail=str(error),
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
