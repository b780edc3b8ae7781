"""The two files of a diarization model, told apart by their metadata."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from open_speech import LoadContext
from open_speech.errors import ModelLoadFailed

from .layout import failed
from .onnx_metadata import metadata_or_nothing

_MAX_FILES = 200
_SEGMENTATION = (
    *("sample_rate", "window_size", "receptive_field_size", "receptive_field_shift"),
    *("num_speakers", "powerset_max_classes", "num_classes"),
)
_EMBEDDING = ("framework", "sample_rate", "output_dim")
_FRAMEWORKS = frozenset({"wespeaker", "3d-speaker", "nemo"})


def find(folder: Path) -> tuple[Path, Path] | None:
    """A segmentation model and a model of voices in a folder or just below it, if both are."""
    segmentation, embedding = _segmentation(folder), _embedding(folder)
    return (segmentation, embedding) if segmentation and embedding else None


def checked(context: LoadContext, model: str) -> tuple[Path, Path]:
    """Both files of what is to be loaded; raises ModelLoadFailed where one is missing."""
    whole = context.paths.get("model")
    folders = [context.paths.get(key, whole) for key in ("segmentation", "embedding")]
    if any(folder is None or not folder.is_dir() for folder in folders):
        raise ModelLoadFailed(
            f"There are no folders with the two parts of the model {model}.",
            model=model,
            hint="Download the model, or give a folder with both.",
        )
    segmentation, embedding = (folder for folder in folders if folder is not None)
    first, second = _segmentation(segmentation), _embedding(embedding)
    if first is None:
        raise failed(model, "has no ONNX file with the metadata of a segmentation model")
    if second is None:
        raise failed(model, "has no ONNX file with the metadata of a model of voices")
    return first, second


def _segmentation(folder: Path) -> Path | None:
    found = [
        path
        for path, metadata in _files(folder)
        if metadata.keys() >= set(_SEGMENTATION) and metadata["sample_rate"] == "16000"
    ]
    # The whole numbers, where both are there: it is a few megabytes either way.
    return next((path for path in found if "int8" not in path.name), found[0] if found else None)


def _embedding(folder: Path) -> Path | None:
    return next(
        (
            path
            for path, metadata in _files(folder)
            if metadata.keys() >= set(_EMBEDDING) and metadata["framework"] in _FRAMEWORKS
        ),
        None,
    )


def _files(folder: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    paths = sorted([*folder.glob("*.onnx"), *folder.glob("*/*.onnx")])
    for path in paths[:_MAX_FILES]:
        if path.is_file():
            yield path, metadata_or_nothing(path)
