"""Alerts and dashboards name metrics that exist, and each alert is explained and fires."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.declared import TABLE, Kind

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()

SAMPLES = {
    name
    for row in TABLE
    for name in (
        [f"{row.name}{part}" for part in ("_bucket", "_count", "_sum")]
        if row.kind is Kind.HISTOGRAM
        else [row.name]
    )
}
LABELS = {label for row in TABLE for label in row.labels} | {"instance", "job", "le"}


def alerts() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def panels(dashboard: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(dashboard.read_text())["panels"]
    return found


def named(expression: str) -> set[str]:
    return set(re.findall(r"\bheliograph_\w+", expression))


def labels(expression: str) -> set[str]:
    """Return the labels that an expression selects or sums by."""
    matched = re.findall(r"(\w+)(?:=~|!~|!=|=)\"", expression)
    summed = [label for listed in re.findall(r"by \(([^)]*)\)", expression) for label in listed.split(", ")]
    return {*matched, *summed}


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: str(alert["alert"]))
def test_an_alert_is_about_metrics_that_exist_and_says_what_to_do(alert: dict[str, Any]) -> None:
    assert set() == named(alert["expr"]) - SAMPLES
    assert set() == labels(alert["expr"]) - LABELS
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert f"| `{alert['alert']}` | `{alert['expr']}` for {alert['for']} |" in OPERATIONS


def test_no_alert_is_documented_that_does_not_exist() -> None:
    documented = re.findall(r"^\| `([A-Z]\w+)` \| `[^|]*` for ", OPERATIONS, re.MULTILINE)
    assert documented == [alert["alert"] for alert in alerts()]


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: str(path.stem))
def test_a_dashboard_shows_metrics_that_exist(dashboard: Path) -> None:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            assert named(target["expr"]), panel["title"]
            assert set() == named(target["expr"]) - SAMPLES, panel["title"]
            assert set() == labels(target["expr"]) - LABELS - {"what"}, panel["title"]


TOTALS = {
    "heliograph_ticks_total",
    "heliograph_signals_total",
    "heliograph_books",
    "heliograph_budget_used",
}
"""Of the whole house, and told by each process of the API."""


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: str(path.stem))
def test_what_every_api_tells_of_the_house_is_summed_once(dashboard: Path) -> None:
    for panel in panels(dashboard):
        for target in panel["targets"]:
            if "sum by" in target["expr"] and TOTALS & named(target["expr"]):
                assert "(max without (instance) (" in target["expr"], panel["title"]


def test_every_metric_is_seen_on_a_dashboard_or_alerts() -> None:
    seen = {
        name
        for expression in (
            *(target["expr"] for path in DASHBOARDS for panel in panels(path) for target in panel["targets"]),
            *(alert["expr"] for alert in alerts()),
        )
        for name in named(expression)
    }
    shown = {row.name for row in TABLE for name in seen if name.startswith(row.name)}
    apart = {
        "heliograph_book_resyncs",
        "heliograph_book_waiting_bytes",
        "heliograph_budget_waited_seconds",
        "heliograph_budget_waits",
        "heliograph_build_info",
        "heliograph_paused_reads",
        "heliograph_publishing_seconds_total",
    }
    assert apart == {row.name for row in TABLE} - shown


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "rules", "alerts.yml"),
        ("check", "config", "--syntax-only", "prometheus.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_promtool_agrees_and_every_alert_fires(arguments: tuple[str, ...]) -> None:
    program = shutil.which("promtool", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("no promtool in PATH: install Debian's package prometheus")
    done = subprocess.run([program, *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_every_alert_is_made_to_fire() -> None:
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    assert [alert["alert"] for alert in alerts()] == [test["name"] for test in tests]


def test_every_metric_is_named_by_a_test_that_moves_it() -> None:
    said = "\n".join(
        path.read_text() for path in (ROOT / "tests").rglob("test_*.py") if path.name != Path(__file__).name
    )
    bare = set(re.findall(r"\"(\w+)\"", said))  # some tests go through names without the prefix
    unmoved = [
        row.name for row in TABLE if row.name not in said and row.name.removeprefix("heliograph_") not in bare
    ]
    apart = {"heliograph_budget_used", "heliograph_budget_waits", "heliograph_budget_waited_seconds"}
    assert apart == set(unmoved)  # named by their endings there
