"""Names of servers before a path, and errors on their way out."""

from __future__ import annotations

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse

from open_speech_server.api.errors import error_response
from open_speech_server.middleware.compat import CompatMiddleware

pytestmark = pytest.mark.asyncio


async def app(scope, receive, send):
    """Answers with what it sees, or with an error."""
    path = scope["path"]
    if path == "/error":
        response = error_response(404, "Not here.", code="not_found")
    elif path == "/streamed":
        parts = (part for part in (b'{"error": {"message"', b': "a", "code": "b"}}'))
        response = StreamingResponse(_each(parts), 400, media_type="application/json")
    elif path == "/list":
        response = JSONResponse(["no error of ours"], 500)
    elif path == "/text":
        response = PlainTextResponse("no JSON", 500)
    else:
        raw = scope["raw_path"].decode()
        state = scope.get("state", {})
        response = JSONResponse({"path": path, "raw": raw, "server": state.get("compat")})
    await response(scope, receive, send)


async def _each(parts):
    for part in parts:
        yield part


def reshape(name, status, error):
    return status + 10, {"detail": error["message"], "by": name}


def client(root=None):
    wrapped = CompatMiddleware(app, names=("other",), root=root, reshape=reshape)
    return httpx.AsyncClient(transport=httpx.ASGITransport(wrapped), base_url="http://here")


@pytest.mark.parametrize(
    ("root", "path", "seen", "server"),
    [
        (None, "/other/v1/models", "/v1/models", "other"),
        (None, "/other/a%2Fb", "/a/b", "other"),
        (None, "/v1/models", "/v1/models", None),
        (None, "/other", "/other", None),
        (None, "/others/v1", "/others/v1", None),
        (None, "/oth%65r/v1", "/other/v1", None),
        ("other", "/v1/models", "/v1/models", "other"),
        ("other", "/open-speech/v1/models", "/v1/models", None),
    ],
)
async def test_the_name_is_taken_off_the_path(root, path, seen, server):
    async with client(root) as found:
        answer = (await found.get(path)).json()
    assert (answer["path"], answer["server"]) == (seen, server)


@pytest.mark.parametrize(("path", "status"), [("/error", 414), ("/streamed", 410)])
async def test_errors_are_reshaped(path, status):
    async with client() as found:
        answer = await found.get(f"/other{path}")
        assert answer.status_code == status
        assert set(answer.json()) == {"detail", "by"}
        assert answer.headers["content-length"] == str(len(answer.content))
        assert "error" in (await found.get(path)).json()


@pytest.mark.parametrize("path", ["/list", "/text"])
async def test_what_is_no_error_of_ours_stays(path):
    async with client() as found:
        there, here = await found.get(f"/other{path}"), await found.get(path)
    assert (there.status_code, there.content) == (here.status_code, here.content)
