"""What the two sides of a host say to each other. Read beside ``wire.py``.

The server loads one model, then makes calls; the worker answers each call with items until
``End`` or ``Failed``. A call may be fed meanwhile, until ``FeedEnd``. Flow is controlled by credit,
both ways: neither side sends more than ``WINDOW`` items of a call that the other has not taken.

The two sides may run different releases. A message that one of them does not know is dropped;
``Load`` and ``Loaded`` tell what each can do, before anything is asked of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .._plugins.backends import LoadContext
from .._types.models import ModelInfo
from .serialization import Payload

WINDOW = 64
"""Items of one call that may be under way, in each direction."""
STEP = WINDOW // 4
"""Items that are taken before credit is given for them."""
PROTOCOL = 1
"""Raised when a message changes its meaning; new messages and fields leave it as it is."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Server to worker, once: load this model of this backend."""

    provider: str
    """Name of the entry point."""
    backend: str
    model: ModelInfo
    context: LoadContext
    protocol: int = PROTOCOL
    """The newest that is spoken here."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """Server to worker: do this."""

    call: int
    operation: str
    """Its name; it knows the types of the request and of the results."""
    request: Payload


@dataclass(frozen=True, kw_only=True)
class Feed:
    """Server to worker: one item for a call that is fed."""

    call: int
    value: Payload


@dataclass(frozen=True, kw_only=True)
class FeedEnd:
    """Server to worker: nothing more is fed to the call."""

    call: int


@dataclass(frozen=True, kw_only=True)
class More:
    """Either way: so many items were taken, so many more may be sent.

    What is fed counts as taken when the engine comes back for more; at the latest when it waits.
    """

    call: int
    items: int


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Server to worker: stop at the next result."""

    call: int


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Server to worker: how much device memory is held?"""


@dataclass(frozen=True, kw_only=True)
class Close:
    """Server to worker: free the model and end."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Worker to server: the model is ready."""

    model: ModelInfo
    """What is known of it now."""
    protocol: int = PROTOCOL
    """What both sides speak: the lower one of their newest."""
    operations: tuple[str, ...] = ()
    """Names of what it can be asked to do."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Python's, core's and the provider's requirements' versions, as they run there."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """Worker to server: the call waited for its turn, which has come."""

    call: int


@dataclass(frozen=True, kw_only=True)
class Item:
    """Worker to server: one result of a call."""

    call: int
    value: Payload


@dataclass(frozen=True, kw_only=True)
class End:
    """Worker to server: the call is over."""

    call: int


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Worker to server: the call (or, without one, the load) failed."""

    call: int | None
    error: str
    """Name of a class in ``errors``."""
    message: str
    param: str | None = None
    hint: str | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Worker to server: the answer to ``Measure``."""

    device_bytes: int


ToWorker = Load | Call | Feed | FeedEnd | More | Cancel | Measure | Close
FromWorker = Loaded | Started | Item | More | End | Failed | Measured
