"""Agreement of the figures, their page and the dashboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from bot.metrics import Metrics
from tests.kit.paths import ROOT

HOSTS = ROOT / "docs" / "hosts"
ENDS = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
ENDS["info"] = ("_info",)


@pytest.fixture(scope="module")
def exported() -> dict[str, list[str]]:
    """The series that each of our figures and those of the process has, by its name."""
    families = list(Metrics().registry.collect())
    return {
        family.name: [family.name + end for end in ENDS.get(family.type, ("",))]
        for family in families
    }


def dashboard() -> Any:
    return json.loads((HOSTS / "grafana-dashboard.json").read_text(encoding="utf-8"))


def expressions() -> list[str]:
    return [
        target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())
    ]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def named(texts: list[str]) -> set[str]:
    return set(re.findall(r"\b(?:threadwise|process)_\w+", "\n".join(texts)))


def test_the_dashboard_shows_what_there_is(exported: dict[str, list[str]]):
    series = {name for names in exported.values() for name in names}
    shown = named([text for text in _strings(dashboard()) if "threadwise_" in text])
    assert shown | named(expressions()) <= series
    assert len(expressions()) > 20


def test_the_dashboard_shows_all_of_it(exported: dict[str, list[str]]):
    shown = named(expressions())
    ours = {name: set(names) for name, names in exported.items() if "threadwise" in name}
    assert [name for name, names in ours.items() if not names & shown] == []


def test_the_dashboard_groups_by_labels_that_there_are(exported: dict[str, list[str]]):
    metrics = Metrics()
    metrics.asked("answer", 1.0)
    metrics.ran_model("question", 1.0)
    metrics.used_database("read", 1.0, 1.0)
    metrics.requested("GET", "2xx", 1.0)
    metrics.shard_event(0, "ready")
    used = {
        label
        for expression in expressions()
        for labels in re.findall(r"by \(([^)]*)\)", expression)
        for label in labels.replace(" ", "").split(",")
    }
    there = {
        label
        for family in metrics.registry.collect()
        for sample in family.samples
        for label in sample.labels
    }
    assert used <= there | {"queue"}  # which is told when a bot is there


def test_the_dashboard_can_be_imported():
    board = dashboard()
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert all('instance=~"$instance"' in expression for expression in expressions())
    places = [tuple(panel["gridPos"][side] for side in "xywh") for panel in panels]
    assert all(x + w <= 24 for x, _, w, _ in places)
    for x, y, w, h in places:
        inside = [p for p in places if p[0] < x + w and x < p[0] + p[2]]
        assert [p for p in inside if p[1] < y + h and y < p[1] + p[3]] == [(x, y, w, h)]


def test_the_page_explains_every_figure(exported: dict[str, list[str]]):
    page = (HOSTS / "monitoring.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(threadwise_\w+)` \|", page, re.MULTILINE)
    ours = {
        name if len(names) > 1 else names[0]
        for name, names in exported.items()
        if name.startswith("threadwise")
    }
    assert sorted(rows) == sorted(ours)
    assert named(re.findall(r"`(process_\w+)`", page)) <= {
        name for names in exported.values() for name in names
    }
