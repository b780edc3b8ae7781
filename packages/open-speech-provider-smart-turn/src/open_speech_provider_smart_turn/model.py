"""The loaded model."""

from __future__ import annotations

from collections.abc import Iterator

import onnxruntime

from open_speech import LoadContext, TurnEnd, TurnModel, TurnRequest
from open_speech.errors import ModelLoadFailed

from .backend import FILE
from .features import log_mel


class SmartTurnModel(TurnModel):
    """Smart Turn 3."""

    def __init__(self, context: LoadContext) -> None:
        path = context.path
        path = path / FILE if path.is_dir() else path
        if not path.is_file():
            raise ModelLoadFailed(f"There is no {FILE} in {path.parent}.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = context.threads or 1
        options.inter_op_num_threads = 1
        # Without VNNI the 8-bit products of this model overflow, and half sentences count as whole
        # ones. Processors that have it ignore this.
        options.add_session_config_entry("session.x64quantprecision", "1")
        self._session: onnxruntime.InferenceSession | None = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )

    def predict_turn_end(self, request: TurnRequest) -> Iterator[TurnEnd | None]:
        """Yield how likely the turn is over."""
        assert self._session is not None, "the model is closed"
        features = log_mel(request.audio.samples)[None]
        (found, *_) = self._session.run(None, {"input_features": features})
        yield TurnEnd(probability=float(found[0].item()))

    def close(self) -> None:
        """Let go of the graph."""
        self._session = None
