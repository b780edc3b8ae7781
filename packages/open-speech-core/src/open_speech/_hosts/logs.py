"""What a worker prints, as log records of the server."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import IO

_log = logging.getLogger("open_speech.worker")
MAX_LINE = 8 * 1024
MAX_LINES_PER_SECOND = 100


class LogReader:
    """Reads a worker's output line by line; long lines are cut and floods are thinned out."""

    def __init__(self, model: str, pipe: IO[bytes]) -> None:
        self._model = model
        self._pipe = pipe
        self._second = 0
        self._lines = 0

    async def run(self) -> None:
        """Read until the worker has closed its output."""
        reader = asyncio.StreamReader(limit=MAX_LINE)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._pipe
        )
        try:
            while line := await self._line(reader):
                self._write(line.decode("utf-8", "replace").rstrip())
        finally:
            transport.close()

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            return error.partial
        except asyncio.LimitOverrunError as error:
            line = await reader.readexactly(error.consumed or MAX_LINE)
            return line[:MAX_LINE]

    def _write(self, line: str) -> None:
        if not line or not self._admit():
            return
        level, _, rest = line.partition(":")
        number = logging.getLevelNamesMapping().get(level)
        if number is None:  # printed by an engine: may be anything, what it was told included
            _log.debug("%s: %s", self._model, line)
        else:
            _log.log(number, "%s: %s", self._model, rest)

    def _admit(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            if self._lines > MAX_LINES_PER_SECOND:
                dropped = self._lines - MAX_LINES_PER_SECOND
                _log.warning("%s: %d lines of output were dropped", self._model, dropped)
            self._second, self._lines = second, 0
        self._lines += 1
        return self._lines <= MAX_LINES_PER_SECOND
