"""What the operator decides: the only module that reads the environment.

A field is named as its variable, in lower case, so that ``settings.os_port`` and ``OS_PORT`` are
found by one search. An empty variable counts as one that is not set.
"""

from __future__ import annotations

import os
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AliasChoices, AliasGenerator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from .setting_types import (
    Device,
    Folder,
    Isolation,
    LocalPaths,
    LogFormat,
    LogLevel,
    ModelNames,
    Must,
    Name,
    Options,
    Origins,
    PresetFile,
    PronunciationFile,
    Proxies,
    Secret,
    listed,
    local_paths,
)

KNOWN: dict[str, Any] = tomllib.loads(
    resources.files(__package__).joinpath("known.toml").read_text(encoding="utf-8")
)
"""The data file with the names of the default models."""

OLD_NAMES = {
    **{
        f"os_{name}": f"stt_{name}"
        for name in (
            "port",
            "host",
            "api_key",
            "cors_origins",
            "trust_proxy",
            "max_upload_mb",
            "rate_limit",
            "rate_limit_burst",
            "ssl_enabled",
            "ssl_certfile",
            "ssl_keyfile",
            "model_ttl",
            "max_loaded_models",
            "stream_chunk_ms",
            "stream_vad_threshold",
            "stream_endpointing_ms",
            "stream_max_connections",
        )
    },
    "stt_model": "stt_default_model",
    "tts_model": "tts_default_model",
    "tts_voice": "tts_default_voice",
    "tts_speed": "tts_default_speed",
}
"""Field -> the name that earlier versions used for it. It still works; the new name wins."""

PRIVATE_NETWORKS = (
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)
"""What ``OS_TRUST_PROXY=true`` trusts: loopback, RFC 1918, RFC 4193 and link-local addresses."""


class ConfigurationError(Exception):
    """The server cannot start as configured; the message says what to change, in sentences."""


def _aliases(field: str) -> AliasChoices:
    old = OLD_NAMES.get(field)
    return AliasChoices(field, old) if old else AliasChoices(field)


