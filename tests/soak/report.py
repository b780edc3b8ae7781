"""The report of a soak as a page: figures, and a plot for each thing that was watched."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from soak.clients import Tally

WIDTH, HEIGHT, EDGE = 860, 150, 60
Points = Sequence[tuple[float, float]]
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; margin: 2em auto; padding: 0 1em; }
table { border-collapse: collapse; } td, th { padding: .2em .8em; text-align: right; }
td:first-child, th:first-child { text-align: left; padding-left: 0; }
svg { width: 100%; } polyline { fill: none; stroke: #2563eb; stroke-width: 1.5; }
line { stroke: #999; stroke-width: .5; } text { font-size: 11px; fill: #555; }
"""


def page(
    seconds: float,
    tallies: Mapping[str, Tally],
    faults: Mapping[str, int],
    watched: Mapping[str, Points],
    growth: Mapping[str, float],
) -> str:
    """All of it as HTML."""
    clients = "".join(
        f"<tr><td>{html.escape(name)}<td>{tally.right}<td>{tally.later}<td>{len(tally.wrong)}"
        f"<td>{percentile(tally, 50):.2f}<td>{percentile(tally, 99):.2f}"
        for name, tally in tallies.items()
    )
    broken = "".join(f"<tr><td>{html.escape(name)}<td>{n}" for name, n in sorted(faults.items()))
    grown = "".join(f"<tr><td>{html.escape(name)}<td>{g:+.2f} %" for name, g in growth.items())
    wrong = "".join(
        f"<li>{html.escape(name)}: {html.escape(each)}"
        for name, tally in tallies.items()
        for each in tally.wrong[:20]
    )
    plots = "".join(
        f"<h3>{html.escape(name)}</h3>{plot(points)}" for name, points in watched.items()
    )
    return (
        f"<!doctype html><meta charset=utf-8><title>Soak</title><style>{_STYLE}</style>"
        f"<h1>Soak of {seconds / 60:.0f} minutes</h1>"
        "<table><tr><th>client<th>right<th>later<th>wrong<th>median, s<th>99 %, s"
        f"{clients}</table><ul>{wrong}</ul>"
        f"<h2>Faults</h2><table>{broken}</table>"
        f"<h2>Growth after the warm-up</h2><table>{grown}</table>{plots}"
    )


def percentile(tally: Tally, percent: float) -> float:
    """Seconds that so many of the right answers took at most."""
    times = sorted(took for _, took in tally.took_s)
    return times[min(len(times) - 1, int(percent / 100 * len(times)))] if times else 0.0


def plot(points: Points) -> str:
    """A line over the seconds, as SVG, from 0 up."""
    if not points:
        return ""
    last, top = points[-1][0] or 1.0, max(value for _, value in points) or 1.0
    across, up = (WIDTH - EDGE) / last, (HEIGHT - 20) / top
    line = " ".join(f"{EDGE + at * across:.1f},{HEIGHT - value * up:.1f}" for at, value in points)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 20}" role="img">'
        f'<line x1="{EDGE}" y1="{HEIGHT}" x2="{WIDTH}" y2="{HEIGHT}"/>'
        f'<text x="0" y="26">{top:.4g}</text><text x="0" y="{HEIGHT}">0</text>'
        f'<text x="{WIDTH - 70}" y="{HEIGHT + 16}">{last / 60:.0f} min</text>'
        f'<polyline points="{line}"/></svg>'
    )
