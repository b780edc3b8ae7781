"""The declaration that every operation makes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import numpy as np

from .._types.models import Capability, ModelInfo
from ..errors import InvalidResult, UnsupportedCapability

R = TypeVar("R")
E = TypeVar("E")
Needs = Mapping[Capability, tuple[str, bool]]
"""For each capability: the parameter that may need it, and whether this request does."""


NOTHING: Iterator[Any] = iter(())
"""What is fed to an operation that takes nothing."""


class Fed(Iterator[Any]):
    """What is fed to an operation while it runs, as its model pulls it. One thread at a time."""

    def __init__(self, source: Iterator[Any]) -> None:
        self._source = source
        self.seconds = 0.0
        """Of the sound that was taken so far."""

    def __next__(self) -> Any:
        item = next(self._source)
        self.seconds += getattr(item, "seconds", 0.0)
        return item


class Operation(ABC, Generic[R, E]):
    """One kind of work: what is asked, what is fed to it, what it yields, who may be asked.

    Stateless. A backend that lists an operation loads models with a method of its name:
    ``method(request)``, or ``method(request, fed)`` where something is fed to it. The method is a
    plain generator of events; ``fed`` is a plain iterator that waits for the next item. Between two
    events it may yield None, as often as it likes: that shows that it works, and there it is
    stopped if the caller has left.
    """

    name: str
    """On the wire, and of the model's method."""
    request: type[R]
    events: tuple[type[Any], ...]
    """Types of what it yields. A worker of a later release may yield others, which are dropped."""
    feeds: tuple[type[Any], ...] = ()
    """Types of what is fed while it runs. An operation that is fed is a session: it takes one of
    ``ModelInfo.sessions``, and the model is free for others while the session waits for input."""
    capability: Capability | None = None
    """What a model declares that can do it; None if every model of the backend can."""
    timeout_s: float | None = None
    """Seconds without a sign of progress (an event, or input taken) after which the worker counts
    as hanging; None is the policy's. Only what is owed counts: nothing is while it waits."""

    def needs(self, request: R, model: ModelInfo) -> Needs:
        """The capabilities that fields of the request need."""
        return {}

    @abstractmethod
    def checked(self, request: R, results: Iterable[object], fed: Fed) -> Iterator[E]:
        """Pass on what the model's method yields, each event checked.

        Raises InvalidResult for whatever breaks the contract. Runs where the model does.
        """

    def check(self, request: R, model: ModelInfo) -> None:
        """Raise UnsupportedCapability for what the model does not declare."""
        wanted = dict(self.needs(request, model))
        if self.capability is not None:
            wanted[self.capability] = (self.name, True)
        for capability, (param, needed) in wanted.items():
            if needed and capability not in model.capabilities:
                has = ", ".join(sorted(model.capabilities)) or "nothing beyond the plain job"
                raise UnsupportedCapability(
                    f"The model {model.id!r} does not do {capability.value!r}, "
                    f"which {param!r} needs.",
                    model=model.id,
                    param=param,
                    hint=f"It declares: {has}.",
                )

    def is_done_by(self, model: object, info: ModelInfo) -> bool:
        """Whether a loaded model can do it."""
        declared = self.capability is None or self.capability in info.capabilities
        return declared and callable(getattr(model, self.name, None))

    def carry_out(
        self,
        model: object,
        request: R,
        source: Iterator[Any] = NOTHING,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> Generator[E, None, None]:
        """Have a loaded model do it: yield its events, checked. Closes what the model returned.

        ``goes_on`` is asked at each None that the model yields; False ends the work there.
        """
        fed = Fed(source)
        method = getattr(model, self.name)
        returned = method(request, fed) if self.feeds else method(request)
        if not isinstance(returned, Iterable) or isinstance(returned, (str, bytes, np.ndarray)):
            kind = type(returned).__name__
            raise InvalidResult(
                f"The model returned {kind} from {self.name}(), not an iterator.",
                hint="This is a fault of its provider: please report it there.",
            )
        results = iter(returned)
        try:
            yield from self.checked(request, _events(results, goes_on), fed)
        finally:
            close = getattr(results, "close", None)
            if close is not None:
                close()


def _events(results: Iterator[Any], goes_on: Callable[[], bool]) -> Iterator[Any]:
    for value in results:
        if value is not None:
            yield value
        elif not goes_on():
            return
