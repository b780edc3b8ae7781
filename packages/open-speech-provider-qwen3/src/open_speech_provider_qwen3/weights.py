"""Weights out of safetensors files: numbers and their names, never code.

No other format is read: what lies beside them (``pytorch_model.bin``, ``*.pt``) may hold code. The
library checks the header's offsets against the file before any tensor is made, and every module
is filled strictly: a tensor that is missing, unknown or of another shape ends the loading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

Tensor = Any
"""A ``torch.Tensor``."""


class BadWeights(ValueError):
    """Says what is wrong with the weights, as the end of a sentence about their folder."""


class Weights:
    """The tensors of one folder, read when they are taken."""

    def __init__(self, folder: Path, *, device: str, dtype: Any) -> None:
        """Open every ``model*.safetensors``; raises BadWeights for none, or for a broken one.

        Floating point tensors become ``dtype`` on ``device`` as they are taken, one at a time, so
        that the file's own copy never stands beside the whole.
        """
        self._device, self._dtype = device, dtype
        self._files: dict[str, Any] = {}
        self._where = folder.name
        found = sorted(folder.glob("model*.safetensors"))
        if not found:
            raise BadWeights(f"has no {folder.name}/model.safetensors")
        for path in found:
            try:
                file = safe_open(path, framework="pt", device="cpu")
            except (SafetensorError, OSError) as error:
                reason = str(error)[:200]
                raise BadWeights(f"has a broken {folder.name}/{path.name} ({reason})") from error
            self._files.update(dict.fromkeys(file.keys(), file))

    def names(self, prefix: str) -> Iterator[str]:
        """The names below a prefix, without it."""
        return (name[len(prefix) :] for name in self._files if name.startswith(prefix))

    def take(self, name: str) -> Tensor:
        """One tensor."""
        try:
            tensor = self._files[name].get_tensor(name)
        except (KeyError, SafetensorError) as error:
            raise BadWeights(f"lacks the tensor {name[:120]!r}") from error
        dtype = self._dtype if tensor.is_floating_point() else None
        return tensor.to(device=self._device, dtype=dtype)

    def fill(self, module: Any, prefix: str, unused: Iterable[str] = ()) -> None:
        """Give a module made on the ``meta`` device its parameters; those named so go unused.

        Names below the prefix that match one of ``unused``, patterns as of a shell, may be in the
        file without being in the module.
        """
        wanted = set(module.state_dict())
        extra = [
            name
            for name in self.names(prefix)
            if name not in wanted and not any(fnmatchcase(name, pattern) for pattern in unused)
        ]
        if extra:
            raise BadWeights(f"has the unknown tensor {(prefix + extra[0])[:120]!r}")
        tensors = {name: self.take(prefix + name) for name in wanted}
        try:
            module.load_state_dict(tensors, strict=True, assign=True)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()[:200]
            raise BadWeights(f"has weights that do not fit its configuration ({reason})") from error
        module.requires_grad_(False).eval()


def on_meta(make: Any, *arguments: Any) -> Any:
    """Make a module without memory for its parameters."""
    with torch.device("meta"):
        return make(*arguments)