class Settings(BaseSettings):
    """All settings, checked. Built from the environment; keyword arguments win over it."""

    model_config = SettingsConfigDict(
        alias_generator=AliasGenerator(validation_alias=_aliases),
        env_ignore_empty=True,
        env_nested_delimiter="__",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    # Server
    os_port: int = Field(8100, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    os_host: Name = Field("0.0.0.0", description="Address to listen on.")  # noqa: S104 - warned of
    os_api_key: Secret | None = Field(None, description="Key that clients must send; empty is off.")
    os_cors_origins: Origins = Field(
        "*", description="Web origins whose pages may call the server, or * for all."
    )
    os_trust_proxy: Proxies = Field(
        "false",
        description="Networks whose X-Forwarded-For and X-Forwarded-Proto are believed; true is "
        "all private ones.",
    )
    os_max_upload_mb: int = Field(100, ge=1, le=10240, description="Largest upload, in MiB.")
    os_rate_limit: int = Field(
        0, ge=0, le=1_000_000, description="Requests per minute and client address; 0 is off."
    )
    os_rate_limit_burst: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="How many of them may come at once; 0 is a whole minute's worth.",
    )
    os_public_metadata: bool = Field(
        default=False, description="Show the lists of models and voices without a key."
    )

    # TLS
    os_ssl_enabled: bool = Field(default=True, description="Serve HTTPS.")
    os_ssl_certfile: Folder | None = Field(
        None, description="Certificate (PEM) to use; empty makes a self-signed one."
    )
    os_ssl_keyfile: Folder | None = Field(None, description="Private key (PEM) of the certificate.")

    # Speech to text
    stt_model: ModelNames = Field(
        KNOWN["defaults"]["stt_model"],
        description="Speech-to-text models to prepare at start, commas between them; the first is "
        "the default.",
    )
    stt_preload_models: str = Field("", description="Old: more names for STT_MODEL.")
    stt_device: Device = Field("cpu", description="Where they run: cpu, cuda or cuda:N.")
    stt_compute_type: Name = Field(
        "int8", description="Number format of their weights, such as int8, float16, int8_float16."
    )

    # Text to speech
    tts_model: ModelNames = Field(
        KNOWN["defaults"]["tts_model"],
        description="Text-to-speech models to prepare at start, commas between them; the first is "
        "the default.",
    )
    tts_preload_models: str = Field("", description="Old: more names for TTS_MODEL.")
    tts_device: Device = Field("cpu", description="Where they run: cpu, cuda or cuda:N.")
    tts_voice: Name = Field(
        KNOWN["defaults"]["tts_voice"],
        description="Default voice, which `default` means as well: one of the model's, or a cloned "
        "one, by id or name. A model that can use neither speaks with a default of its own.",
    )
    tts_speed: float = Field(
        1.0, ge=0.25, le=4.0, allow_inf_nan=False, description="Default speed of speech."
    )
    os_voice_presets: PresetFile | None = Field(
        None, description="YAML file of voices with their settings, each under a name."
    )
    os_pronunciations: PronunciationFile | None = Field(
        None, description="File that tells how certain words are to be spoken."
    )

    # Models
    os_model_dir: Folder = Field(Path("~/.cache/open-speech"), description="Folder for weights.")
    os_local_models: LocalPaths = Field(
        "",
        description="Folders and files of models of your own, as name=path, commas between them: "
        "local/my-voice=/models/my-voice.onnx.",
    )
    os_data_dir: Folder = Field(
        Path("~/.cache/open-speech/data"),
        description="Folder for voices, environments of providers, and certificates.",
    )
    os_model_ttl: int = Field(
        300, ge=0, le=31_536_000, description="Seconds unused until a model is unloaded; 0 never."
    )
    os_max_loaded_models: int = Field(
        0, ge=0, le=1000, description="Most models loaded at once; 0 is any number."
    )
    os_memory_budget_mb: int = Field(
        0, ge=0, description="Main memory that loaded models may take, in MiB; 0 is no limit."
    )
    os_vram_budget_mb: int = Field(
        0,
        ge=0,
        description="Accelerator memory that they may take, in MiB; 0 is no limit.",
    )
    os_isolation: Isolation = Field(
        "model", description="model: a process for each model; none: all in the server's."
    )
    os_threads: int = Field(
        0, ge=0, le=1024, description="CPU threads for each loaded model; 0 lets the engine choose."
    )
    os_accept_licenses: str = Field(
        "",
        description="Licenses of weights that are accepted, by their names in the list of models, "
        "commas between them.",
    )
    os_options: Options = Field(
        {},
        repr=False,
        description="Settings of one provider: OS_OPTIONS__PROVIDER__NAME, with two underscores.",
    )
    os_allow_any_model: bool = Field(
        default=False, description="Without a key, too, load models that are not in the catalogue."
    )
    os_queue_size: int = Field(
        64, ge=1, le=100_000, description="Requests that may use one model or wait for it."
    )
    os_load_timeout_s: float = Field(
        600, gt=0, le=86_400, description="Seconds after which loading a model has failed."
    )
    os_load_wait_s: float = Field(
        25, ge=0, le=3600, description="Seconds a request waits for its model before it gets a 503."
    )
    os_request_timeout_s: float = Field(
        300, gt=0, le=86_400, description="Seconds without a result after which a model hangs."
    )

    # Limits of requests
    os_max_audio_s: float = Field(
        14_400, ge=1, le=604_800, description="Longest recording, in seconds."
    )
    os_max_text_chars: int = Field(
        100_000, ge=1, le=10_000_000, description="Longest text to speak, in characters."
    )

    # Live streams
    os_stream_chunk_ms: int = Field(
        2000, ge=20, le=60_000, description="Length of a piece of live audio. No effect yet."
    )
    os_stream_vad_threshold: float = Field(
        0.5, ge=0, le=1, description="Probability from which sound is speech. No effect yet."
    )
    os_stream_endpointing_ms: int = Field(
        300, ge=0, le=60_000, description="Silence that ends an utterance. No effect yet."
    )
    os_stream_max_connections: int = Field(
        10, ge=0, le=100_000, description="Live streams at once. No effect yet."
    )

    # Operation
    os_drain_s: float = Field(
        30, ge=0, le=3600, description="Seconds that requests under way get when the server stops."
    )
    os_log_level: LogLevel = Field("info", description="Least serious messages to log.")
    os_log_format: LogFormat = Field("console", description="Form of log lines.")
    hf_endpoint: Annotated[str | None, Must("an address like https://hub.example.org")] = Field(
        None, pattern=r"^https?://\S+$", description="Address of the model hub, if not the usual."
    )
    hf_token: Secret | None = Field(None, description="Token for the model hub.")
    hf_hub_offline: bool = Field(default=False, description="Never contact the model hub.")

    @model_validator(mode="after")
    def _both_files(self) -> Self:
        if (self.os_ssl_certfile is None) != (self.os_ssl_keyfile is None):
            raise ValueError("OS_SSL_CERTFILE and OS_SSL_KEYFILE must be set together.")
        return self

    @property
    def stt_models(self) -> tuple[str, ...]:
        """Speech-to-text models to prepare; the first is the default."""
        return _joined(self.stt_model, self.stt_preload_models)

    @property
    def tts_models(self) -> tuple[str, ...]:
        """Text-to-speech models to prepare; the first is the default."""
        return _joined(self.tts_model, self.tts_preload_models)

    @property
    def local_models(self) -> dict[str, Path]:
        """Folders and files of the operator's own models, by name."""
        return local_paths(self.os_local_models)

    @property
    def accepted_licenses(self) -> tuple[str, ...]:
        """Licences that need not be accepted anew."""
        return listed(self.os_accept_licenses)

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Allowed web origins."""
        return listed(self.os_cors_origins)

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """Networks of proxies that are believed; empty for none."""
        if self.os_trust_proxy == "false":
            return ()
        return PRIVATE_NETWORKS if self.os_trust_proxy == "true" else listed(self.os_trust_proxy)

    @property
    def api_key(self) -> str | None:
        """The key in clear, for comparing."""
        return self.os_api_key.get_secret_value() if self.os_api_key else None

    @property
    def hub_cache(self) -> Path:
        """The user's own cache of the model hub's client; what it holds is not fetched again."""
        home = os.environ.get("HF_HOME") or "~/.cache/huggingface"
        cache = Path(os.environ.get("HF_HUB_CACHE") or f"{home}/hub")
        try:
            return cache.expanduser()
        except RuntimeError:  # this user has no home directory, hence no cache in it
            return cache

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that must never be shown."""
        found = (self.os_api_key, self.hf_token)
        options = (
            str(value)
            for table in self.os_options.values()
            for name, value in table.items()
            if name.endswith(("key", "token", "secret", "password"))
        )
        return (*(secret.get_secret_value() for secret in found if secret), *options)


def _joined(first: str, more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(listed(first) + listed(more)))


def load_settings(**overrides: Any) -> Settings:
    """Read the environment; ConfigurationError names each variable that is wrong.

    ``overrides`` (options of the command) are fields by name and win; None means not given.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except SettingsError:  # only this one may be JSON, and the cause would show it
        message = "OS_OPTIONS is not JSON; set each option as OS_OPTIONS__PROVIDER__NAME."
        raise ConfigurationError(message) from None
    except ValidationError as error:
        from .settings_table import explain

        # The cause would show the values, secrets included.
        raise ConfigurationError("\n".join(explain(error, _environment(), given))) from None


def start_notices() -> list[str]:
    """Lines to log at start about the environment: old names, names nearly right."""
    from .settings_table import notices

    return notices(_environment())


def worker_environment() -> dict[str, str]:
    """What workers inherit: everything but secrets, which no engine needs.

    What is meant for one provider is handed to its own workers alone, in another way.
    """
    secret = {"os_api_key", "stt_api_key", "hf_token", "hugging_face_hub_token"}
    return {
        name: value
        for name, value in os.environ.items()
        if name.lower() not in secret and not name.lower().startswith("os_options")
    }


def _environment() -> dict[str, str]:
    """Variables that are set, by name in lower case."""
    return {name.lower(): value for name, value in os.environ.items() if value}
