"""The only module that talks to a hub.

huggingface-hub (1.x on httpx, 2.x on httpx2: the same calls here) gives the HTTP session with the
user's proxies and certificates, the addresses of files, the parsing of a repository's description,
the rules for repository names and the reading of its error codes. Three things are done here
instead, because measured and read in its source:

- Bytes. Its download begins again after a killed process, does not retry a 5xx answer, accepts
  wrong bytes of the right length, and cannot be cancelled. So a file is opened here from any
  offset, and ``_fetch`` does the rest.
- Sending the request for a description. Its session follows redirects to any host; here each
  redirect is looked at first.
- Headers. Building them with the client's own function asks the public hub for a list of program
  names, whatever endpoint is configured.

Everything is asynchronous on a private event loop, so that cancelling works at every point.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote, urljoin

from huggingface_hub import constants, get_async_session, hf_hub_url, hf_raise_for_status
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo as HubModelInfo
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from .._version import __version__
from ..errors import AccessDenied, DownloadFailed, ModelNotFound, Offline, OpenSpeechError
from ._policy import DownloadPolicy
from ._records import FileEntry
from ._redirects import check_redirect, origin
from ._retry import BadRange, TryAgain

if TYPE_CHECKING:
    from httpx2 import Response

_TransportError: type[Exception] = HfHubHTTPError.__bases__[0]
"""Base of all errors of the client's HTTP library, whichever that is."""
_MAX_REDIRECTS = 5
_MAX_DESCRIPTION_BYTES = 64 << 20
_RETRIABLE = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A repository at one commit."""

    commit: str
    files: tuple[FileEntry, ...]


class Body:
    """The bytes of a file as they arrive, from ``start`` on."""

    def __init__(self, response: Response, start: int, policy: DownloadPolicy) -> None:
        self._response = response
        self._policy = policy
        self.start = start
        """Where it begins: 0 also when the hub did not heed the offset that was asked for."""
        etag = response.headers.get("X-Linked-Etag") or response.headers.get("ETag") or ""
        self.digest = etag.removeprefix("W/").strip('"')
        """What the hub says the content hashes to; another kind of name at some mirrors."""

    async def blocks(self) -> AsyncIterator[bytes]:
        """Blocks of any size, the moment they are here; TryAgain when the stream breaks."""
        arriving = self._response.aiter_raw()
        clock = asyncio.get_running_loop()
        deadline = clock.time() + self._policy.stall_s
        counted = 0
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    block = await anext(arriving)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise TryAgain(f"the stream stalled for {self._policy.stall_s:g} s") from error
            counted += len(block)
            if counted >= self._policy.stall_bytes:
                counted, deadline = 0, clock.time() + self._policy.stall_s
            yield block


class Hub:
    """One connection to a hub: ``async with``, on one event loop."""

    def __init__(
        self,
        *,
        endpoint: str | None,
        token: str | None,
        policy: DownloadPolicy,
        file_hosts: Collection[str] = (),
    ) -> None:
        self.endpoint = (endpoint or str(constants.ENDPOINT)).rstrip("/")
        self._home = origin(self.endpoint)
        self._token = token
        self._policy = policy
        self._file_hosts = frozenset(file_hosts)
        self._client = get_async_session()

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def list(self, repo_id: str, revision: str | None) -> Listing:
        """The files of a repository at a revision (None: its newest), with their checksums."""
        try:
            validate_repo_id(repo_id)
        except HFValidationError as error:
            raise ModelNotFound(f"{repo_id[:96]!a} cannot be the name of a repository.") from error
        url = f"{self.endpoint}/api/models/{repo_id}"
        if revision is not None:
            url += f"/revision/{quote(revision, safe='')}"
        async with self._get(f"{url}?blobs=true", {}, bytes_of_file=False) as response:
            self._raise_for_status(response, repo_id, revision)
            text = bytearray()
            async for block in Body(response, 0, self._policy).blocks():
                text += block
                if len(text) > _MAX_DESCRIPTION_BYTES:
                    raise DownloadFailed(f"The hub's description of {repo_id} does not end.")
        return _parse(repo_id, text)

    @asynccontextmanager
    async def open(self, repo_id: str, commit: str, path: str, start: int) -> AsyncIterator[Body]:
        """Ask for a file from byte ``start`` on."""
        url = hf_hub_url(repo_id, path, revision=commit, endpoint=self.endpoint)
        extra = {"Range": f"bytes={start}-"} if start else {}
        async with self._get(url, extra, bytes_of_file=True) as response:
            if response.status_code == 416:
                raise BadRange(f"the hub's {path} is shorter than expected")
            self._raise_for_status(response, repo_id, commit)
            heeded = response.status_code == 206 and response.headers.get(
                "Content-Range", ""
            ).startswith(f"bytes {start}-")
            yield Body(response, start if heeded else 0, self._policy)

    @asynccontextmanager
    async def _get(
        self, url: str, extra: Mapping[str, str], *, bytes_of_file: bool
    ) -> AsyncIterator[Response]:
        """The answer to a GET, its body unread. TryAgain for whatever may pass."""
        async with AsyncExitStack() as stack:
            with _translated():
                for _ in range(_MAX_REDIRECTS + 1):
                    response = await self._send(url, extra)
                    stack.push_async_callback(response.aclose)
                    location = response.headers.get("Location")
                    if response.status_code not in {301, 302, 303, 307, 308} or not location:
                        break
                    url = urljoin(url, location)
                    await check_redirect(
                        self.endpoint, url, bytes_of_file=bytes_of_file, allowed=self._file_hosts
                    )
                else:
                    raise TryAgain(f"the hub redirected more than {_MAX_REDIRECTS} times")
                if response.status_code in _RETRIABLE:
                    raise TryAgain(
                        f"the hub answered {response.status_code}", _retry_after(response)
                    )
                if response.headers.get("Content-Encoding", "identity") != "identity":
                    raise TryAgain("the hub compressed its answer, which was not asked for")
                yield response

    async def _send(self, url: str, extra: Mapping[str, str]) -> Response:
        headers = {
            "Accept-Encoding": "identity",
            "User-Agent": f"open-speech/{__version__}",
            **extra,
        }
        if self._token is not None and origin(url) == self._home:
            headers["Authorization"] = f"Bearer {self._token}"
        patience = self._policy
        request = self._client.build_request(
            "GET", url, headers=headers, timeout=(patience.connect_s, None, None, None)
        )
        try:
            async with asyncio.timeout(patience.stall_s):
                return await self._client.send(request, stream=True, follow_redirects=False)
        except TimeoutError as error:
            raise TryAgain(f"the hub did not answer for {patience.stall_s:g} s") from error

    def _raise_for_status(self, response: Response, repo_id: str, revision: str | None) -> None:
        """Raise what a refusal means; the client's own reading of the hub's error codes."""
        try:
            hf_raise_for_status(response)
        except GatedRepoError as error:
            raise AccessDenied(
                f"The repository {repo_id} is gated.",
                hint=f"Accept its conditions at {self.endpoint}/{repo_id}, and set a token of "
                "the account that did.",
            ) from error
        except HfHubHTTPError as error:
            raise self._explain(response, error, repo_id, revision) from error
        if response.status_code not in {200, 206}:
            raise DownloadFailed(
                f"The hub answered {response.status_code} for the repository {repo_id}."
            )

    def _explain(
        self, response: Response, error: HfHubHTTPError, repo_id: str, revision: str | None
    ) -> OpenSpeechError:
        status = response.status_code
        if status in {401, 403}:
            given = "the token that is set" if self._token else "anybody without a token"
            return AccessDenied(
                f"The hub at {self.endpoint} does not give the repository {repo_id} to {given}.",
                hint="Check its name and the token: a private repository and a missing one look "
                "the same.",
            )
        if status == 404 and isinstance(error, RepositoryNotFoundError):
            return ModelNotFound(f"The hub at {self.endpoint} has no repository {repo_id}.")
        if status == 404:
            return ModelNotFound(
                f"The repository {repo_id} has no revision {revision or 'main'}, or a file that "
                "it listed is gone."
            )
        return DownloadFailed(f"The hub answered {status} for the repository {repo_id}.")


def _parse(repo_id: str, text: bytes | bytearray) -> Listing:
    try:
        data: dict[str, Any] = json.loads(text)
        info = HubModelInfo(**data)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DownloadFailed(f"The hub's description of {repo_id} cannot be read.") from error
    try:
        files = tuple(
            FileEntry(
                path=sibling.rfilename,
                size=sibling.lfs.size if sibling.lfs else sibling.size,  # type: ignore[arg-type]
                digest=sibling.lfs.sha256 if sibling.lfs else sibling.blob_id,  # type: ignore[arg-type]
            )
            for sibling in info.siblings or ()
        )
    except ValueError as error:
        raise DownloadFailed(f"The hub's list of {repo_id} is invalid: {error}.") from error
    names = {file.path for file in files}
    for name in names:
        if inside := next((str(p) for p in PurePosixPath(name).parents if str(p) in names), None):
            raise DownloadFailed(
                f"The hub's list of {repo_id} is invalid: {inside!r} is a file and a folder."
            )
    return Listing(commit=str(info.sha), files=files)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the HTTP library and the system raise into TryAgain.

    Errors of writing our own files do not pass here as OSError: ``_fetch`` gives them a name.
    """
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise Offline(
            "The hub client is switched to offline.", hint="Unset HF_HUB_OFFLINE."
        ) from error
    except HfHubHTTPError:
        raise
    except (_TransportError, OSError) as error:
        raise TryAgain(f"{type(error).__name__}: {error}") from error


def _retry_after(response: Response) -> float | None:
    """``Retry-After`` in seconds, whether it came as a number or as a date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
