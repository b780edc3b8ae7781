"""Carrying weights between machines as plain folders; nothing is packed or unpacked."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

from ..errors import DownloadFailed
from ._files import check_free_space, copy, is_intact, writing
from ._records import FileEntry, Record
from ._slot import Slot


def export(slot: Slot, record: Record, folder: Path) -> None:
    """Copy a model's files and its record into another store's folder."""
    _copy(slot, record, Slot(folder, slot.kind, slot.model))


def import_(source: Slot, record: Record, slot: Slot) -> None:
    """Copy a model from an exported folder; DownloadFailed if it is not what its record says."""
    if any(entry.folder for entry in record.sources) or (record.model, record.kind) != (
        slot.model,
        slot.kind,
    ):
        raise DownloadFailed(f"{source.folder} is not a folder that was exported.")
    _copy(source, record, slot)


def _copy(source: Slot, record: Record, target: Slot) -> None:
    own = replace(record, sources=tuple(replace(e, folder=None) for e in record.sources))
    with writing(target.root):
        target.partial.mkdir(parents=True, exist_ok=True)
        check_free_space(target.partial, record.size_bytes, 1.0)
    for entry in record.sources:
        for file in entry.files:
            path = source.path_of(record, entry.key) / file.path
            if entry.folder is None and not _is_plain(source.folder, path):
                raise DownloadFailed(f"{path} is not a plain file.")
            place = target.folder / entry.folder_name / file.path
            if not is_intact(place, file):
                _copy_file(path, place, file, target)
    with writing(target.root):
        own.write(target.record_path(record.requested))


def _copy_file(path: Path, place: Path, file: FileEntry, target: Slot) -> None:
    if not is_intact(path, file):
        raise DownloadFailed(
            f"{path} is missing, or its content does not fit its checksum.",
            hint="Export the model again.",
        )
    with writing(target.root):
        copy(path, place, target.partial)


def _is_plain(folder: Path, path: Path) -> bool:
    """Whether a path is a regular file, reached through no link below a folder."""
    try:
        return path.resolve() == folder.resolve() / path.relative_to(folder) and stat.S_ISREG(
            path.lstat().st_mode
        )
    except OSError:
        return False
