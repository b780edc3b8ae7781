"""``open-speech serve``."""

from __future__ import annotations

from pathlib import Path

import click

_PORT = click.IntRange(0, 65535)
_FOLDER = click.Path(path_type=Path)


@click.command("serve")
@click.option("--host", metavar="ADDRESS", help="Address to listen on, as OS_HOST.")
@click.option("--port", metavar="NUMBER", type=_PORT, help="Port to listen on, as OS_PORT.")
@click.option("--tls/--no-tls", default=None, help="Serve HTTPS or HTTP, as OS_SSL_ENABLED.")
@click.option("--stt-model", metavar="NAMES", help="Models that hear, as STT_MODEL.")
@click.option("--tts-model", metavar="NAMES", help="Models that speak, as TTS_MODEL.")
@click.option("--tts-voice", metavar="VOICE", help="Default voice, as TTS_VOICE.")
@click.option("--stt-device", metavar="DEVICE", help="Where models hear, as STT_DEVICE.")
@click.option("--tts-device", metavar="DEVICE", help="Where models speak, as TTS_DEVICE.")
@click.option("--model-dir", type=_FOLDER, help="Folder for weights, as OS_MODEL_DIR.")
@click.option("--data-dir", type=_FOLDER, help="Folder for all else, as OS_DATA_DIR.")
@click.option("--log-level", metavar="LEVEL", help="Least serious messages, as OS_LOG_LEVEL.")
@click.option("--log-format", metavar="FORM", help="console or json, as OS_LOG_FORMAT.")
def command(
    host: str | None, port: int | None, tls: bool | None,  # noqa: FBT001 - click's way
    log_level: str | None, log_format: str | None, **fields: str | Path | None,
) -> None:  # fmt: skip
    """Serve HTTP until a signal comes.

    Settings come from the environment; the options win over it. A key has no option, since others
    on the machine see a command's options: set OS_API_KEY.
    """
    from ..serve import run
    from ..settings import load_settings

    settings = load_settings(
        os_host=host,
        os_port=port,
        os_ssl_enabled=tls,
        os_model_dir=fields.pop("model_dir"),
        os_data_dir=fields.pop("data_dir"),
        os_log_level=log_level,
        os_log_format=log_format,
        **fields,
    )
    run(settings)
