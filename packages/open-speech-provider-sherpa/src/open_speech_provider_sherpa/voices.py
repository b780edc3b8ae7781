"""The engine for speakers, typed: who speaks when in a stretch, and what a voice is like."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sherpa_onnx

from open_speech import Samples
from open_speech.errors import ModelLoadFailed

from .linking import Vector

SAMPLE_RATE = 16_000


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A turn as the engine tells it."""

    start: float
    end: float
    speaker: int


class _Stopped(Exception):
    """Ends the engine's work from within its callback."""


class Diarizer:
    """The engine's pipeline: segmentation, embeddings, clustering. Thread-safe."""

    def __init__(
        self,
        segmentation: Path,
        embedding: Path,
        *,
        threads: int,
        min_duration_on: float,
        min_duration_off: float,
    ) -> None:
        pyannote = sherpa_onnx.OfflineSpeakerSegmentationPyannoteModelConfig(
            model=str(segmentation)
        )
        self._config = sherpa_onnx.OfflineSpeakerDiarizationConfig(
            segmentation=sherpa_onnx.OfflineSpeakerSegmentationModelConfig(
                pyannote=pyannote, num_threads=threads
            ),
            embedding=_extractor_config(embedding, threads),
            clustering=sherpa_onnx.FastClusteringConfig(num_clusters=-1, threshold=0.5),
            min_duration_on=min_duration_on,
            min_duration_off=min_duration_off,
        )
        if not self._config.validate():
            raise ModelLoadFailed(
                "sherpa-onnx does not take the files of the diarization model.",
                provider="sherpa",
                hint="Download them again.",
            )
        self._engine = sherpa_onnx.OfflineSpeakerDiarization(self._config)
        self._lock = threading.Lock()

    def turns(
        self, samples: Samples, threshold: float, speakers: int | None = None
    ) -> Iterator[list[Turn] | None]:
        """Yield the turns of a stretch at last, and None as long as the engine works on it.

        The engine keeps the interpreter to itself but for its callback, one for each embedding. It
        works on a thread of its own, which the callback ends once nobody asks for more.
        """
        work = _Work()
        thread = threading.Thread(
            target=self._work, args=(work, samples, threshold, speakers), daemon=True
        )
        thread.start()
        try:
            while (progress := work.news.get()) is None:
                yield None
            if isinstance(progress, BaseException):
                raise progress
            yield progress
        finally:
            work.stopped = True
            thread.join()

    def _work(self, work: _Work, samples: Samples, threshold: float, speakers: int | None) -> None:
        def progress(_done: int, _of: int) -> int:
            if work.stopped:
                raise _Stopped
            work.news.put(None)
            return 0

        try:
            with self._lock:  # clustering is the engine's, not the call's
                self._config.clustering = sherpa_onnx.FastClusteringConfig(
                    num_clusters=speakers or -1, threshold=threshold
                )
                self._engine.set_config(self._config)
                result = self._engine.process(samples, progress)
            found = [
                Turn(start=float(each.start), end=float(each.end), speaker=int(each.speaker))
                for each in result.sort_by_start_time()
            ]
            work.news.put(found)
        except BaseException as error:  # raised where it is waited for
            work.news.put(error)


class _Work:
    """What the thread of a stretch and those who wait for it share."""

    def __init__(self) -> None:
        self.news: queue.SimpleQueue[list[Turn] | BaseException | None] = queue.SimpleQueue()
        self.stopped = False


class Extractor:
    """What a voice is like, as a vector. Thread-safe."""

    def __init__(self, embedding: Path, *, threads: int) -> None:
        self._engine = sherpa_onnx.SpeakerEmbeddingExtractor(_extractor_config(embedding, threads))

    def vector(self, pieces: Sequence[Samples]) -> Vector | None:
        """The vector of length 1 of a voice that is heard in these pieces; None for too little."""
        stream = self._engine.create_stream()
        for piece in pieces:
            stream.accept_waveform(SAMPLE_RATE, piece)
        stream.input_finished()
        if not self._engine.is_ready(stream):
            return None
        values = np.asarray(self._engine.compute(stream), np.float64)
        norm = float(np.linalg.norm(values))
        if not np.isfinite(norm) or norm < 1e-9:
            return None
        return np.asarray(values / norm)


def _extractor_config(embedding: Path, threads: int) -> Any:
    return sherpa_onnx.SpeakerEmbeddingExtractorConfig(model=str(embedding), num_threads=threads)
