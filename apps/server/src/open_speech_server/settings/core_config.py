"""From the operator's settings to core's configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from open_speech import Config, Defaults, Kind, ModelInfo, Policy, SpeechRequest
from open_speech.environments import EnvironmentStore, worker_environments
from open_speech.service import (
    Hint,
    Pause,
    PrepareText,
    ThisProcess,
    Utterance,
    WorkerOptions,
    Workers,
)
from open_speech.store import Licenses, Store
from open_speech.text.options import TextOptions
from open_speech.text.pronunciations import Pronunciations
from open_speech.voices.library import VoiceLibrary

from ..api.models.access import permission
from .presets import Preset, read_presets
from .settings import KNOWN, Settings, worker_environment

HOW_TO_ACCEPT = (
    "Read it, then accept it with 'open-speech models pull {model} --accept-license', with "
    '{{"accept_license": true}} in POST /api/models/{model}/download, or with '
    "OS_ACCEPT_LICENSES={license}."
)


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
        licenses=Licenses(
            settings.os_data_dir / "licenses",
            accepted=settings.accepted_licenses,
            advice=HOW_TO_ACCEPT,
        ),
        package_folders=environment_store(settings).package_folders,
    )


def _existing(folder: Path) -> Path | None:
    return folder if folder.is_dir() else None


def voice_library(settings: Settings) -> VoiceLibrary:
    """Where cloned voices are kept."""
    return VoiceLibrary(settings.os_data_dir / "voices", reserved=KNOWN["voices"]["generic"])


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
        vad=Defaults(models=_one(settings.vad_model)),
        turn=Defaults(models=_one(settings.turn_model)),
        diarization=Defaults(models=_one(settings.diarization_model)),
        policy=Policy(
            ttl_s=settings.os_model_ttl,
            max_loaded=settings.os_max_loaded_models,
            memory_budget_bytes=settings.os_memory_budget_mb * 2**20,
            device_memory_budget_bytes=settings.os_vram_budget_mb * 2**20,
            threads=settings.os_threads,
            queue_size=settings.os_queue_size,
            load_wait_s=settings.os_load_wait_s,
            load_timeout_s=settings.os_load_timeout_s,
            call_timeout_s=settings.os_request_timeout_s,
            drain_timeout_s=settings.os_drain_s,
        ),
        data_dir=settings.os_data_dir,
        home=Workers() if settings.os_isolation == "model" else ThisProcess(),
        workers=workers,
        weights=weight_store(settings),
        local_models=settings.local_models,
        generic_voices=tuple(KNOWN["voices"]["generic"]),
        voice_library=voice_library(settings),
        options=settings.os_options,
        environments=lambda: worker_environments(environments, workers),
        even_loudness=settings.tts_even_loudness,
        prepare=preparation(TextOptions(pronunciations=pronunciations(settings))),
        aliases={name: Kind(kind) for kind, names in KNOWN["aliases"].items() for name in names},
        alias_patterns={
            glob: Kind(kind) for kind, globs in KNOWN["alias_patterns"].items() for glob in globs
        },
        model_aliases=settings.model_aliases,
        hints=[_hint(glob, distribution) for glob, distribution in KNOWN["hints"].items()],
    )


def _one(name: str | None) -> tuple[str, ...]:
    return (name,) if name else ()


def _hint(glob: str, distribution: str) -> Hint:
    advice = f"Install it with 'open-speech providers install {distribution}'."
    return Hint(glob=glob, distribution=distribution, advice=advice)


def server_config(settings: Settings) -> Config:
    """What core is told where strangers ask it: they may not have every model."""
    return replace(core_config(settings), permit=permission(settings))


def presets(settings: Settings) -> Mapping[str, Preset]:
    """The operator's presets; none where no file is named."""
    return read_presets(settings.os_voice_presets) if settings.os_voice_presets else {}


def pronunciations(settings: Settings) -> Pronunciations | None:
    """The operator's list of pronunciations, if a file is named."""
    path = settings.os_pronunciations
    return Pronunciations.read(path) if path else None


def preparation(options: TextOptions) -> PrepareText:
    """How a text is made ready; what does it is imported with the first one."""

    def prepare(request: SpeechRequest, model: ModelInfo) -> Sequence[Utterance | Pause]:
        from open_speech.text.prepare import prepare as prepare_text

        return prepare_text(request, model, options)

    return prepare
