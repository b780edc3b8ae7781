"""From the operator's settings to core's configuration."""

from __future__ import annotations

from open_speech import Config, Defaults, Kind, Policy
from open_speech.routing import Hint

from .settings import KNOWN, Settings


def core_config(settings: Settings) -> Config:
    """What core is told; nothing else of the settings reaches it."""
    return Config(
        stt=Defaults(
            models=settings.stt_models,
            device=settings.stt_device,
            compute_type=settings.stt_compute_type,
        ),
        tts=Defaults(
            models=settings.tts_models,
            device=settings.tts_device,
            voice=settings.tts_voice,
            speed=settings.tts_speed,
        ),
        policy=Policy(
            ttl_s=settings.os_model_ttl,
            max_loaded=settings.os_max_loaded_models,
            queue_size=settings.os_queue_size,
            load_wait_s=settings.os_load_wait_s,
            load_timeout_s=settings.os_load_timeout_s,
            call_timeout_s=settings.os_request_timeout_s,
            drain_timeout_s=settings.os_drain_s,
        ),
        data_dir=settings.os_data_dir,
        isolated=settings.os_isolation == "model",
        split_text=_sentences,
        aliases={name: Kind(kind) for kind, names in KNOWN["aliases"].items() for name in names},
        hints=[Hint(glob=glob, advice=advice) for glob, advice in KNOWN["hints"].items()],
    )


def _sentences(text: str, language: str | None) -> list[str]:
    from open_speech.text.sentences import split_sentences

    return [sentence.text for sentence in split_sentences(text, language)]
