"""Trying again, a bounded number of times, with pauses that grow and differ."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..errors import DownloadFailed
from ._policy import DownloadPolicy

_T = TypeVar("_T")
_logger = logging.getLogger(__name__)
_ENOUGH_BYTES = 1 << 20
"""A failure after so many bytes does not count against the one before it."""


class TryAgain(Exception):
    """What went wrong may go right the next time."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BadRange(TryAgain):
    """The file is not as long as the part of it that is here."""


class Tries:
    """The failures of one request, or of one file, in a row."""

    def __init__(self, policy: DownloadPolicy, what: str) -> None:
        self._policy = policy
        self._what = what
        self._failures = 0

    async def failed(self, error: TryAgain, progressed: int = 0) -> None:
        """Wait until it makes sense to try again, or raise DownloadFailed."""
        self._failures = 1 if progressed >= _ENOUGH_BYTES else self._failures + 1
        after = error.retry_after_s
        if self._failures >= self._policy.tries or (
            after is not None and after > self._policy.longest_pause_s
        ):
            raise DownloadFailed(
                f"{self._what} failed after {self._failures} tries: {error}.",
                hint="Partial files are kept; try again later.",
                retry_after=after,
            ) from error
        pause = max(self._policy.pause_s(self._failures), after or 0.0)
        _logger.info("%s: %s; trying again in %.1f s", self._what, error, pause)
        await asyncio.sleep(pause)


async def trying(policy: DownloadPolicy, what: str, call: Callable[[], Awaitable[_T]]) -> _T:
    """The result of a call that may raise TryAgain."""
    tries = Tries(policy, what)
    while True:
        try:
            return await call()
        except TryAgain as error:
            await tries.failed(error)
