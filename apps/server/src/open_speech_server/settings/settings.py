"""What the operator decides: the only module that reads the environment.

A field is named as its variable, in lower case, so that ``settings.os_port`` and ``OS_PORT`` are
found by one search. An empty variable counts as one that is not set.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AliasChoices, AliasGenerator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from .compat import COMPAT, SSML, VOICE_TAGS, translate
from .types import (
    CompatAllow,
    CompatName,
    Device,
    Folder,
    Isolation,
    LocalPaths,
    LogFormat,
    LogLevel,
    ModelAliases,
    ModelNames,
    Must,
    Name,
    Networks,
    Options,
    Origins,
    PresetFile,
    PronunciationFile,
    Proxies,
    Secret,
    UnsupportedOptions,
    listed,
    local_paths,
    model_aliases,
    unquoted,
)

KNOWN: dict[str, Any] = tomllib.loads(
    resources.files("open_speech_server").joinpath("known.toml").read_text(encoding="utf-8")
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
LOCAL_NETWORKS = (*PRIVATE_NETWORKS, "169.254.0.0/16")
"""Whoever is in the same house."""


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
    os_port: int = Field(8100, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    os_host: Name = Field("0.0.0.0", description="Address to listen on.")  # noqa: S104 - warned of
    os_api_key: Secret | None = Field(
        None, description="API key that clients must send; empty for none."
    )
    os_cors_origins: Origins = Field(
        "*", description="Allowed CORS origins, separated by commas; * allows all."
    )
    os_trust_proxy: Proxies = Field(
        "false",
        description="Networks of reverse proxies to trust for X-Forwarded-For and "
        "X-Forwarded-Proto; true means all private networks.",
    )
    os_max_upload_mb: int = Field(100, ge=1, le=10240, description="Maximum upload size, in MiB.")
    os_max_connections: int = Field(
        1000, ge=1, le=1_000_000, description="Maximum number of open connections."
    )
    os_wyoming_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port for Home Assistant (Wyoming protocol), usually 10400; 0 turns it off.",
    )
    os_wyoming_networks: Networks = Field(
        ",".join(LOCAL_NETWORKS),
        description="Networks whose machines may use that port, which has no key.",
    )
    os_allowed_hosts: str = Field(
        "",
        description="Host names that requests may use, separated by commas; * allows all. Empty "
        "means all, but for a server without an API key on a loopback address: only its own.",
    )
    os_compat: CompatName | None = Field(
        None,
        description="Stand in for another server: its paths, errors, port and settings.",
    )
    os_compat_allow: CompatAllow = Field(
        f"{VOICE_TAGS},{SSML}",
        description="What the API of that server may do, separated by commas.",
    )
    os_compat_keep_alive_s: float | None = Field(
        None,
        ge=-1,
        le=31_536_000,
        description="Seconds that a model stays loaded after a request to that API; 0 for not at "
        "all, -1 for ever. Empty leaves it to OS_MODEL_TTL.",
    )
    os_rate_limit: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Maximum requests per minute and client address; 0 for no limit.",
    )
    os_rate_limit_burst: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="Maximum burst of requests; 0 means a whole minute's worth.",
    )
    os_public_metadata: bool = Field(
        default=False, description="List models and voices without an API key."
    )

    # TLS
    os_ssl_enabled: bool = Field(default=True, description="Serve HTTPS.")
    os_ssl_certfile: Folder | None = Field(
        None, description="TLS certificate (PEM); empty creates a self-signed one."
    )
    os_ssl_keyfile: Folder | None = Field(
        None, description="Private key (PEM) of the TLS certificate."
    )

    # Speech to text
    stt_model: ModelNames = Field(
        KNOWN["defaults"]["stt_model"],
        description="Speech-to-text models to load at startup, separated by commas; the first is "
        "the default.",
    )
    stt_preload_models: str = Field("", description="Deprecated: more models for STT_MODEL.")
    stt_device: Device = Field("cpu", description="Device for these models: cpu, cuda or cuda:N.")
    stt_compute_type: Name = Field(
        "int8", description="Number format of the weights, such as int8, float16 or int8_float16."
    )

    # Text to speech
    tts_model: ModelNames = Field(
        KNOWN["defaults"]["tts_model"],
        description="Text-to-speech models to load at startup, separated by commas; the first is "
        "the default.",
    )
    tts_preload_models: str = Field("", description="Deprecated: more models for TTS_MODEL.")
    tts_device: Device = Field("cpu", description="Device for these models: cpu, cuda or cuda:N.")
    tts_voice: Name = Field(
        KNOWN["defaults"]["tts_voice"],
        description="Default voice: a voice of the model, or the id or name of a cloned voice. A "
        "model without that voice uses its own default.",
    )
    tts_speed: float = Field(
        1.0,
        ge=0.25,
        le=4.0,
        allow_inf_nan=False,
        description="Default speed of speech; 1 is the voice's natural pace.",
    )
    tts_even_loudness: bool = Field(
        default=True,
        description="Even out the loudness of a model's voices, where it was measured.",
    )
    os_voice_presets: PresetFile | None = Field(
        None, description="YAML file with voice presets: a voice and its settings under a name."
    )
    os_pronunciations: PronunciationFile | None = Field(
        None, description="File with pronunciations of words."
    )

    # Models
    os_model_dir: Folder = Field(
        Path("~/.cache/open-speech"), description="Folder for model weights."
    )
    os_local_models: LocalPaths = Field(
        "",
        description="Your own models, as name=path, separated by commas: "
        "local/my-voice=/models/my-voice.onnx.",
    )
    os_preload: bool = Field(
        default=True,
        description="Load the configured models at startup; false loads each with its first "
        "request.",
    )
    os_model_aliases: ModelAliases = Field(
        "",
        description="Further names of models, as name=model, separated by commas: "
        "tts-1=local/my-voice.",
    )
    os_download_models: str = Field(
        "",
        description="Models to download at startup without loading them, separated by commas.",
    )
    os_data_dir: Folder = Field(
        Path("~/.cache/open-speech/data"),
        description="Folder for cloned voices, provider environments and certificates.",
    )
    os_model_ttl: int = Field(
        300,
        ge=0,
        le=31_536_000,
        description="Unload a model after this many idle seconds; 0 for never.",
    )
    os_max_loaded_models: int = Field(
        0, ge=0, le=1000, description="Maximum number of loaded models; 0 for no limit."
    )
    os_memory_budget_mb: int = Field(
        0, ge=0, description="Memory budget of loaded models, in MiB; 0 for no limit."
    )
    os_vram_budget_mb: int = Field(
        0,
        ge=0,
        description="GPU memory budget of loaded models, in MiB; 0 for no limit.",
    )
    os_isolation: Isolation = Field(
        "model",
        description="model: one process per model; none: load models into the server process.",
    )
    os_threads: int = Field(
        0, ge=0, le=1024, description="CPU threads per loaded model; 0 lets the engine choose."
    )
    os_accept_licenses: str = Field(
        "",
        description="Accepted licenses of weights, as the list of models names them, separated by "
        "commas.",
    )
    os_options: Options = Field(
        {},
        repr=False,
        description="Options of a provider: OS_OPTIONS__PROVIDER__NAME, with two underscores.",
    )
    os_allow_any_model: bool = Field(
        default=False, description="Load models outside the catalogue even without an API key."
    )
    os_queue_size: int = Field(
        64, ge=1, le=100_000, description="Maximum requests that use a model or wait for it."
    )
    os_load_timeout_s: float = Field(
        600, gt=0, le=86_400, description="Give up loading a model after this many seconds."
    )
    os_load_wait_s: float = Field(
        25,
        ge=0,
        le=3600,
        description="Answer 503 when a model is not loaded after this many seconds.",
    )
    os_request_timeout_s: float = Field(
        300, gt=0, le=86_400, description="Stop a worker after this many seconds without output."
    )

    # Limits of requests
    os_max_audio_s: float = Field(
        14_400, ge=1, le=604_800, description="Maximum length of a recording, in seconds."
    )
    os_unsupported_options: UnsupportedOptions = Field(
        "ignore",
        description="ignore: leave out options that a model lacks, such as a seed, and name them "
        "in a response header; refuse: answer 400.",
    )
    os_max_text_chars: int = Field(
        100_000,
        ge=1,
        le=10_000_000,
        description="Maximum length of a text to speak, in characters.",
    )

    diarization_model: Name | None = Field(
        None, description="Model that tells speakers apart; empty takes the one installed."
    )

    # Live sessions
    vad_model: Name | None = Field(
        None, description="Model that detects voice activity; empty takes the one installed."
    )
    turn_model: Name | None = Field(
        None, description="Model that detects the end of a turn; empty takes the one installed."
    )
    os_stream_chunk_ms: int = Field(
        2000, ge=20, le=60_000, description="Longest time between two interim results."
    )
    os_stream_vad_threshold: float = Field(
        0.5, ge=0, le=1, description="Probability above which audio counts as speech."
    )
    os_stream_endpointing_ms: int = Field(
        300, ge=0, le=60_000, description="Silence that ends an utterance."
    )
    os_stream_max_connections: int = Field(
        10, ge=0, le=100_000, description="Maximum number of live sessions."
    )
    os_stream_max_per_client: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Maximum number of live sessions per client address; 0 for no limit.",
    )
    os_stream_max_s: float = Field(
        14_400, ge=1, le=604_800, description="Maximum length of a live session, in seconds."
    )
    os_stream_idle_s: float = Field(
        900,
        ge=1,
        le=604_800,
        description="End a live session in which nothing was said for so many seconds.",
    )
    os_llm_base_url: Annotated[str | None, Must("an address like http://localhost:11434/v1")] = (
        Field(
            None,
            pattern=r"^https?://\S+$",
            description="URL of an OpenAI-compatible chat API that answers in voice conversations.",
        )
    )
    os_llm_model: Name | None = Field(None, description="Model of that chat API.")
    os_llm_api_key: Secret | None = Field(None, description="API key for that chat API.")

    # Operation
    os_drain_s: float = Field(
        30, ge=0, le=3600, description="Seconds that running requests get to finish at shutdown."
    )
    os_log_level: LogLevel = Field("info", description="Minimum log level.")
    os_log_format: LogFormat = Field("console", description="Format of log lines.")
    hf_endpoint: Annotated[str | None, Must("an address like https://hub.example.org")] = Field(
        None, pattern=r"^https?://\S+$", description="URL of the model hub; empty for the default."
    )
    hf_token: Secret | None = Field(None, description="Access token for the model hub.")
    hf_hub_offline: bool = Field(default=False, description="Never contact the model hub.")

    @model_validator(mode="before")
    @classmethod
    def _without_quotes(cls, given: Any) -> Any:
        """Quotes around a value are how files write it, not part of it; empty ones set nothing."""
        plain = {
            name: unquoted(value) if isinstance(value, str) else value
            for name, value in given.items()
        }
        return {name: value for name, value in plain.items() if value != "" or given[name] == ""}

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
    def model_aliases(self) -> dict[str, str]:
        """Models by the further names that the operator gives them."""
        return model_aliases(self.os_model_aliases)

    @property
    def downloaded_models(self) -> tuple[str, ...]:
        """Models to have on disk."""
        return listed(self.os_download_models)

    @property
    def accepted_licenses(self) -> tuple[str, ...]:
        """Licences that need not be accepted anew."""
        return listed(self.os_accept_licenses)

    @property
    def cors_origins(self) -> tuple[str, ...]:
        """Allowed web origins."""
        return listed(self.os_cors_origins)

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Host names that requests may use; empty leaves it to the address listened on."""
        return listed(self.os_allowed_hosts)

    @property
    def compat_allowed(self) -> tuple[str, ...]:
        """Words of ``compat.ALLOWABLE``."""
        return listed(self.os_compat_allow)

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """Networks of proxies that are believed; empty for none."""
        if self.os_trust_proxy == "false":
            return ()
        return PRIVATE_NETWORKS if self.os_trust_proxy == "true" else listed(self.os_trust_proxy)

    @property
    def wyoming_networks(self) -> tuple[str, ...]:
        """Networks that may use the Wyoming port."""
        return listed(self.os_wyoming_networks)

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
        found = (self.os_api_key, self.hf_token, self.os_llm_api_key)
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
    given = {**_translated(given), **given}
    try:
        return Settings(**given)
    except SettingsError:  # only this one may be JSON, and the cause would show it
        message = "OS_OPTIONS is not JSON; set each option as OS_OPTIONS__PROVIDER__NAME."
        raise ConfigurationError(message) from None
    except ValidationError as error:
        from .table import explain

        # The cause would show the values, secrets included.
        raise ConfigurationError("\n".join(explain(error, set_variables(), given))) from None


def _translated(given: Mapping[str, Any]) -> dict[str, str]:
    """What variables of another server mean that this one stands in for; our own names win."""
    environment = set_variables()
    server = str(given.get("os_compat") or environment.get("os_compat", "")).strip().lower()
    if server not in COMPAT:
        return {}
    found = translate(server, environment).settings
    return {name: value for name, value in found.items() if name not in environment}


def start_notices() -> list[str]:
    """Lines to log at start about the environment: old names, names nearly right."""
    from .table import notices

    return notices(set_variables())


def worker_environment() -> dict[str, str]:
    """What workers inherit: everything but secrets, which no engine needs.

    What is meant for one provider is handed to its own workers alone, in another way.
    """
    secret = {
        "os_api_key",
        "stt_api_key",
        "hf_token",
        "hugging_face_hub_token",
        "os_llm_api_key",
    }
    return {
        name: value
        for name, value in os.environ.items()
        if name.lower() not in secret and not name.lower().startswith("os_options")
    }


def set_variables() -> dict[str, str]:
    """Variables that are set, by name in lower case."""
    return {name.lower(): value for name, value in os.environ.items() if value}
