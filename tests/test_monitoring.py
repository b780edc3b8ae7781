"""What the monitoring page and the Grafana dashboard name is what a real server exports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from documents.markdown import ROOT, blocks
from live import EMBEDDED, live_server

DASHBOARD = ROOT / "deploy" / "grafana" / "open-speech.json"
PAGE = ROOT / "docs" / "how-to" / "monitoring.md"
ADDED = {"job", "instance"}
"""Labels that Prometheus adds to what it scrapes."""

Series = dict[str, set[str]]
"""The labels of each exported series, by its name."""


def dashboard() -> dict[str, Any]:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return board


def queries() -> Iterator[str]:
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]
    for block in blocks(PAGE.read_text(encoding="utf-8")):
        if block.language == "yaml" and "groups:" in block.text:
            for group in yaml.safe_load(block.text)["groups"]:
                yield from (rule["expr"] for rule in group["rules"])


def metrics_of(query: str) -> set[str]:
    return set(re.findall(r"\b(?:open_speech|process)_\w+", query))


def labels_of(query: str) -> set[str]:
    matched = re.findall(r"(?<=[{,])(\w+)(?==)", query)
    grouped = [name for each in re.findall(r"by \(([^)]*)\)", query) for name in each.split(",")]
    return {*matched, *(name.strip() for name in grouped)}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Series:
    """Every series of a server that has answered a request with a loaded model."""
    with (
        live_server(tmp_path_factory.mktemp("server"), EMBEDDED) as server,
        server.client() as client,
    ):
        client.post("/v1/audio/speech", json={"input": "one"}).raise_for_status()
        text = client.get("/metrics").raise_for_status().text
    series: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series.setdefault(sample.name, set()).update(sample.labels)
    return series


def test_there_are_queries() -> None:
    assert len(list(queries())) > 10
    assert all(metrics_of(query) or query.startswith("up{") for query in queries())


@pytest.mark.parametrize("query", sorted(set(queries())))
def test_a_query_names_what_is_exported(query: str, exported: Series) -> None:
    names = metrics_of(query)
    assert names - set(exported) == set()
    known = ADDED.union(*(exported[name] for name in names))
    assert labels_of(query) - known == set()


def test_legends_name_labels_of_their_query(exported: Series) -> None:
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            known = set().union(*(exported[name] for name in metrics_of(target["expr"])))
            assert named - known == set(), panel["title"]


def test_the_page_explains_every_metric(exported: Series) -> None:
    text = PAGE.read_text(encoding="utf-8")
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in exported}
    counters = {f"{name}_total" for name in families} & set(exported)
    explained = {name for name in families if f"{name}_total" not in counters}
    assert {name for name in explained if f"`{name}`" not in text} == set()


def test_the_dashboard_has_what_grafana_asks_for() -> None:
    board = dashboard()
    assert board["uid"] == "open-speech"
    assert board["schemaVersion"] >= 36
    assert {variable["name"] for variable in board["templating"]["list"]} == {"datasource", "job"}
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"], panel["title"]


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in dashboard()["panels"]):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, place
        taken |= cells


@pytest.mark.parametrize(
    ("query", "metrics", "labels"),
    [
        (
            'sum by (a, b) (rate(process_x_total{c="d",e=~"f"}[5m]))',
            {"process_x_total"},
            set("abce"),
        ),
        ("label_values(open_speech_y, job)", {"open_speech_y"}, set()),
    ],
)
def test_queries_are_read(query: str, metrics: set[str], labels: set[str]) -> None:
    assert metrics_of(query) == metrics
    assert labels_of(query) == labels
