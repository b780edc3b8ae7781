"""Which models callers may have: the catalogue, unless they need a key, or the operator says so."""

from __future__ import annotations

from open_speech import ModelId
from open_speech.errors import InvalidModelId, ModelNotAllowed
from open_speech.routing import Offer
from open_speech.service import Permit, anything

from .settings import Settings


def permission(settings: Settings) -> Permit:
    """What the service asks about every name: whoever has the key may have any model.

    Without a key anybody who can reach the server could make it fetch and run whatever anybody has
    uploaded anywhere, so there the catalogue and the configured models are all there is.
    """
    if settings.api_key or settings.os_allow_any_model:
        return anything
    configured = {each for name in (*settings.stt_models, *settings.tts_models)
                  if (each := _parsed(name))}  # fmt: skip

    def check(offer: Offer, listed: bool) -> None:  # noqa: FBT001
        if listed and offer.revision is None:
            return
        names = (offer.model.id, *offer.model.aliases)
        if any((name, offer.revision) in configured for name in names):
            return
        raise ModelNotAllowed(
            f"The model {offer.id!r} is not in the catalogue, and this server, which has no key, "
            "serves no other.",
            model=offer.id,
            param="model",
            hint="The operator can set OS_API_KEY, name the model in STT_MODEL or TTS_MODEL, or "
            "set OS_ALLOW_ANY_MODEL=true.",
        )

    return check


def _parsed(name: str) -> tuple[str, str | None] | None:
    try:
        parsed = ModelId.parse(name)
    except InvalidModelId:  # said at start, where it is loaded
        return None
    return parsed.name, parsed.revision
