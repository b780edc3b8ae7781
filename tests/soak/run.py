"""A server with published weights under load, with a fault every five seconds.

    nox -s soak [-- --minutes 60] [-- --report build/soak.html]

Fails if one answer was wrong, or if the server grew by more than a hundredth in an hour.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from operator import eq
from pathlib import Path

import psutil

from live import Live, live_server
from open_speech.testing import install_provider
from open_speech.testing.hub import FakeHub
from real.recordings import short_ones
from real.repositories import PIPER, TINY_EN, repository
from soak import clients, report
from soak.faults import DOWNLOADED, Faults

FAULT_S, SAMPLE_S = 5.0, 2.0
PIPER_MODEL = "piper/en_US-joe-medium"
WARM_UP_S = 600.0
"""Until then each kind of fault has come at least once, and every model that it loads is there."""
MOST_GROWTH = 1.0
"""Percent in an hour, after the warm-up; a run of less than twice that is not judged by it."""
SEED = 20_261_130


def main() -> int:
    """Run, write the report, and say whether it may pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--report", type=Path, default=Path("build/soak.html"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, FakeHub() as hub:
        for name in (TINY_EN, PIPER):
            hub.add(name, repository(name))
        hub.add(DOWNLOADED, {"config.json": b"{}", "model.bin": bytes(300_000)})
        for name in ("tone", "faulty"):
            install_provider(Path(folder, "site"), name, f"open_speech.testing.{name}")
        environment = {
            "PYTHONPATH": str(Path(folder, "site")),
            "HF_ENDPOINT": hub.url,
            "HF_HUB_OFFLINE": "0",
            "STT_MODEL": TINY_EN,
            "TTS_MODEL": PIPER_MODEL,
            "OS_LOAD_WAIT_S": "60",
            "OS_REQUEST_TIMEOUT_S": "20",
            "OS_LOG_LEVEL": "error",
        }
        with live_server(Path(folder), environment, within_s=600) as live:
            return soak(live, hub, 60 * options.minutes, options.report)


def soak(live: Live, hub: FakeHub, seconds: float, target: Path) -> int:
    """Load, break, watch; then judge."""
    recording = short_ones()[0].sound
    asks = {
        "Whisper hears": clients.transcribing(live.address, TINY_EN, recording),
        "pocketsphinx hears": clients.transcribing(live.address, "pocketsphinx/en-us", recording),
        "Whisper hears live": clients.listening(live.address, TINY_EN, recording),
        "Piper speaks": clients.speaking(live.address, PIPER_MODEL, "mp3"),
        "espeak speaks": clients.speaking(live.address, "espeak/en-us", "wav"),
        "a tone speaks": clients.speaking(live.address, "tone/sine", "opus"),
        "models are listed": clients.listing(live.address),
    }
    known = {name: ask() for name, ask in asks.items()}
    stop = threading.Event()
    varied = {"Piper speaks": clients.about_as_long}  # it draws noise for each text
    working = {
        name: clients.Client(name, ask, known[name], stop, varied.get(name, eq))
        for name, ask in asks.items()
    }
    for client in working.values():
        client.start()
    chance = random.Random(SEED)
    faults = Faults(live.address, live.process.pid, hub, recording, chance, "tone/chorus")
    told: Counter[str] = Counter()
    breaking = threading.Thread(target=_break, args=(faults, told, stop), daemon=True)
    breaking.start()
    watched = _watch(live, seconds)
    stop.set()
    for thread in (*working.values(), breaking):
        thread.join(180)
    tallies = {name: client.tally for name, client in working.items()}
    growth = {name: _growth(points, seconds) for name, points in watched.items()}
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(report.page(seconds, tallies, told, watched, growth), encoding="utf-8")
    return _judge(tallies, growth, seconds, target)


def _break(faults: Faults, told: Counter[str], stop: threading.Event) -> None:
    """One fault every five seconds, each kind equally often."""
    kinds = faults.all()
    order: list[str] = []
    while not stop.wait(FAULT_S):
        if not order:
            order = sorted(kinds)
            faults.chance.shuffle(order)
        name = order.pop()
        told[name] += 1
        threading.Thread(target=kinds[name], daemon=True).start()


def _watch(live: Live, seconds: float) -> dict[str, list[tuple[float, float]]]:
    """What the server holds, every other second."""
    process = psutil.Process(live.process.pid)
    watched: dict[str, list[tuple[float, float]]] = {
        "server, MB": [], "file descriptors": [], "threads": [], "processes": [],
    }  # fmt: skip
    began = time.monotonic()
    while (at := time.monotonic() - began) < seconds:
        values = (
            process.memory_info().rss / 2**20,
            process.num_fds(),
            process.num_threads(),
            1 + len(process.children(recursive=True)),
        )
        for points, value in zip(watched.values(), values, strict=True):
            points.append((at, value))
        time.sleep(SAMPLE_S)
    return watched


def _growth(points: list[tuple[float, float]], seconds: float) -> float:
    """Percent from the sixth after the warm-up to the last sixth, as medians."""
    part, begun = seconds / 6, min(WARM_UP_S, seconds / 6)
    early = [value for at, value in points if begun <= at < begun + part]
    late = [value for at, value in points if at >= seconds - part]
    if not early or not late:
        return 0.0
    return 100 * (statistics.median(late) / statistics.median(early) - 1)


def _judge(
    tallies: Mapping[str, clients.Tally], growth: Mapping[str, float], seconds: float, target: Path
) -> int:
    wrong = sum(len(tally.wrong) for tally in tallies.values())
    most = MOST_GROWTH * max(1.0, seconds / 3600)
    lines = [
        f"{name}: {tally.right} right, {tally.later} later, {len(tally.wrong)} wrong"
        for name, tally in tallies.items()
    ]
    lines += [f"{name}: {percent:+.2f} %" for name, percent in growth.items()]
    sys.stdout.write("\n".join([*lines, f"The report is {target}."]) + "\n")
    starved = [name for name, tally in tallies.items() if not tally.right]
    grown = seconds >= 2 * WARM_UP_S and growth["server, MB"] > most
    return int(wrong > 0 or grown or bool(starved))


if __name__ == "__main__":
    sys.exit(main())
