"""Licences of weights that somebody has to accept before the weights are fetched."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Collection
from pathlib import Path

from .._types.models import ModelInfo
from ..errors import LicenseNotAccepted
from ._files import writing
from ._records import write_atomically

_log = logging.getLogger(__name__)
ADVICE = "Read it, then accept it with 'open-speech models pull {model} --accept-license'."


class Licenses:
    """Which licences were accepted: one small file for each, so that it is asked for once.

    What is accepted is a licence, not a model: another model under the same one needs no more. If
    its address changes it counts as another licence. Any thread, and several processes.
    """

    def __init__(
        self, folder: Path, *, accepted: Collection[str] = (), advice: str = ADVICE
    ) -> None:
        """Nothing is read or made yet.

        ``accepted`` are licences (``ModelInfo.license``) that need no file, in any case of letters;
        ``advice`` is one sentence on how to accept, with ``{model}`` and ``{license}`` in it.
        """
        self._folder = folder
        self._accepted = frozenset(name.casefold() for name in accepted)
        self._advice = advice

    def pending(self, model: ModelInfo) -> bool:
        """Whether the model's licence is still to be accepted."""
        if not model.must_accept_license:
            return False
        return _name(model).casefold() not in self._accepted and not self._file(model).is_file()

    def accept(self, model: ModelInfo) -> None:
        """Write down that the model's licence was accepted; nothing to do if it need not be."""
        if not self.pending(model):
            return
        fact = {
            "license": _name(model),
            "url": model.license_url,
            "model": model.id,
            "accepted_at": int(time.time()),
        }
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file(model), json.dumps(fact, indent=1).encode())
        _log.info("the license %s was accepted, for the model %s", _name(model), model.id)

    def require(self, model: ModelInfo) -> None:
        """Raise LicenseNotAccepted if the model's licence is still to be accepted."""
        if not self.pending(model):
            return
        where = f" ({model.license_url})" if model.license_url else ""
        raise LicenseNotAccepted(
            f"The weights of {model.id!r} are under the license {_name(model)}{where}, which has "
            "not been accepted here.",
            model=model.id,
            param="accept_license",
            hint=self._advice.format(model=model.id, license=_name(model)),
        )

    def _file(self, model: ModelInfo) -> Path:
        text = f"{_name(model)}\n{model.license_url or ''}"
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


def _name(model: ModelInfo) -> str:
    return model.license or "unknown"
