"""What the server counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.process_collector import ProcessCollector

from open_speech.status import ModelStatus

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

REQUESTS = Counter(
    "open_speech_requests",
    "Requests answered, by route and status",
    ["method", "route", "status"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "open_speech_request_seconds",
    "Time from a request's arrival to the end of its answer",
    ["route"],
    buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 120, 600),
    registry=REGISTRY,
)
AUDIO_IN = Counter("open_speech_audio_in_seconds", "Seconds of audio heard", registry=REGISTRY)
AUDIO_OUT = Counter("open_speech_audio_out_seconds", "Seconds of audio spoken", registry=REGISTRY)


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
