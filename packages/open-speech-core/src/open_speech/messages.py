"""What the two sides of a host say to each other. Read beside ``wire.py``.

The near side loads one model, then makes calls; the far side answers each call with items until
``End`` or ``Failed``. Flow is controlled by credit: the far side sends at most ``WINDOW`` items
of a call that the near side has not yet taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .audio import Audio
from .backends import LoadContext
from .models import ModelInfo
from .speech import SpeechRequest
from .transcription import DetectedLanguage, Partial, Segment, TranscriptionRequest

WINDOW = 64
"""Items of one call that may be under way."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Near to far, once: load this model of this backend."""

    provider: str
    """Name of the entry point."""
    backend: str
    model: ModelInfo
    context: LoadContext


@dataclass(frozen=True, kw_only=True)
class Call:
    """Near to far: do this; the kind of request says which method."""

    call: int
    request: SpeechRequest | TranscriptionRequest


@dataclass(frozen=True, kw_only=True)
class More:
    """Near to far: so many items were taken, so many more may be sent."""

    call: int
    items: int


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """Near to far: stop at the next result."""

    call: int


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Near to far: how much device memory is held?"""


@dataclass(frozen=True, kw_only=True)
class Close:
    """Near to far: free the model and end."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Far to near: the model is ready."""

    model: ModelInfo
    """What is known of it now."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Python's, core's and the provider's requirements' versions, as they run there."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """Far to near: the call waited for its turn, which has come."""

    call: int


@dataclass(frozen=True, kw_only=True)
class Item:
    """Far to near: one result of a call."""

    call: int
    value: Audio | DetectedLanguage | Partial | Segment


@dataclass(frozen=True, kw_only=True)
class End:
    """Far to near: the call is over."""

    call: int


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Far to near: the call (or, without one, the load) failed."""

    call: int | None
    error: str
    """Name of a class in ``errors``."""
    message: str
    param: str | None = None
    hint: str | None = None
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Far to near: the answer to ``Measure``."""

    device_bytes: int


ToWorker = Load | Call | More | Cancel | Measure | Close
FromWorker = Loaded | Started | Item | End | Failed | Measured
