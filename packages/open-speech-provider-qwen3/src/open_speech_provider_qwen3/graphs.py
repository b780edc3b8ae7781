"""Captured CUDA graphs: a fixed sequence of kernels, started by one call.

A frame takes some two thousand small kernels, whose launches cost more time than their work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from .weights import Tensor

_WARM_UPS = 3


class Captured:
    """A function of tensors, captured; called with tensors of the same shapes.

    The result lies in memory that the next call overwrites.
    """

    def __init__(self, function: Callable[..., Any], *examples: Tensor) -> None:
        """Run it a few times on a stream of its own, as capturing demands, then capture it."""
        self._inputs = [example.clone() for example in examples]
        self._device = examples[0].device
        with torch.cuda.device(self._device):
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(_WARM_UPS):
                    function(*self._inputs)
            torch.cuda.current_stream().wait_stream(stream)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._result = function(*self._inputs)

    def __call__(self, *inputs: Tensor) -> Any:
        """Run it on other numbers."""
        for place, given in zip(self._inputs, inputs, strict=True):
            place.copy_(given)
        with torch.cuda.device(self._device):
            self._graph.replay()
        return self._result


def run_as_is(function: Callable[..., Any], *_: Tensor) -> Callable[..., Any]:
    """Stands in for ``Captured`` where there are no graphs: the function itself."""
    return function
