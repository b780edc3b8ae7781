"""How what an engine raises is written down."""

from __future__ import annotations

import pytest

from open_speech._worker.runner import failure, raised
from open_speech.errors import ModelLoadFailed, ProviderError


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
def test_memory_that_is_used_up_is_known_by_what_engines_say(error: Exception) -> None:
    assert failure(1, error, ProviderError).error == "OutOfMemory"


def test_an_error_that_says_a_lot_is_cut_short() -> None:
    written = failure(1, RuntimeError("x" * 10_000_000), ProviderError)
    assert len(written.message) < 3_000
    assert len(written.detail) <= 20_000


@pytest.mark.parametrize("error", [RuntimeError("a memory of summer"), ValueError("allocated")])
def test_other_failures_are_the_engines_own(error: Exception) -> None:
    assert failure(None, error, ModelLoadFailed).error == "ModelLoadFailed"


class Mute(RuntimeError):
    """Says nothing."""

    def __str__(self) -> str:
        raise LookupError("not even that")


class Untraceable(RuntimeError):
    """Cannot be traced: where its notes should be is something that no one can print."""

    @property
    def __traceback__(self) -> None:  # type: ignore[override]
        raise LookupError("not even that")


@pytest.mark.parametrize("error", [Mute(), Untraceable("here")])
def test_an_error_that_cannot_be_written_down_is_told_all_the_same(error: Exception) -> None:
    written = failure(1, error, ProviderError)
    again = raised(written, provider="tone", model="tone/sine")
    assert type(again) is ProviderError
    assert type(error).__name__ in again.message
    assert type(error).__name__ in written.detail
