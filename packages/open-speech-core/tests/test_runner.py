"""How what an engine raises is written down."""

from __future__ import annotations

import pytest

from open_speech.errors import ModelLoadFailed, ProviderError
from open_speech.runner import failure


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("no room"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("could not create a primitive"),
        RuntimeError("std::bad_alloc"),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("Failed to allocate memory for requested buffer of size 4096"),
    ],
)
def test_w2_memory_that_is_used_up_is_known_by_what_engines_say(error: Exception) -> None:
    assert failure(1, error, ProviderError).error == "OutOfMemory"


@pytest.mark.parametrize("error", [RuntimeError("a memory of summer"), ValueError("allocated")])
def test_other_failures_are_the_engines_own(error: Exception) -> None:
    assert failure(None, error, ModelLoadFailed).error == "ModelLoadFailed"
