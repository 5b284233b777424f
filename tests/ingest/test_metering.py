"""Commits are measured when they succeed, with the lag of their last ticks."""

import pytest

from db.ticks import Ticks
from ingest.metering import CommitMeter
from market.errors import StoreBusyError
from market.times import SECOND
from market.trades import Side, Trade
from runtime.metrics import Metrics

T = 1_733_270_400 * SECOND
TICKS = Ticks(trades=[Trade(1, T, number, 10.0, 1.0, Side.BUY, T + SECOND // 4) for number in (1, 2)])


def test_a_commit_moves_what_is_measured_of_commits() -> None:
    metrics = Metrics("ingest")
    with CommitMeter(metrics, lambda: T + SECOND).committing(TICKS):
        pass
    value = metrics.registry.get_sample_value
    assert (1, 2) == (value("heliograph_commit_seconds_count"), value("heliograph_commit_ticks_sum"))
    assert pytest.approx(0.25) == value("heliograph_stage_seconds_sum", {"stage": "received"})
    assert pytest.approx(0.75) == value("heliograph_stage_seconds_sum", {"stage": "stored"})


def test_a_commit_that_fails_is_none() -> None:
    metrics = Metrics("ingest")
    with pytest.raises(StoreBusyError), CommitMeter(metrics, lambda: T).committing(TICKS):
        raise StoreBusyError
    assert 0 == metrics.registry.get_sample_value("heliograph_commit_seconds_count")
