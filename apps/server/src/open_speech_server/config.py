"""From the operator's settings to core's configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from open_speech import Config, Defaults, Kind, ModelInfo, Policy, SpeechRequest
from open_speech.environments import EnvironmentStore, worker_environments
from open_speech.hosts import WorkerOptions
from open_speech.routing import Hint
from open_speech.script import Pause, Piece
from open_speech.store import Store

from .permission import permission
from .settings import KNOWN, Settings, worker_environment


def environment_store(settings: Settings) -> EnvironmentStore:
    """Where providers with an environment of their own are installed."""
    return EnvironmentStore(settings.os_data_dir / "environments")


def weight_store(settings: Settings) -> Store:
    """Where weights are kept, and where they come from."""
    token = settings.hf_token.get_secret_value() if settings.hf_token else None
    return Store(
        settings.os_model_dir,
        endpoint=settings.hf_endpoint,
        token=token,
        offline=settings.hf_hub_offline,
        user_cache=_existing(settings.hub_cache),
    )


def _existing(folder: Path) -> Path | None:
    return folder if folder.is_dir() else None


def core_config(settings: Settings) -> Config:
    """What core is told; nothing else of the settings reaches it."""
    workers = WorkerOptions(environment=worker_environment())
    environments = environment_store(settings)
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
            memory_budget_bytes=settings.os_memory_budget_mb * 2**20,
            device_memory_budget_bytes=settings.os_vram_budget_mb * 2**20,
            queue_size=settings.os_queue_size,
            load_wait_s=settings.os_load_wait_s,
            load_timeout_s=settings.os_load_timeout_s,
            call_timeout_s=settings.os_request_timeout_s,
            drain_timeout_s=settings.os_drain_s,
        ),
        data_dir=settings.os_data_dir,
        isolated=settings.os_isolation == "model",
        workers=workers,
        weights=weight_store(settings),
        environments=lambda: worker_environments(environments, workers),
        prepare=_prepare,
        aliases={name: Kind(kind) for kind, names in KNOWN["aliases"].items() for name in names},
        hints=[Hint(glob=glob, advice=advice) for glob, advice in KNOWN["hints"].items()],
    )


def server_config(settings: Settings) -> Config:
    """What core is told where strangers ask it: they may not have every model."""
    return replace(core_config(settings), permit=permission(settings))


def _prepare(request: SpeechRequest, _model: ModelInfo) -> list[Piece | Pause]:
    from open_speech.text.sentences import split_sentences

    sentences = split_sentences(request.text, request.language)
    return [Piece(text=sentence.text, start=sentence.start) for sentence in sentences]
