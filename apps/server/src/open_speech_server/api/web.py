"""The web page: what the browser asks, and the browser's description of the API, from the wheel.

Pages and what they consist of are read once, on first use. Everything but the pages lies below an
address with a digest of it all, so that browsers may keep it for ever, and a new version has new
addresses. The pages hold no secrets: where a key is set, they are served without it, and their
scripts send it with what they ask.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from ..middleware.auth import PUBLIC_PATHS

router = APIRouter(include_in_schema=False)
PAGES = {"/web": "index.html", "/docs": "docs.html"}
"""Addresses of pages, and their files."""
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "media-src 'self' blob:; img-src 'self' data:; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Nothing but our own files runs or is fetched, and no other page may frame these."""
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_IMPORT = re.compile(rb'^import .* from "\./([^"]+)";$', re.MULTILINE)
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file as it is sent."""

    body: bytes
    media_type: str
    etag: str


@cache
def assets() -> Mapping[str, Asset]:
    """Every file by its address, pages included."""
    folder = files("open_speech_server").joinpath("web")
    found = {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.name.endswith(tuple(_TYPES))
    }
    whole = hashlib.sha256()
    for name in sorted(found):
        whole.update(f"{name}\0{len(found[name])}\0".encode() + found[name])
    base = f"/web/{whole.hexdigest()[:16]}"
    named = {
        f"{base}/{name}": _asset(name, body)
        for name, body in found.items()
        if name not in PAGES.values()
    }
    links = "\n".join(
        f'<link rel="modulepreload" href="@base@/{name}">' for name in _imported(found, "app.js")
    )
    fill = {"@modules@": links, "@base@": base[1:]}
    pages = {path: _asset(name, _filled(found[name], fill)) for path, name in PAGES.items()}
    return {**named, **pages}


SLASHED_PATHS = frozenset({"/web/"})
"""What leads to the page without its slash, from which its links are reckoned."""


def public_paths() -> frozenset[str]:
    """What is open without a key: the health checks, and every address of the pages."""
    return PUBLIC_PATHS | {"/", *SLASHED_PATHS, *assets()}


@router.api_route("/", methods=["GET", "HEAD"])
async def to_the_page() -> Response:
    """Lead people who type the bare address to the page."""
    return RedirectResponse("web", 307, {"Cache-Control": _ASK_AGAIN})


@router.api_route("/docs", methods=["GET", "HEAD"])
@router.api_route("/web", methods=["GET", "HEAD"])
@router.api_route("/web/{_:path}", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    """A page or a part of one; 304 where the browser has it already."""
    address = request.scope["path"]
    if address in SLASHED_PATHS:
        return RedirectResponse("../web", 307, {"Cache-Control": _ASK_AGAIN})
    asset = assets().get(address)
    if asset is None:
        raise HTTPException(404, f"There is no page at {address[:200]!r}.")
    headers = {
        **SECURITY,
        "ETag": asset.etag,
        "Cache-Control": _ASK_AGAIN if address in PAGES else _FOR_EVER,
    }
    given = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if asset.etag in [tag.removeprefix("W/") for tag in given]:
        return Response(status_code=304, headers=headers)
    return Response(asset.body, 200, headers, asset.media_type)


def _imported(files: Mapping[str, bytes], name: str) -> list[str]:
    """A module and all that it imports before it can run, the first ones first."""
    names = [name]
    for each in names:
        imported = (match.decode() for match in _IMPORT.findall(files[each]))
        names += [other for other in dict.fromkeys(imported) if other not in names]
    return names


def _filled(page: bytes, values: Mapping[str, str]) -> bytes:
    for mark, value in values.items():
        page = page.replace(mark.encode(), value.encode())
    return page


def _asset(name: str, body: bytes) -> Asset:
    digest = hashlib.sha256(body).hexdigest()[:32]
    kind = name[name.rindex(".") :]
    return Asset(body=body, media_type=_TYPES[kind], etag=f'"{digest}"')
