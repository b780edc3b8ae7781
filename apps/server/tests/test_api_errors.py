from __future__ import annotations

import inspect
import json
import re

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from open_speech import errors as core
from open_speech_server.api.errors import (
    PARAMS,
    STATUS,
    WHERE,
    core_error_response,
    error_response,
    has_body,
    install_error_handlers,
    validation_sentence,
)


def _tree(kind: type[core.OpenSpeechError]) -> list[type[core.OpenSpeechError]]:
    return [kind, *(below for sub in kind.__subclasses__() for below in _tree(sub))]


ALL = [kind for kind in _tree(core.OpenSpeechError) if kind.__module__ == core.__name__]


def test_every_error_of_core_has_a_status():
    declared = {
        kind
        for _, kind in inspect.getmembers(core, inspect.isclass)
        if issubclass(kind, core.OpenSpeechError)
    }
    assert declared == set(ALL) == set(STATUS)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_shape_and_status(kind):
    response = core_error_response(kind("It went wrong.", param="model", hint="Do this."))
    error = json.loads(response.body)["error"]
    assert response.status_code == STATUS[kind]
    assert set(error) == {"message", "type", "param", "code"}
    where = [WHERE[kind]] if kind in WHERE else []
    assert error["message"] == " ".join(["It went wrong. Do this.", *where])
    assert (error["param"], error["code"]) == ("model", kind.code)
    assert error["type"] == ("server_error" if STATUS[kind] >= 500 else "invalid_request_error")
    if STATUS[kind] == 503:
        assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(("field", "name"), [*PARAMS.items(), ("voice", "voice")])
def test_fields_of_core_have_the_name_that_clients_send(field, name):
    error = core.UnsupportedCapability(f"It cannot do what {field!r} needs.", param=field)
    answer = json.loads(core_error_response(error).body)["error"]
    assert (answer["param"], answer["message"]) == (name, f"It cannot do what {name!r} needs.")


def test_routes_that_errors_name_exist():
    from open_speech_server.app import create_api
    from open_speech_server.settings.settings import load_settings

    paths = set(create_api(load_settings()).openapi()["paths"])
    named = {path for where in WHERE.values() for path in re.findall(r"GET (/\S+)", where)}
    assert named
    assert named <= paths


def test_the_statuses_that_clients_rely_on():
    assert STATUS[core.ModelNotFound] == 404
    assert STATUS[core.UnknownVoice] == 400
    assert STATUS[core.AudioTooLong] == 413
    assert STATUS[core.Busy] == 503
    assert STATUS[core.InvalidResult] == 502
    assert STATUS[core.DeadlineExceeded] == 504


def test_an_unknown_subclass_is_answered_like_its_parent():
    class Surprise(core.Busy):
        pass

    assert core_error_response(Surprise("x")).status_code == 503


def test_retry_after_is_rounded_up_and_the_detail_stays_inside():
    response = core_error_response(core.Busy("Full.", retry_after=2.1, detail="canary-detail"))
    assert response.headers["Retry-After"] == "3"
    assert b"canary" not in response.body


def test_a_lone_surrogate_in_a_message_is_shown_escaped():
    assert b"\\\\ud800" in error_response(400, "The voice '\ud800' is not known.").body


def test_429_has_its_own_type():
    body = json.loads(error_response(429, "Slow down.", code="rate_limit_exceeded").body)
    assert body["error"]["type"] == "rate_limit_error"


async def test_unknown_route_and_method(client):
    async with client() as web:
        missing = await web.get("/v1/nothing")
        wrong = await web.delete("/v1/models")
    assert missing.status_code == 404
    assert missing.json()["error"]["message"] == "There is no GET /v1/nothing."
    assert wrong.status_code == 405
    assert wrong.headers["allow"]
    assert wrong.json()["error"]["code"] == "method_not_allowed"


async def test_a_crash_names_the_request_and_nothing_else(client):
    async with client() as web:
        response = await web.get("/boom", headers={"X-Request-Id": "abc", "Origin": "http://x"})
    assert response.status_code == 500
    assert "abc" in response.json()["error"]["message"]
    assert "canary" not in response.text
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        (b'{"speed": 1}', "model", "'model' is required"),
        (b'{"model": "m", "speed": 9}', "speed", "less than or equal to 4"),
        (b'{"model": "m", "speed": "canary"}', "speed", "valid number"),
        (b'{"model": {"canary": 1}}', "model", "valid string"),
        (b"{canary", None, "not valid JSON"),
        (b"", None, "body is required"),
        (b'["canary"]', None, "The body must be a JSON object"),
    ],
)
async def test_a_bad_parameter_is_a_400_that_names_it(client, body, param, words):
    async with client() as web:
        response = await web.post(
            "/v1/speech", content=body, headers={"Content-Type": "application/json"}
        )
    error = response.json()["error"]
    assert response.status_code == 400
    assert error["param"] == param
    assert words in error["message"]
    assert "canary" not in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "m", "speed": NaN}',
        b'{"model": "m", "speed": Infinity}',
        b'{"model": "m", "speed": 1e309}',
        b'{"model": "m", "speed": -1e309}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"\xff\xfe\x00",
        b"9" * 10_000,
        b"NaN",
    ],
    ids=range(10),
)
async def test_hostile_json_is_a_400(client, body):
    async with client() as web:
        response = await web.post(
            "/v1/speech", content=body, headers={"Content-Type": "application/json"}
        )
    assert response.status_code == 400
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


async def test_duplicate_keys_are_one_value(client):
    async with client() as web:
        response = await web.post(
            "/v1/speech",
            content=b'{"model": "m", "speed": 99, "speed": 2}',
            headers={"Content-Type": "application/json"},
        )
    assert response.json() == {"speed": 2.0}


@given(
    loc=st.lists(st.text() | st.integers(), max_size=4),
    msg=st.text(max_size=200),
    kind=st.sampled_from(["missing", "value_error", "union_tag_invalid", "json_invalid"]),
)
def test_a_sentence_is_made_of_any_validation_error(loc, msg, kind):
    message, param = validation_sentence([{"type": kind, "loc": ("body", *loc), "msg": msg}])
    assert message.endswith(".")
    assert param is None or (param.isprintable() and len(param) <= 64)


def test_has_body():
    assert not has_body({"headers": []})
    assert not has_body({"headers": [(b"content-length", b"0")]})
    assert has_body({"headers": [(b"content-length", b"1")]})
    assert has_body({"headers": [(b"transfer-encoding", b"chunked")]})


def test_handlers_alone_do_without_the_layers():
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/busy")
    async def busy() -> None:
        raise core.Busy("The queue is full.", retry_after=7)

    response = TestClient(app).get("/busy")
    assert (response.status_code, response.headers["retry-after"]) == (503, "7")
