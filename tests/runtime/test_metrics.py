import pytest
from prometheus_client import generate_latest

from runtime.declared import EVERY, TABLE, Kind
from runtime.metrics import Metrics


def test_every_row_of_the_table_is_exposed() -> None:
    for role in EVERY:
        text = generate_latest(Metrics(role).registry).decode()
        assert [row.name for row in TABLE if role in row.roles] == [
            row.name for row in TABLE if f"# HELP {row.name} " in text
        ]


def test_names_are_prefixed_and_counters_end_in_total() -> None:
    assert all(row.name.startswith("heliograph_") for row in TABLE)
    assert all(row.name.endswith("_total") == (row.kind is Kind.COUNTER) for row in TABLE)


def test_a_metric_is_found_by_name_and_kind() -> None:
    metrics = Metrics()
    metrics.counter("heliograph_signals_total").labels("rsi").inc()
    assert metrics.registry.get_sample_value("heliograph_signals_total", {"kind": "rsi"}) == 1
    with pytest.raises(TypeError, match="no gauge"):
        metrics.gauge("heliograph_signals_total")
