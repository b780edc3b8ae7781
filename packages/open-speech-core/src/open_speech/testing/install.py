"""Providers made for a test and installed for real: found through package metadata, without pip.

``install_provider`` writes a distribution into a folder that plays site-packages: put the folder
on ``sys.path`` or ``PYTHONPATH``. ``build_wheel`` writes the same as a wheel, for pip.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import textwrap
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from .._plugins.hookspecs import PROJECT

__all__ = [
    "build_library_wheel",
    "build_wheel",
    "install_provider",
    "module_name",
    "remove_provider",
]


_DOTTED = re.compile(r"[A-Za-z_][\w.]*(?::[A-Za-z_][\w.]*)?")
_WHEEL = (
    "Wheel-Version: 1.0\nGenerator: open-speech-testing\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
)


@dataclass(frozen=True, kw_only=True)
class _Distribution:
    name: str
    version: str
    files: Mapping[str, bytes]
    """Everything but RECORD, by path."""

    @property
    def info(self) -> str:
        """Name of the folder with the metadata."""
        return f"{_normalized(self.name)}-{self.version}.dist-info"

    def record(self) -> bytes:
        """The RECORD file: each path with its digest and size."""
        lines = [f"{path},{_digest(data)},{len(data)}" for path, data in self.files.items()]
        return "\n".join([*lines, f"{self.info}/RECORD,,", ""]).encode()


def install_provider(
    target_dir: Path,
    name: str,
    module_or_source: str | ModuleType,
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    distribution: str | None = None,
    requires_python: str | None = None,
) -> Path:
    """Install a provider into a folder, replacing one of the same name; return its dist-info.

    ``name`` becomes the entry point. ``module_or_source`` is a module (or its dotted name, or a
    class as ``module:Class``) that is importable anyway, or the source of one, written as
    ``open_speech_provider_<name>``.
    """
    target_dir.mkdir(parents=True, exist_ok=True)
    made = _make(name, module_or_source, version, requires, distribution, requires_python)
    for old in target_dir.glob(f"{_normalized(made.name)}-*.dist-info"):
        shutil.rmtree(old)
    for path, data in (*made.files.items(), (f"{made.info}/RECORD", made.record())):
        target = target_dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return target_dir / made.info


def remove_provider(target_dir: Path, name: str, *, distribution: str | None = None) -> None:
    """Remove what ``install_provider`` wrote; no error if there is nothing."""
    folder = _normalized(distribution or f"open-speech-provider-{name}")
    for info in target_dir.glob(f"{folder}-*.dist-info"):
        shutil.rmtree(info)
    (target_dir / f"{module_name(name)}.py").unlink(missing_ok=True)


def build_wheel(
    target_dir: Path,
    name: str,
    module_or_source: str | ModuleType,
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    distribution: str | None = None,
    requires_python: str | None = None,
    data: Mapping[str, str] | None = None,
) -> Path:
    """Write a provider as a wheel that pip can install; arguments as for ``install_provider``.

    ``data`` are further files in it, by path, such as an ``open-speech-environment.toml``.
    """
    made = _make(name, module_or_source, version, requires, distribution, requires_python)
    further = {path: _source(text) for path, text in (data or {}).items()}
    return _write_wheel(target_dir, replace(made, files={**made.files, **further}))


def build_library_wheel(
    target_dir: Path,
    distribution: str,
    modules: Mapping[str, str],
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    data: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a wheel that is no provider: an engine to depend on, or a package of weights.

    ``modules`` maps module names to their sources; ``data`` are further files, by path.
    """
    files = {f"{name.replace('.', '/')}.py": _source(text) for name, text in modules.items()}
    files |= data or {}
    metadata = _metadata(distribution, version, "A library made for tests.", requires, None)
    info = f"{_normalized(distribution)}-{version}.dist-info"
    files |= {f"{info}/METADATA": metadata, f"{info}/WHEEL": _WHEEL.encode()}
    return _write_wheel(target_dir, _Distribution(name=distribution, version=version, files=files))


def module_name(name: str) -> str:
    """Name of the module that a provider given as source is written to."""
    return _normalized(f"open-speech-provider-{name}")


def _make(
    name: str,
    module_or_source: str | ModuleType,
    version: str,
    requires: Sequence[str],
    distribution: str | None,
    requires_python: str | None,
) -> _Distribution:
    distribution = distribution or f"open-speech-provider-{name}"
    files: dict[str, bytes] = {}
    if isinstance(module_or_source, ModuleType):
        module = module_or_source.__name__
    elif _DOTTED.fullmatch(module_or_source):
        module = module_or_source
    else:
        module = module_name(name)
        files[f"{module}.py"] = _source(module_or_source)
    info = f"{_normalized(distribution)}-{version}.dist-info"
    summary = f"The provider {name}, made for tests."
    files[f"{info}/METADATA"] = _metadata(distribution, version, summary, requires, requires_python)
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    files[f"{info}/entry_points.txt"] = f"[{PROJECT}]\n{name} = {module}\n".encode()
    return _Distribution(name=distribution, version=version, files=files)


def _metadata(
    name: str, version: str, summary: str, requires: Sequence[str], requires_python: str | None
) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {summary}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return "\n".join([*lines, ""]).encode()


def _write_wheel(target_dir: Path, made: _Distribution) -> Path:
    target_dir.mkdir(parents=True, exist_ok=True)
    path = target_dir / f"{_normalized(made.name)}-{made.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in made.files.items():
            archive.writestr(name, data)
        archive.writestr(f"{made.info}/RECORD", made.record())
    return path


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _source(text: str) -> bytes:
    return textwrap.dedent(text).encode()


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return "sha256=" + digest.rstrip(b"=").decode()
