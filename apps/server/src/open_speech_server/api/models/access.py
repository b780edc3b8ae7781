"""Which models callers may have: the catalogue, unless they need a key, or the operator says so."""

from __future__ import annotations

from open_speech import ModelId
from open_speech.errors import InvalidModelId, ModelNotAllowed
from open_speech.service import AccessPolicy, ResolvedModel, allow_all

from ...settings.settings import Settings


def permission(settings: Settings) -> AccessPolicy:
    """What the service asks about every name: whoever has the key may have any model.

    Without a key anybody who can reach the server could make it fetch and run whatever anybody has
    uploaded anywhere, so there the catalogue and the configured models are all there is.
    """
    if settings.api_key or settings.os_allow_any_model:
        return allow_all
    names = (
        *settings.stt_models,
        *settings.tts_models,
        *settings.downloaded_models,
        *settings.model_aliases.values(),
        settings.vad_model,
        settings.turn_model,
        settings.diarization_model,
    )
    configured = {each for name in names if name and (each := _parsed(name))}

    def check(resolved: ResolvedModel, listed: bool) -> None:  # noqa: FBT001
        if listed and resolved.revision is None:
            return
        names = (resolved.model.id, *resolved.model.aliases)
        if any((name, resolved.revision) in configured for name in names):
            return
        raise ModelNotAllowed(
            f"The model {resolved.id!r} is not in the catalogue. A server without an API key "
            "serves no other model.",
            model=resolved.id,
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
