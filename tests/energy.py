"""A toy provider with an operation of its own: sound in, its running energy out.

Everything that the operation needs is here. Nothing in core knows of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from open_speech import Audio, Backend, Kind, LoadContext, Model, ModelInfo, Operation, hookimpl
from open_speech._operations import Fed, Needs
from open_speech._operations.validation import invalid


@dataclass(frozen=True, kw_only=True)
class EnergyRequest:
    """How to measure, and how to go wrong."""

    gain: float = 1.0
    fault: str = ""
    after: int = 0
    """Items to take before the fault strikes."""
    record: str = ""
    """A named pipe that is told of what happens, a line each."""
    gate: str = ""
    """A named pipe of which a byte is read before each item is asked for."""


@dataclass(frozen=True, kw_only=True)
class Energy:
    """The sum of squares of everything up to a time."""

    seconds: float
    energy: float


class MeasureEnergy(Operation[EnergyRequest, Energy]):
    """Measure sound while it comes in."""

    name = "energy"
    request = EnergyRequest
    events = (Energy,)
    feeds = (Audio,)

    def needs(self, request: EnergyRequest, model: ModelInfo) -> Needs:
        return {}

    def checked(
        self, request: EnergyRequest, results: Iterable[object], fed: Fed
    ) -> Iterator[Energy]:
        for event in results:
            if not isinstance(event, Energy):
                raise invalid(f"{type(event).__name__} where Energy is due")
            if event.seconds > fed.seconds:
                raise invalid(f"energy at {event.seconds:.2f} s of {fed.seconds:.2f}")
            yield event


ENERGY = MeasureEnergy()


class EnergyModel(Model):
    """Takes one item after the other, and yields one event for each."""

    def energy(self, request: EnergyRequest, audio: Iterator[Audio]) -> Iterator[Energy]:
        seconds = energy = 0.0
        try:
            for taken in range(1 << 62):
                if request.fault and taken >= request.after:
                    yield from _strike(request.fault, seconds)
                    return
                _wait(request.gate)
                if (sound := next(audio, None)) is None:
                    break
                _tell(request.record, f"took {taken}")
                seconds += sound.seconds
                energy += float(np.sum(np.square(sound.samples, dtype=np.float64)))
                yield Energy(seconds=seconds, energy=energy * request.gain)
            _tell(request.record, "end")
        finally:
            _tell(request.record, "finally")


def _strike(fault: str, seconds: float) -> Iterator[Energy]:
    if fault == "raise":
        raise ValueError("the meter broke")
    if fault == "hang":
        while True:
            pass
    if fault == "wrong":
        yield Energy(seconds=seconds + 1.0, energy=0.0)
    if fault == "flood":
        while True:
            yield Energy(seconds=seconds, energy=0.0)
    if fault == "exit":
        os._exit(3)
    # "early": it has seen enough.


def _tell(pipe: str, line: str) -> None:
    if pipe:
        with open(pipe, "ab", buffering=0) as file:  # noqa: PTH123
            file.write(f"{line}\n".encode())


def _wait(pipe: str) -> None:
    if pipe:
        with open(pipe, "rb", buffering=0) as file:  # noqa: PTH123
            file.read(1)


class EnergyBackend(Backend):
    """Lists a model for many sessions, one for two, and one that runs two at the same time."""

    name = "energy"
    kind = Kind.STT
    operations = (ENERGY,)

    def list_available(self) -> list[ModelInfo]:
        return [
            ModelInfo(id="energy/meter", kind=Kind.STT),
            ModelInfo(id="energy/two", kind=Kind.STT, sessions=2),
            ModelInfo(id="energy/pair", kind=Kind.STT, concurrency=2),
        ]

    def load(self, model: ModelInfo, context: LoadContext) -> EnergyModel:
        return EnergyModel()


@hookimpl
def open_speech_backends() -> list[Backend]:
    return [EnergyBackend()]
