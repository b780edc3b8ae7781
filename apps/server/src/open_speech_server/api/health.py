"""Whether the server runs, and whether it is ready: open to everybody, touching nothing."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from .. import __version__
from ..state import state_of

router = APIRouter(tags=["health"])


@router.get("/health", summary="Whether the server runs")
@router.get("/health/live", summary="Whether the server runs", include_in_schema=True)
async def health(request: Request) -> dict[str, object]:
    """Always 200 while the process serves."""
    manager = state_of(request).speech.manager
    loaded = sum(1 for instance in manager.instances if instance.host is not None)
    return {"status": "ok", "version": __version__, "models_loaded": loaded}


@router.get("/v1/test", summary="Whether the API can be reached")
async def test() -> dict[str, str]:
    """What some clients ask for first. It needs the key, as all of the API does."""
    return {"status": "ok"}


@router.get(
    "/health/ready",
    summary="Whether the configured models are ready",
    responses={503: {"description": "Still starting, or shutting down."}},
)
async def ready(request: Request) -> JSONResponse:
    """200 once the configured models are loaded; 503, with what is missing, before and after.

    `models` tells the state of each, `downloads` the bytes of those on their way, and `errors` what
    is wrong with those that cannot be had, local models included.
    """
    state = state_of(request)
    instances = [each for each in state.speech.manager.instances if each.default]
    models = {instance.resolved.id: instance.state.value for instance in instances}
    downloads = {
        instance.resolved.id: {
            "bytes_done": news.bytes_done,
            "bytes_total": news.bytes_total,
            "bytes_per_second": round(news.bytes_per_second),
        }
        for instance in instances
        if (news := instance.progress)
    }
    unserved = state.speech.registry.router.unserved.items()
    local = {name: str(reason) for name, reason in unserved}
    pending = [name for name in state.configured if name not in state.prepared]
    is_ready = state.scanned.is_set() and not state.draining and not pending
    return JSONResponse(
        {
            "status": "ready" if is_ready else "draining" if state.draining else "starting",
            "models": models,
            "downloads": downloads,
            "pending": pending,
            "errors": local | state.preload_errors,
        },
        status_code=200 if is_ready else 503,
    )
