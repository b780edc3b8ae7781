"""What core needs of a weight store; ``open_speech.store.Store`` is one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from .._types.models import Kind, ModelInfo


class DownloadProgress(Protocol):
    """How far a download is."""

    @property
    def bytes_done(self) -> int:
        """Of all files."""

    @property
    def bytes_total(self) -> int:
        """Of all files."""

    @property
    def bytes_per_second(self) -> float:
        """Off the network, over the last few seconds."""


class Stored(Protocol):
    """A downloaded model, whichever provider it is for."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def kind(self) -> Kind:
        """What it does."""

    @property
    def requested(self) -> str | None:
        """What followed the ``@`` of its name."""

    @property
    def revision(self) -> str | None:
        """The commit that is on disk, where it is known."""

    @property
    def size_bytes(self) -> int:
        """Of all its files."""

    @property
    def packages(self) -> tuple[str, ...]:
        """Installed packages that the files lie in, as ``name==version``."""

    @property
    def in_user_cache(self) -> bool:
        """Whether the files are those of the user's own hub cache, which are not ours to delete."""

    def serves(self, model: ModelInfo) -> bool:
        """Whether these are the files that a model of this name asks for now."""


class Weights(Protocol):
    """Weights on disk; every method is called in threads, from several at once."""

    def is_downloaded(self, model: ModelInfo, revision: str | None = None) -> bool:
        """Whether everything is on disk and verified; no network."""

    def revision(self, model: ModelInfo, revision: str | None = None) -> str | None:
        """The commit that is on disk, if any is."""

    def find(self, model: ModelInfo, revision: str | None = None) -> Stored | None:
        """What is on disk of a model, all of it; None if it is not downloaded."""

    def list(self) -> Sequence[Stored]:
        """Every downloaded model."""

    def license_pending(self, model: ModelInfo) -> bool:
        """Whether the model's licence has to be accepted before anything is fetched."""

    def accept_license(self, model: ModelInfo) -> None:
        """Accept the licence of a model's weights, for this and every other model under it."""

    def ensure(
        self,
        model: ModelInfo,
        *,
        revision: str | None = None,
        progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
    ) -> Mapping[str, Path]:
        """Download what is missing; returns a path for each source's key."""

    def update(
        self,
        model: ModelInfo,
        *,
        progress: Callable[[DownloadProgress], None],
        cancelled: threading.Event,
    ) -> str | None:
        """Move to the newest revision; returns its commit."""

    def delete(self, model: ModelInfo, revision: str | None = None) -> None:
        """Delete the files; raises ModelInUse while anybody on the volume holds them."""

    def hold(
        self, model: ModelInfo, revision: str | None = None
    ) -> AbstractContextManager[Mapping[str, Path]]:
        """Keep the files from being deleted, by other processes too."""
