"""Log lines: for people or as JSON, one record on one line, and no secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

_HIDDEN = "***"
_SHORTEST_SECRET = 6
"""A shorter key cannot be searched for without hiding ordinary words."""

_CONTROL = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (
        *range(32),
        *range(127, 160),
        *range(0x200E, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
    )
}
"""Characters that could forge a line, colour a terminal or turn text around."""

_CREDENTIALS = re.compile(
    r"((?:api(?:_|%5f)key=)|(?:bearer\s+)|(?:openai-insecure-api-key\.))[^\s&\"',;]+",
    re.IGNORECASE,
)


def configure_logging(
    *,
    level: str = "info",
    form: str = "console",
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Send the logs of this process, ours and every library's, to ``stream`` (standard error).

    Our loggers get ``level``; libraries stay at info or above, since some of them log what they
    are sent when they debug.
    """
    output = stream or sys.stderr
    handler = logging.StreamHandler(output)
    handler.setFormatter(_formatter(form, secrets, colors=output.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    wanted = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(max(wanted, logging.INFO))
    for name in ("open_speech", "open_speech_server"):
        logging.getLogger(name).setLevel(wanted)
    for name in ("httpx", "httpcore", "huggingface_hub", "filelock"):
        logging.getLogger(name).setLevel(max(wanted, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_colors,
    ]


def _without_colors(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Drop uvicorn's second, coloured copy of its message."""
    event.pop("color_message", None)
    return event


class _SafeFormatter(structlog.stdlib.ProcessorFormatter):
    """Hides credentials in the finished line, whoever logged it."""

    secrets: tuple[str, ...] = ()

    def format(self, record: logging.LogRecord) -> str:
        line = _CREDENTIALS.sub(rf"\1{_HIDDEN}", super().format(record))
        for secret in self.secrets:
            line = line.replace(secret, _HIDDEN)
        return line


def _formatter(form: str, secrets: Iterable[str], *, colors: bool) -> logging.Formatter:
    render: list[Processor]
    if form == "json":
        render = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    else:
        render = [
            structlog.processors.format_exc_info,
            escape_control,
            structlog.dev.ConsoleRenderer(colors=colors),
        ]
    formatter = _SafeFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_shared()],
    )
    formatter.secrets = tuple(one for one in secrets if len(one) >= _SHORTEST_SECRET)
    return formatter


def escape_control(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape control characters in all texts; lines of a traceback are kept, and indented."""
    for key, value in event.items():
        if key == "exception" and isinstance(value, str):
            lines = (line.translate(_CONTROL) for line in value.splitlines())
            event[key] = "\n".join(f"    {line}" for line in lines)
        elif isinstance(value, str):
            event[key] = value.translate(_CONTROL)
    return event
