"""Conformance: a model loads, says what it is, closes, and fails aloud."""

from __future__ import annotations

import dataclasses
import tempfile
from functools import partial
from pathlib import Path

import pytest

from .._plugins.backends import (
    DiarizationModel,
    Model,
    STTModel,
    TTSModel,
    TurnModel,
    VADModel,
)
from .._types.models import Kind, ModelInfo
from ._checks_catalogue import CAPABILITIES
from ._suite import Suite

_MODELS: dict[Kind, type[Model]] = {
    Kind.TTS: TTSModel,
    Kind.STT: STTModel,
    Kind.VAD: VADModel,
    Kind.TURN: TurnModel,
    Kind.DIARIZATION: DiarizationModel,
}


class LoadingChecks(Suite):
    """What ``load`` and ``close`` do."""

    def test_loads(self, info: ModelInfo) -> None:
        """``load`` gives a model of the backend's kind."""
        state = self._state
        if state.model_id == info.id and state.load_error is not None:
            raise state.load_error
        loaded = self.load(info)
        try:
            expected = _MODELS[self.checked_kind]
            assert isinstance(loaded, expected), f"it is no {expected.__name__}"
        finally:
            self.within(loaded.close)

    def test_closes_twice(self, info: ModelInfo) -> None:
        """``close`` may be called again."""
        try:
            loaded = self.load(info)
        except Exception as error:
            pytest.skip(f"the model does not load: {error}")
        self.within(loaded.close)
        self.within(loaded.close)

    def test_loaded_model_knows_itself(self, info: ModelInfo, model: Model) -> None:
        """What it says once loaded is about the same model."""
        known = self.known(info, model)
        assert isinstance(known, ModelInfo), f"`info` is a {type(known).__name__}"
        assert (known.id, known.kind) == (info.id, info.kind), f"it says it is {known.id}"
        if known is info:
            return  # the catalogue's checks have seen it
        assert known.capabilities <= CAPABILITIES[info.kind], "capabilities of the other kind"
        voices = {voice.id for voice in known.voices}
        assert known.default_voice is None or known.default_voice in voices, (
            f"no voice {known.default_voice!r}"
        )

    def test_device_memory_is_a_number(self, model: Model) -> None:
        """Device memory is a whole number of bytes."""
        held = self.within(model.device_memory_bytes)
        assert type(held) is int, f"it is a {type(held).__name__}"
        assert held >= 0, f"it is {held}"

    def test_inspect_knows_what_is_none_of_its_own(self) -> None:
        """``inspect`` says None of an empty folder and of a text, and raises nothing."""
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder, "notes.txt")
            text.write_text("Nothing to load.", encoding="utf-8")
            empty = Path(folder, "empty")
            empty.mkdir()
            for path in (text, empty):
                found = self.within(partial(self.made().inspect, path))
                assert found is None, f"it takes {path.name!r} for a model"

    def test_fails_without_weights(self, info: ModelInfo) -> None:
        """An empty folder in place of weights makes ``load`` raise an exception."""
        if not info.sources:
            pytest.skip(f"{info.id} has nothing to download")
        with tempfile.TemporaryDirectory() as folder:
            paths = {source.key: Path(folder) for source in info.sources}
            context = dataclasses.replace(self.context, paths=paths)
            try:
                loaded = self.within(lambda: self.made().load(info, context))
            except Exception:  # whichever the engine raises: core wraps it
                return
            loaded.close()
        pytest.fail("load() took an empty folder for a model")
