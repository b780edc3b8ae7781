from __future__ import annotations

import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from open_speech_server.logs import configure_logging

CANARIES = ("canary-api-key", "canary-hf-token")
NASTY = "a\r\nFORGED\x1b[31mred\x1b[0m\x00\x7f\x85\u2028\u202e\u2066z"


def _logged(form: str = "console", level: str = "info", log=None) -> str:
    stream = io.StringIO()
    configure_logging(level=level, form=form, secrets=CANARIES, stream=stream)
    log()
    return stream.getvalue()


@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.parametrize(
    "log",
    [
        lambda: logging.getLogger("any").warning(NASTY),
        lambda: logging.getLogger("any").warning("name %s", NASTY),
        lambda: logging.getLogger("any").warning("name %s", [NASTY]),
        lambda: logging.getLogger("any").warning("x", extra={"name2": NASTY}),
        lambda: structlog.stdlib.get_logger("ours").warning("x", name2=NASTY),
        lambda: structlog.stdlib.get_logger("ours").warning("x", name2={"k": [NASTY]}),
        lambda: structlog.stdlib.get_logger("ours").warning(NASTY),
    ],
    ids=range(7),
)
def test_control_characters_are_escaped(form, log):
    text = _logged(form, log=log)
    assert "FORGED" in text
    assert text.endswith("\n")
    line = text[:-1]
    assert line.isprintable() or (form == "json" and line.replace("\x7f", "").isprintable())


@pytest.mark.parametrize("form", ["console", "json"])
def test_an_exceptions_text_cannot_start_a_line(form):
    def log() -> None:
        try:
            raise ValueError(NASTY)
        except ValueError:
            logging.getLogger("any").exception("failed")

    text = _logged(form, log=log)
    assert "Traceback" in text
    assert "\x1b" not in text
    assert not any(line.startswith("FORGED") for line in text.splitlines())


@given(st.text())
def test_any_text_stays_on_one_line(text):
    out = _logged("json", log=lambda: logging.getLogger("any").warning("%s", text))
    assert len(out.splitlines()) == 1
    assert json.loads(out)["event"] == text


@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.parametrize(
    "text",
    [
        "the key is canary-api-key!",
        "token=canary-hf-token",
        "GET /v1/x?api_key=canary-other&a=1",
        "GET /v1/x?a=1&api%5Fkey=canary-other",
        "GET /v1/x?API_KEY=canary-other",
        "Authorization: Bearer canary-other",
        "['realtime', 'openai-insecure-api-key.canary-other']",
    ],
)
def test_secrets_are_hidden_whoever_logs_them(form, text):
    def log() -> None:
        logging.getLogger("uvicorn.error").warning(text)
        structlog.stdlib.get_logger("ours").warning("x", said=text)
        try:
            raise ValueError(text)
        except ValueError:
            logging.getLogger("any").exception("failed")

    out = _logged(form, log=log)
    assert "canary" not in out
    assert out.count("***") >= 3


def test_json_lines_have_the_fields_that_collectors_want():
    with structlog.contextvars.bound_contextvars(request_id="abc"):
        out = _logged("json", log=lambda: logging.getLogger("library").warning("hello %d", 7))
    line = json.loads(out)
    assert line["event"] == "hello 7"
    assert (line["level"], line["logger"], line["request_id"]) == ("warning", "library", "abc")
    assert line["timestamp"].endswith("Z")


def test_uvicorns_lines_come_once_and_without_colours():
    extra = {"color_message": "Application \x1b[1mstarted\x1b[0m", "peer": "somebody"}
    text = _logged(log=lambda: logging.getLogger("uvicorn.error").info("started", extra=extra))
    assert "started" in text
    assert "peer=somebody" in text
    assert "color_message" not in text


def test_libraries_stay_quiet_when_we_debug():
    def log() -> None:
        logging.getLogger("open_speech.manager").debug("ours")
        logging.getLogger("open_speech_server.state").debug("ours-too")
        logging.getLogger("python_multipart").debug("canary")
        logging.getLogger("httpx").info("canary")

    out = _logged(level="debug", log=log)
    assert "ours" in out
    assert "ours-too" in out
    assert "canary" not in out


def test_the_level_holds_for_ours_and_for_others():
    def log() -> None:
        for name in ("open_speech", "library"):
            logging.getLogger(name).info("canary")
            logging.getLogger(name).error("seen")
        structlog.stdlib.get_logger("open_speech_server.access").info("canary")

    out = _logged(level="error", log=log)
    assert out.count("seen") == 2
    assert "canary" not in out
