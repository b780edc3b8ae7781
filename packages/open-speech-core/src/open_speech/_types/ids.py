"""Names of models: ``[provider:]name[@revision]``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import InvalidModelId

MAX_LENGTH = 256
_PART = r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.))*"
_GRAMMAR = re.compile(
    rf"(?:(?P<provider>[a-z][a-z0-9_-]{{0,63}}):)?"
    rf"(?P<name>{_PART}(?:/{_PART}){{0,3}})"
    rf"(?:@(?P<revision>[A-Za-z0-9][A-Za-z0-9._-]{{0,127}}))?"
)


@dataclass(frozen=True, kw_only=True)
class ModelId:
    """A parsed name; safe to use as part of a path or a repository name."""

    name: str
    provider: str | None = None
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> ModelId:
        """Read a name, or raise InvalidModelId: no ``..``, no empty part, ASCII only."""
        match = _GRAMMAR.fullmatch(text) if len(text) <= MAX_LENGTH else None
        if match is None or any(part.endswith(".") for part in match["name"].split("/")):
            shown = ascii(text[:64])
            raise InvalidModelId(
                f"The model name {shown} is not of the form [provider:]name[@revision].",
                param="model",
                hint="Names look like 'family/model' or 'organisation/model@revision'.",
            )
        return cls(name=match["name"], provider=match["provider"], revision=match["revision"])

    def __str__(self) -> str:
        prefix = f"{self.provider}:" if self.provider else ""
        suffix = f"@{self.revision}" if self.revision else ""
        return f"{prefix}{self.name}{suffix}"
