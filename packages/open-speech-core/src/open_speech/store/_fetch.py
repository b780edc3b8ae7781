"""One file from the hub to the disk: resumed, verified, and never half there.

The bytes go to ``<folder>/<digest>.<random>.part`` and get their name by one rename, after their
hash was found right and they are on the disk. The random part gives each writer a file of its own,
so that two processes never write into one even where locks do nothing; a new writer takes over the
longest part that an ended one left.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from ..errors import DownloadFailed
from ._files import Digest, disk_error, is_intact
from ._hub import Body, Hub
from ._policy import DownloadPolicy
from ._progress import ProgressMeter
from ._records import FileEntry
from ._retry import BadRange, Tries, TryAgain

_logger = logging.getLogger(__name__)
_BLOCK = 4 << 20
_MAX_WRONG = 2
"""How often a whole file may turn out wrong before it is given up."""


class Fetch:
    """The download of one file."""

    def __init__(
        self,
        hub: Hub,
        policy: DownloadPolicy,
        meter: ProgressMeter,
        *,
        repo_id: str,
        commit: str,
        entry: FileEntry,
        partial_folder: Path,
        take_over: bool,
    ) -> None:
        self._hub = hub
        self._policy = policy
        self._meter = meter
        self._repo_id = repo_id
        self._commit = commit
        self._entry = entry
        self._folder = partial_folder
        self._take_over = take_over
        self._part = partial_folder / f"{entry.digest}.{secrets.token_hex(4)}.part"
        self._digest = Digest(entry)
        self._here = 0
        self._wrong = 0

    async def run(self, target: Path) -> None:
        """Have the file at ``target``, or raise; what is fetched so far stays for the next."""
        what = f"Fetching {self._entry.path} of {self._repo_id}"
        tries = Tries(self._policy, what)
        try:
            while True:
                before = self._here
                try:
                    await self._attempt(target)
                    return
                except TryAgain as error:
                    await tries.failed(error, progressed=self._here - before)
        except OSError as error:
            raise disk_error(self._folder, error) from error

    async def _attempt(self, target: Path) -> None:
        try:
            if self._take_over:
                self._adopt()
            with self._part.open("r+b" if self._part.exists() else "w+b") as file:
                await self._catch_up(file)
                if self._here < self._entry.size:
                    await self._receive(file)
                self._check(file)
                file.flush()
                os.fsync(file.fileno())
            target.parent.mkdir(parents=True, exist_ok=True)
            self._part.replace(target)
        except FileNotFoundError as error:
            # Another process on a volume without locks took our part, or has finished before us.
            if is_intact(target, self._entry):
                return
            raise TryAgain(f"{error.filename} is gone") from error
        except OSError as error:
            raise disk_error(self._folder, error) from error

    def _adopt(self) -> None:
        """Take over the longest part that a process left which has ended; drop the others."""
        self._take_over = False
        left = sorted(
            self._folder.glob(f"{self._entry.digest}.*.part"), key=lambda p: p.stat().st_size
        )
        for number, path in enumerate(reversed(left)):
            if number == 0:
                path.replace(self._part)
            else:
                path.unlink(missing_ok=True)

    async def _catch_up(self, file: BinaryIO) -> None:
        """Hash what is in the file beyond what was hashed already."""
        if file.seek(0, os.SEEK_END) > self._entry.size or file.tell() < self._here:
            self._start_over(file)
        file.seek(self._here)
        while block := file.read(_BLOCK):
            self._digest.update(block)
            self._here += len(block)
            await asyncio.sleep(0)  # gigabytes are hashed here, and cancelling must not wait
        self._meter.at(self, self._here)

    async def _receive(self, file: BinaryIO) -> None:
        try:
            async with self._hub.open(
                self._repo_id, self._commit, self._entry.path, self._here
            ) as body:
                self._check_still_the_same(body, file)
                if body.start != self._here:
                    self._start_over(file)
                async for block in body.blocks():
                    self._write(file, block)
        except BadRange:
            self._start_over(file)
            raise
        if self._here < self._entry.size:
            raise TryAgain(f"the stream ended {self._entry.size - self._here} bytes early")

    def _check_still_the_same(self, body: Body, file: BinaryIO) -> None:
        """Notice early that the content changed; at the end the hash would have shown it."""
        if len(body.digest) == len(self._entry.digest) and body.digest != self._entry.digest:
            self._start_over(file)
            raise TryAgain("the hub has other content under this commit now")

    def _write(self, file: BinaryIO, block: bytes) -> None:
        if self._here + len(block) > self._entry.size:
            self._start_over(file)
            raise TryAgain("the hub sent more bytes than it listed")
        try:
            file.write(block)
        except OSError as error:
            raise disk_error(self._folder, error) from error
        self._digest.update(block)
        self._here += len(block)
        self._meter.at(self, self._here, received=len(block))

    def _check(self, file: BinaryIO) -> None:
        if self._digest.fits():
            return
        self._start_over(file)
        self._wrong += 1
        _logger.warning("%s of %s has wrong content", self._entry.path, self._repo_id)
        if self._wrong >= _MAX_WRONG:
            raise DownloadFailed(
                f"The hub sent {self._entry.path} of {self._repo_id} {self._wrong} times with "
                "content that does not match its checksum.",
                hint="It was discarded. Check the endpoint or the mirror.",
            )
        raise TryAgain("the content does not match its checksum")

    def _start_over(self, file: BinaryIO) -> None:
        file.seek(0)
        file.truncate()
        self._here = 0
        self._digest = Digest(self._entry)
        self._meter.at(self, 0)
