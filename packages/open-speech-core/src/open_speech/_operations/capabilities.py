"""Whether a model can do what is asked, as far as it is known before it is loaded.

What the fields of a request need is told by their ``Operation``.
"""

from __future__ import annotations

from typing import Any, NoReturn

from .._plugins.resolution import ResolvedModel
from .._types.models import Kind
from ..errors import InvalidRequest, ModelNotFound
from . import Operation

_DOING = {
    Kind.STT: "speech to text",
    Kind.TTS: "text to speech",
    Kind.VAD: "voice activity detection",
    Kind.TURN: "end-of-turn detection",
    Kind.DIARIZATION: "diarization",
}


def require_kind(resolved: ResolvedModel, kind: Kind) -> None:
    """Raise InvalidRequest unless the model is of this kind."""
    if resolved.model.kind is not kind:
        raise InvalidRequest(
            f"The model {resolved.id!r} does {_DOING[resolved.model.kind]}, not {_DOING[kind]}.",
            provider=resolved.provider.name,
            model=resolved.id,
            param="model",
        )


def require_operation(resolved: ResolvedModel, operation: Operation[Any, Any]) -> None:
    """Raise InvalidRequest unless the model's backend does this; one that tells nothing may."""
    done = next(
        (b.operations for b in resolved.provider.backends if b.name == resolved.backend), ()
    )
    if done and operation.name not in done:
        raise InvalidRequest(
            f"The model {resolved.id!r} does {', '.join(done)}, not {operation.name}.",
            provider=resolved.provider.name,
            model=resolved.id,
            param="model",
        )


def nothing_of(kind: Kind) -> NoReturn:
    """Raise ModelNotFound for want of any provider of this kind."""
    raise ModelNotFound(
        f"No installed provider does {_DOING[kind]}.",
        param="model",
        hint="Install one with 'open-speech providers install NAME'.",
    )


def check_load(resolved: ResolvedModel, device: str | None, compute_type: str | None) -> None:
    """Raise InvalidRequest for a device or number format that the model does not have."""
    model = resolved.model
    choices = (
        ("device", device and device.partition(":")[0], model.devices),
        ("compute_type", compute_type, model.compute_types),
    )
    for param, wanted, possible in choices:
        if wanted and wanted not in possible:
            raise InvalidRequest(
                f"The model {resolved.id!r} cannot be loaded with {param} {wanted[:32]!r}.",
                provider=resolved.provider.name,
                model=resolved.id,
                param=param,
                hint=f"Choose one of {', '.join(possible)}." if possible else "Leave it out.",
            )
