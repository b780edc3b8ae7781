"""``open-speech serve``."""

from __future__ import annotations

from pathlib import Path

import click

_PORT = click.IntRange(0, 65535)
_FOLDER = click.Path(path_type=Path)


@click.command("serve")
@click.option("--host", metavar="ADDRESS", help="Address to listen on (OS_HOST).")
@click.option("--port", metavar="NUMBER", type=_PORT, help="Port to listen on (OS_PORT).")
@click.option("--tls/--no-tls", default=None, help="Serve HTTPS or HTTP (OS_SSL_ENABLED).")
@click.option("--stt-model", metavar="NAMES", help="Speech-to-text models (STT_MODEL).")
@click.option("--tts-model", metavar="NAMES", help="Text-to-speech models (TTS_MODEL).")
@click.option("--tts-voice", metavar="VOICE", help="Default voice (TTS_VOICE).")
@click.option("--stt-device", metavar="DEVICE", help="Device for speech to text (STT_DEVICE).")
@click.option("--tts-device", metavar="DEVICE", help="Device for text to speech (TTS_DEVICE).")
@click.option("--model-dir", type=_FOLDER, help="Folder for model weights (OS_MODEL_DIR).")
@click.option("--data-dir", type=_FOLDER, help="Folder for everything else (OS_DATA_DIR).")
@click.option("--log-level", metavar="LEVEL", help="Minimum log level (OS_LOG_LEVEL).")
@click.option("--log-format", metavar="FORM", help="console or json (OS_LOG_FORMAT).")
def command(
    host: str | None, port: int | None, tls: bool | None,  # noqa: FBT001 - click's way
    log_level: str | None, log_format: str | None, **fields: str | Path | None,
) -> None:  # fmt: skip
    """Start the server.

    Settings come from the environment; the options win over it. A key has no option, since others
    on the machine see a command's options: set OS_API_KEY.
    """
    from ..serve import run
    from ..settings.settings import load_settings

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
