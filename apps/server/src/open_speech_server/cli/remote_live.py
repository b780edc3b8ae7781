"""Live sound to a server, and the text that comes back."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode

from .client import Listening, OnLive
from .connect import Server, trust
from .exits import FAILED, UNAVAILABLE, Failure


def listen(server: Server, sound: Iterator[bytes], asked: Listening, on_text: OnLive) -> None:
    """Send the sound as it comes, and hand over the text as it settles. Raises Failure."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake
    from websockets.sync.client import connect

    assert server.url
    options = {"sample_rate": asked.sample_rate, "model": asked.model, "language": asked.language}
    query = urlencode({name: value for name, value in options.items() if value is not None})
    address = f"ws{server.url.removeprefix('http')}/v1/audio/stream?{query}"
    headers = {"Authorization": f"Bearer {server.key}"} if server.key else None
    try:
        with connect(address, additional_headers=headers, ssl=_context(server)) as socket:

            def send() -> None:
                with suppress(ConnectionClosed):
                    for data in sound:
                        socket.send(data)
                    socket.send(json.dumps({"type": "stop"}))

            threading.Thread(target=send, name="microphone", daemon=True).start()
            for message in socket:
                event = json.loads(message)
                if event["type"] == "transcript":
                    on_text(event["text"], bool(event["speech_final"]))
                elif event["type"] == "error":
                    raise Failure(event["message"], FAILED)
    except InvalidHandshake as error:
        raise Failure(f"{server.url} does not take live sound: {error}", UNAVAILABLE) from error
    except ConnectionClosed as error:
        raise Failure(f"{server.url} ended the session: {error}", UNAVAILABLE) from error
    except OSError as error:
        raise Failure(f"{server.url} cannot be reached: {error}", UNAVAILABLE) from error


def _context(server: Server) -> ssl.SSLContext | None:
    if not server.url or not server.url.startswith("https:"):
        return None
    trusted = trust(server)
    if isinstance(trusted, ssl.SSLContext):
        return trusted
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
