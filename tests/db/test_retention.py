"""Days that are too old are dropped whole: not before they are archived, nor while somebody needs them."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from db import dirty, feeds, gaps, jobs, retention
from db.connections import connected
from db.dirty import DirtyInterval
from db.feeds import WantedFeed
from db.instruments import register
from db.partitions import day_of, ensure_days, existing_days
from db.retention import OldDay
from db.settings import RetentionSettings
from market.gaps import TRADES, Cause, Finding, GapState
from market.instruments import spot
from market.times import DAY, from_iso
from runtime.settings import BadSettingError
from workers.retaining import before, retain

if TYPE_CHECKING:
    from db.connections import Connection

T = from_iso("2026-11-10")
NOW = T + 5 * DAY
KEPT = {"trades": date(2026, 11, 12)}


async def fill(connection: "Connection", *days: int) -> None:
    await register(connection, [spot("kraken", "SOL", "USD", "SOL/USD")])
    await feeds.offer(connection, [WantedFeed(exchange="kraken", symbol="SOL/USD")])
    await ensure_days(connection, [day_of(T + day * DAY) for day in days])
    trade = "INSERT INTO trades VALUES (1, 1, 1, $1, $2, 65000.1, 1e-8, $1)"
    await connection.executemany(trade, [(T + day * DAY + n, n) for day in days for n in range(10)])


async def test_days_before_those_that_are_kept_are_dropped_and_others_stay(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0, 1, 2, 3)
        dropped = await retention.drop(connection, KEPT)
        assert ["trades_20261110", "trades_20261111"] == [each.name for each in dropped]
        assert [date(2026, 11, 12), date(2026, 11, 13)] == await existing_days(connection, "trades")
        assert 20 == await connection.fetchval("SELECT count(*) FROM trades")
        assert 4 == len(await existing_days(connection, "quotes"))
        await fill(connection, 0)


async def test_a_day_that_is_still_to_be_filled_or_computed_is_kept(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0, 1)
        await jobs.enqueue_recent(connection, 1, T, T + DAY)
        await dirty.mark(connection, [DirtyInterval(1, T + DAY, T + DAY + 5)], "late")
        assert [] == list(await retention.drop(connection, KEPT))
        held = [each.held for each in await retention.due(connection, KEPT)]
    assert ["a job is not done with it", "something of it is to be computed again"] == held


async def test_a_day_stays_when_it_cannot_be_archived(postgres_url: str) -> None:
    async def archive(_: OldDay) -> None:
        raise OSError

    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0)
        with pytest.raises(Exception, match="dropping old days"):
            await retention.drop(connection, KEPT, archive)
        assert 10 == await connection.fetchval("SELECT count(*) FROM trades")


async def test_a_day_that_was_detached_and_not_dropped_is_dropped_the_next_time(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0)
        await connection.execute("ALTER TABLE trades DETACH PARTITION trades_20261110 CONCURRENTLY")
        await retention.drop(connection, KEPT)
        assert None is await connection.fetchval("SELECT to_regclass('trades_20261110')")


async def test_gaps_of_a_day_that_is_gone_say_so(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0)
        finding = Finding(
            instrument_id=1,
            kind=TRADES,
            cause=Cause.DOWNTIME,
            state=GapState.UNRECOVERABLE,
            from_ts=T,
            to_ts=T + 5,
        )
        await gaps.record(connection, [finding])
        await connection.execute("UPDATE gaps SET state = 'open'")
        await retention.drop(connection, KEPT)
        [gap] = await gaps.read(connection, gaps.Filters(), limit=9)
    assert GapState.UNRECOVERABLE == gap.state
    assert "its day was dropped" in gap.detail


async def test_what_is_dropped_is_in_files_first(postgres_url: str, tmp_path: Path) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0, 4)
    dropped = await retain(postgres_url, RetentionSettings(trades_days=3, quotes_days=3), NOW, tmp_path)
    assert {"trades_20261110", "quotes_20261110"} == {each.name for each in dropped}
    file = tmp_path / "trades-kraken-SOL-USD-2026-11-10.parquet"
    assert 10 == pq.read_table(file).num_rows


def test_days_are_counted_back_from_today() -> None:
    assert {"trades": date(2026, 11, 12)} == before(RetentionSettings(trades_days=3), NOW)
    assert {} == before(RetentionSettings(), NOW)


@pytest.mark.parametrize("days", [-1, 1, 2])
def test_what_healing_and_repairs_look_back_to_is_never_dropped(days: int) -> None:
    with pytest.raises(BadSettingError):
        RetentionSettings(trades_days=days)
