"""What the server counts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from open_speech.service import ModelStatus

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

REQUESTS = Counter(
    "open_speech_requests",
    "Requests by route and status",
    ["method", "route", "status"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "open_speech_request_seconds",
    "Time from the arrival of a request to the end of its response",
    ["route"],
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 120, 600),
    registry=REGISTRY,
)


class MetricsMiddleware:
    """Counts requests and their time, by the route's template so that names make no new series."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and note the status on its way back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, start = 500, time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            REQUESTS.labels(_method(scope["method"]), route, str(status)).inc()
            SECONDS.labels(route).observe(time.perf_counter() - start)


def _method(method: str) -> str:
    return method if method in {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"} else "other"


class _Models:
    """Gauges read from the manager at the moment they are asked for."""

    def __init__(self, statuses: Iterable[ModelStatus]) -> None:
        self._statuses = list(statuses)

    def collect(self) -> Iterator[Metric]:
        """One family per figure, one sample per model."""
        labels = ["model", "provider", "device"]
        families = {
            "users": GaugeMetricFamily(
                "open_speech_model_users", "Requests using a model", labels=labels
            ),
            "waiting": GaugeMetricFamily(
                "open_speech_model_waiting", "Requests waiting for a model", labels=labels
            ),
            "resident": GaugeMetricFamily(
                "open_speech_model_resident_bytes", "Memory of a model's worker", labels=labels
            ),
            "device": GaugeMetricFamily(
                "open_speech_model_device_bytes", "Accelerator memory of a model", labels=labels
            ),
        }
        for status in self._statuses:
            if status.memory is None:
                continue
            values = [status.id, status.provider, status.device or ""]
            families["users"].add_metric(values, status.users)
            families["waiting"].add_metric(values, status.waiting)
            families["resident"].add_metric(values, status.memory.resident_bytes)
            families["device"].add_metric(values, status.memory.device_bytes)
        yield from families.values()


def exposition(statuses: Iterable[ModelStatus]) -> tuple[bytes, str]:
    """All figures in Prometheus's text format, and its media type."""
    models = CollectorRegistry()
    models.register(_Models(statuses))
    return generate_latest(REGISTRY) + generate_latest(models), CONTENT_TYPE_PLAIN_0_0_4
