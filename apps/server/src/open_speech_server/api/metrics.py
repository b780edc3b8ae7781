"""Metrics for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from ..metrics import exposition
from ..state import state_of

router = APIRouter(tags=["operation"])


@router.get("/metrics", summary="Metrics for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """Requests, models, workers' memory, in Prometheus's text format."""
    statuses = await state_of(request).speech.manager.status()
    body, media_type = exposition(statuses)
    return Response(body, media_type=media_type)
