"""What can be done with one model: fetch, load, pin, update, unload, delete."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import ConfigDict, Field
from starlette.responses import JSONResponse, Response

from open_speech import OpenSpeech

from ...state import ServerState, speech_of, state_of
from ..bodies import ClientBody
from ..errors import error_response
from ..streaming import while_connected
from .keep_alive import keep_alive_seconds
from .model_json import model_json, progress_json

router = APIRouter(tags=["models"])
Speech = Annotated[OpenSpeech, Depends(speech_of)]
State = Annotated[ServerState, Depends(state_of)]
ACCEPTED: dict[int | str, dict[str, Any]] = {202: {"description": "Begun; `wait` was false."}}
ACCEPT = "Accept the license of its weights, for this and every model under it; once is enough."
VERBS = frozenset(
    {"load", "download", "prefetch", "update", "cancel", "pin",
     "status", "progress", "cache", "artifacts"}
)  # fmt: skip
"""The last segment of a path below ``/api/models/`` is one of these, or part of the id."""


def whole_id(model: str) -> str:
    """The path parameter of a route without a verb: 405 where the path ends in one after all."""
    if model.rpartition("/")[2] in VERBS:
        raise HTTPException(405)
    return model


WholeId = Annotated[str, Depends(whole_id)]


class LoadBody(ClientBody):
    """How to load a model; everything may be left out."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)

    device: str | None = Field(
        default=None,
        max_length=32,
        description="Device, such as `cpu` or `cuda:1`. Default: as configured.",
    )
    compute_type: str | None = Field(
        default=None,
        max_length=32,
        description="Number format of the weights. Default: as configured.",
    )
    keep_alive: float | str | None = Field(
        default=None,
        description="Idle time before it is unloaded, in seconds or as a string "
        "such as `5m`; -1 for never.",
    )
    pin: bool | None = Field(
        default=None, description="Never unload it to make room for another model."
    )
    accept_license: bool = Field(default=False, description=ACCEPT)


class DownloadBody(ClientBody):
    """How to fetch a model; everything may be left out."""

    model_config = ConfigDict(extra="ignore")

    accept_license: bool = Field(default=False, description=ACCEPT)


class PinBody(ClientBody):
    """Whether to pin a model."""

    pin: bool = Field(default=True, description="Whether the model is pinned.")


@router.post(
    "/api/models/{model:path}/load",
    summary="Load a model; download it first if necessary",
    responses=ACCEPTED,
)
async def load(
    request: Request,
    model: str,
    speech: Speech,
    state: State,
    body: LoadBody | None = None,
    *,
    wait: bool = True,
) -> Response:
    """Answers once it is loaded, or at once with `wait=false`.

    A model that is loaded already gets the new `keep_alive` and `pin`; with another `compute_type`
    it is loaded anew beside the old one.
    """
    body = body or LoadBody()
    await _accept(speech, state, model, accepted=body.accept_license)
    work = speech.load(
        model,
        device=body.device,
        compute_type=body.compute_type,
        keep_alive_s=keep_alive_seconds(body.keep_alive),
        pin=body.pin,
    )
    if not wait:
        await state.begin(work)
        return await _model(speech, model, body.device, status=202)
    await while_connected(request, work)
    return await _model(speech, model, body.device)


@router.post("/api/models/{model:path}/download", summary="Download a model", responses=ACCEPTED)
@router.post(
    "/api/models/{model:path}/prefetch",
    summary="Download a model (old path)",
    responses=ACCEPTED,
)
async def download(
    request: Request,
    model: str,
    speech: Speech,
    state: State,
    body: DownloadBody | None = None,
    *,
    wait: bool = True,
) -> Response:
    """Answers once everything is on disk and verified, or at once with `wait=false`.

    403 with the code `license_not_accepted` where the license of the weights has to be accepted
    first: by `accept_license`, or by the operator.
    """
    await _accept(speech, state, model, accepted=bool(body and body.accept_license))
    work = speech.catalog.download(model)
    if not wait:
        await state.begin(work)
        return await _model(speech, model, status=202)
    await while_connected(request, work)
    return await _model(speech, model)


@router.post(
    "/api/models/{model:path}/update",
    summary="Update a model to its latest revision",
    responses=ACCEPTED,
)
async def update(
    request: Request, model: str, speech: Speech, state: State, *, wait: bool = True
) -> Response:
    """Files that did not change are not fetched again; where it is loaded it is loaded anew.

    The old one serves until the new one is there.
    """
    work = speech.catalog.update(model)
    if not wait:
        await state.begin(work)
        return await _model(speech, model, status=202)
    moved = await while_connected(request, work)
    return await _model(speech, model, updated=moved)


@router.post("/api/models/{model:path}/cancel", summary="Cancel the download of a model")
async def cancel(model: str, speech: Speech) -> Response:
    """What was fetched is kept, and the next download goes on from there."""
    stopped = await speech.catalog.cancel(model)
    return await _model(speech, model, cancelled=stopped)


@router.post("/api/models/{model:path}/pin", summary="Pin or unpin a model")
async def pin(model: str, speech: Speech, body: PinBody | None = None) -> Response:
    """A pinned model, once loaded, stays until it is unloaded by name."""
    speech.manager.pin(model, pinned=(body or PinBody()).pin)
    return await _model(speech, model)


@router.get("/api/models/{model:path}/status", summary="Get a model")
async def status(model: str, speech: Speech) -> Response:
    """Its state is one of available, downloading, downloaded, loading, loaded, draining, failed."""
    return await _model(speech, model)


@router.get("/api/models/{model:path}/progress", summary="Get the progress of a model")
async def progress(model: str, speech: Speech) -> dict[str, Any]:
    """The status is one of idle, queued, downloading, downloaded, loading, ready, failed."""
    return progress_json(await speech.catalog.status(model))


@router.delete("/api/models/{model:path}/cache", summary="Delete a model from disk")
@router.delete("/api/models/{model:path}/artifacts", summary="Delete a model from disk (old path)")
async def delete(model: str, speech: Speech) -> dict[str, str]:
    """409 while it is loaded, here or by another server on the same volume.

    403 if the files lie in the user's own hub cache; the message says where.
    """
    await speech.catalog.delete(model)
    return {"status": "deleted", "model": model}


@router.get("/api/models/{model:path}", summary="Get a model (short path)")
async def one(model: WholeId, speech: Speech) -> Response:
    """The same as with `/status`."""
    return await _model(speech, model)


@router.delete("/api/models/{model:path}", summary="Unload a model")
async def unload(model: WholeId, speech: Speech) -> Response:
    """It finishes what it has; its memory is free when this answers. Its files stay."""
    return await unloaded(speech, model)


async def unloaded(speech: OpenSpeech, model: str) -> Response:
    """Unload a model; 404 if it is not loaded."""
    if await speech.manager.unload(model):
        return JSONResponse({"status": "unloaded", "model": model})
    message = f"The model {speech.resolve(model).id!r} is not loaded."
    return error_response(404, message, code="not_loaded", param="model")


async def _accept(speech: OpenSpeech, state: ServerState, model: str, *, accepted: bool) -> None:
    """Accept the license of a model's weights if the caller says so."""
    if accepted:
        await speech.catalog.accept_license(model)
        state.prepare()  # a configured model may have waited for it


async def _model(
    speech: OpenSpeech, name: str, device: str | None = None, *, status: int = 200, **more: bool
) -> Response:
    found = await speech.catalog.status(name, device)
    return JSONResponse({**model_json(found), **more}, status)
