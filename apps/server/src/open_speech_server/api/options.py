"""Options of a request that its model lacks: left out, or refused."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, TypeVar

from starlette.responses import Response

from open_speech import ModelInfo, Operation

from ..settings.settings import Settings

IGNORABLE: dict[str, object] = {
    "instructions": None,
    "seed": None,
    "pitch": 1.0,
    "prompt": None,
    "keywords": (),
    "temperature": None,
}
"""Fields of core's requests without which the answer still means what was asked for, and their
values when left out. A language, a voice, a translation or word times are none of them."""
HEADER = "X-Ignored-Options"
_log = logging.getLogger(__name__)
R = TypeVar("R")


def without_unsupported(
    operation: Operation[R, Any], request: R, model: ModelInfo, settings: Settings
) -> tuple[R, tuple[str, ...]]:
    """The request without the options that the model lacks, and their names.

    Where the operator wants them refused, nothing is left out: the model's own check refuses.
    """
    if settings.os_unsupported_options == "refuse":
        return request, ()
    lacking = tuple(
        param
        for capability, (param, needed) in operation.needs(request, model).items()
        if needed and capability not in model.capabilities and param in IGNORABLE
    )
    if not lacking:
        return request, ()
    _log.info("%s has no %s, which a request asked for", model.id, ", ".join(lacking))
    changes: dict[str, Any] = {param: IGNORABLE[param] for param in lacking}
    return replace(request, **changes), lacking  # type: ignore[type-var]


def naming(response: Response, ignored: tuple[str, ...]) -> Response:
    """The response, with a header that names what was ignored."""
    if ignored:
        response.headers[HEADER] = ", ".join(ignored)
    return response
