"""What a folder holds: its files are told apart by their names and their metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from open_speech.errors import ModelLoadFailed

from .families import NEEDED, Family
from .onnx_metadata import NotOnnx, metadata_or_nothing, read_metadata

TOKENS = "tokens.txt"
INT8 = "int8"
FLOAT32 = "float32"

_MAX_FILES = 1_000
_SUFFIXES = (".onnx", ".ort")
_ICEFALL = frozenset({"conformer", "ebranchformer", "lstm", "zipformer", "zipformer2"})
_NEMO_CTC = frozenset({"EncDecCTCModel", "EncDecCTCModelBPE", "EncDecHybridRNNTCTCBPEModel"})


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A model's files, by the parts that they play."""

    family: Family
    files: Mapping[str, Path]
    """``model``, or ``encoder``, ``decoder`` and the like, and ``tokens``."""
    metadata: Mapping[str, str]
    """Of the model's main file."""
    compute_types: tuple[str, ...]
    """Number formats that the folder has files for, the preferred one first."""


def find(folder: Path, compute_type: str | None = None) -> Layout | None:
    """What the folder holds; None where it is none of the families.

    Where a part comes in several files, eight-bit weights are taken unless ``compute_type`` says
    otherwise, and of what is left the last by name, where numbers count as numbers.
    """
    tokens = folder / TOKENS
    if not tokens.is_file():
        return None
    parts = _parts(folder)
    chosen = {part: _choice(files, compute_type) for part, files in parts.items()}
    main = next((chosen[part] for part in ("model", "encoder") if part in chosen), None)
    metadata = metadata_or_nothing(main) if main else {}
    family = _family(frozenset(chosen), metadata, f"{folder.name}/{main.name if main else ''}")
    if family is None:
        return None
    every = [path for part in parts.values() for path in part]
    return Layout(
        family=family,
        files={**chosen, "tokens": tokens},
        metadata=metadata,
        compute_types=_compute_types(every),
    )


def check(layout: Layout, model: str) -> None:
    """Raise ModelLoadFailed unless the files are what the engine can read."""
    for part, path in layout.files.items():
        if part == "tokens" or path.suffix != ".onnx":
            continue
        try:
            metadata = read_metadata(path)
        except NotOnnx as broken:
            raise failed(model, f"has a {path.name} that {broken}") from broken
        missing = [
            key for key in NEEDED.get(layout.family, {}).get(part, ()) if key not in metadata
        ]
        if missing:
            raise failed(model, f"has a {path.name} without the metadata {', '.join(missing)}")
    check_tokens(layout.files["tokens"], model)


def check_tokens(path: Path, model: str) -> None:
    """Raise ModelLoadFailed unless each line is a symbol and its number, none of them twice."""
    for line, text in enumerate(read_lines(path), 1):
        *symbols, number = text.split() or [""]
        if len(symbols) > 1 or not number.lstrip("-").isdigit():
            raise failed(model, f"has a {path.name} whose line {line} is no symbol with a number")


def read_lines(path: Path) -> list[str]:
    """The lines of a file of tokens; what is no UTF-8 in it is replaced."""
    return path.read_text(encoding="utf-8", errors="replace").strip("\n").split("\n")


def failed(model: str, reason: str) -> ModelLoadFailed:
    """The error for a folder that cannot be loaded."""
    return ModelLoadFailed(
        f"The folder of the model {model} {reason}.",
        model=model,
        hint="It takes a model that was exported for sherpa-onnx, with its tokens.txt.",
    )


def _parts(folder: Path) -> dict[str, list[Path]]:
    """The weights by the parts that their names speak of."""
    found: dict[str, list[Path]] = {}
    for count, path in enumerate(sorted(folder.iterdir())):
        if count >= _MAX_FILES:
            break
        if path.suffix in _SUFFIXES and path.is_file():
            found.setdefault(_part(path.name), []).append(path)
    return found


def _part(name: str) -> str:
    if name.startswith("preprocess"):
        return "preprocessor"
    if name.startswith("encode."):
        return "encoder"
    for part in ("uncached_decode", "cached_decode", "decoder_model_merged", "encoder_model"):
        if name.startswith(part):
            return {"decoder_model_merged": "merged_decoder", "encoder_model": "encoder"}.get(
                part, f"{part}r"
            )
    return next((part for part in ("encoder", "decoder", "joiner") if part in name), "model")


def _choice(files: list[Path], compute_type: str | None) -> Path:
    small = [path for path in files if _is_int8(path)]
    plain = [path for path in files if not _is_int8(path)]
    wanted = plain if compute_type == FLOAT32 else small
    return max(wanted or plain or small, key=_order)


def _order(path: Path) -> list[tuple[int, str]]:
    # "epoch-99" comes after "epoch-12", and "left-128" after "left-64".
    pieces = re.split(r"(\d+)", path.name)
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces]


def _is_int8(path: Path) -> bool:
    return INT8 in path.name


def _compute_types(files: list[Path]) -> tuple[str, ...]:
    has = {INT8 if _is_int8(path) else FLOAT32 for path in files}
    return tuple(kind for kind in (INT8, FLOAT32) if kind in has)


def _family(parts: frozenset[str], metadata: Mapping[str, str], name: str) -> Family | None:
    if {"preprocessor", "encoder", "uncached_decoder", "cached_decoder"} <= parts:
        return Family.MOONSHINE
    if {"encoder", "merged_decoder"} <= parts:
        return Family.MOONSHINE_V2
    kind = metadata.get("model_type", "")
    if {"encoder", "decoder", "joiner"} <= parts:
        return _transducer(kind, metadata, name)
    if {"encoder", "decoder"} <= parts:
        known = {
            "EncDecMultiTaskModel": Family.CANARY,
            "paraformer": Family.STREAMING_PARAFORMER,
        }
        return known.get(kind)
    return _single(kind, metadata) if "model" in parts else None


def _transducer(kind: str, metadata: Mapping[str, str], name: str) -> Family | None:
    if kind.startswith("EncDec"):
        streams = "chunk_shift" in metadata
        return Family.STREAMING_NEMO_TRANSDUCER if streams else Family.NEMO_TRANSDUCER
    streams = "decode_chunk_len" in metadata or "-chunk-" in name
    if streams or "streaming" in name.replace("non-streaming", ""):
        return Family.STREAMING_TRANSDUCER
    # Early exports of offline transducers say nothing of themselves.
    return Family.TRANSDUCER if kind in _ICEFALL or not kind else None


def _single(kind: str, metadata: Mapping[str, str]) -> Family | None:
    if kind in _NEMO_CTC:
        return Family.STREAMING_NEMO_CTC if "window_size" in metadata else Family.NEMO_CTC
    if kind in {"zipformer2", "zipformer2_ctc"}:
        streams = "decode_chunk_len" in metadata
        return Family.STREAMING_ZIPFORMER_CTC if streams else Family.ZIPFORMER_CTC
    known = {
        "paraformer": Family.PARAFORMER,
        "sense_voice_ctc": Family.SENSE_VOICE,
        "wenet_ctc": Family.WENET_CTC,
    }
    return known.get(kind)
