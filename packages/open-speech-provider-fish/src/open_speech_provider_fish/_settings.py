"""Settings of this engine alone, given at the start or with a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from open_speech import Bounds, OptionValue, checked_options
from open_speech.errors import ModelLoadFailed

SAMPLING: Bounds = {
    "temperature": (0.1, 1.0),
    "top_p": (0.1, 1.0),
    "repetition_penalty": (0.9, 2.0),
    "max_new_tokens": (1, 8192),
}
"""From a name to the lowest and the highest value; those that upstream's schema allows."""
DEFAULTS: Mapping[str, OptionValue] = {
    "temperature": 0.8,
    "top_p": 0.8,
    "repetition_penalty": 1.1,
    "max_new_tokens": 1024,
}
"""Upstream's own."""
SEED = 42
"""Without a recording to imitate, the seed chooses the voice, so there is always one: else every
sentence of a text would have another."""
MAX_SEED = 2**32 - 1


def sampling(
    options: Mapping[str, OptionValue], usual: Mapping[str, OptionValue] | None = None
) -> dict[str, OptionValue]:
    """How to sample: ``options``, and ``usual`` for the rest.

    Without ``usual`` they are options of the start, among which an address may be, over upstream's
    defaults. Raises InvalidRequest for what is no setting or too large.
    """
    if usual is None:
        usual, options = DEFAULTS, {n: v for n, v in options.items() if n not in ADDRESS}
    return {**usual, **checked_options(options, SAMPLING)}


ADDRESS = ("url", "api_key")
"""Options that say where a server is, and with which key."""
_HOW = "Set the option `url` of this provider, such as OS_OPTIONS__FISH__URL=http://127.0.0.1:8080."


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a Fish Speech server is."""

    host: str
    port: int
    tls: bool
    path: str
    """What stands before its routes, without a slash at the end."""
    api_key: str | None = None

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}{self.path}"


def address(options: Mapping[str, OptionValue]) -> Address:
    """The address among the options; raises ModelLoadFailed if there is none."""
    url = options.get("url")
    if not url:
        raise ModelLoadFailed("The address of the Fish Speech server is not set.", hint=_HOW)
    try:
        parts = urlsplit(str(url))
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
        raise ModelLoadFailed(f"{str(url)[:128]!a} is no address of a server.", hint=_HOW)
    key = options.get("api_key")
    return Address(
        host=parts.hostname,
        port=port or (443 if parts.scheme == "https" else 80),
        tls=parts.scheme == "https",
        path=parts.path.rstrip("/"),
        api_key=str(key) if key else None,
    )
