"""Days that are too old are dropped whole: not before they are archived, nor while somebody needs them."""

import asyncio
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from db import audit, dirty, feeds, gaps, jobs, proofs, retention, verifications
from db.connections import connected
from db.dirty import DirtyInterval
from db.feeds import FeedName, WantedFeed
from db.history.gaps import Filters, read
from db.instruments import listed, register
from db.partitions import day_of, ensure_days, existing_days
from db.retention import DetachedDay
from db.settings import RetentionSettings
from market.coverage import Proof
from market.errors import ArchiveError
from market.gaps import TRADES, Cause, Finding, GapState
from market.instruments import spot
from market.times import DAY, from_iso
from runtime.settings import BadSettingError
from workers.retaining import before, retain

if TYPE_CHECKING:
    from db.connections import Connection

T = from_iso("2026-11-10")
NOW = T + 5 * DAY
BAR = (
    "INSERT INTO bars (instrument_id, interval_seconds, start, open, high, low, close, volume, quote_volume, "
    "buy_volume, sell_volume, trades, source) VALUES (1, 1, $1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 'live')"
)
ALICE = "alice@host by heliograph retention"
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
        dropped = await retention.drop(connection, KEPT) or ()
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
        assert [] == await retention.drop(connection, KEPT)
        held = [each.held for each in await retention.due(connection, KEPT)]
        assert ["a job is not done with it", "something of it is to be computed again"] == held
        await feeds.remove(connection, [FeedName("kraken", "SOL/USD")])
        assert ["", ""] == [each.held for each in await retention.due(connection, KEPT)]


async def test_a_day_that_cannot_be_archived_is_dropped_when_it_can_be_and_writers_may_go_on(
    postgres_url: str, tmp_path: Path
) -> None:
    settings = RetentionSettings(trades_days=3)
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0, 1)
        (tmp_path / "file").touch()
        with pytest.raises(ArchiveError, match="cannot be archived in"):
            await retain(postgres_url, settings, NOW, tmp_path / "file")
        assert [date(2026, 11, 11)] == await existing_days(connection, "trades")
        await fill(connection, 0)
        assert 3 == len(await retain(postgres_url, settings, NOW, tmp_path) or ())
    paths = await asyncio.to_thread(lambda: list(tmp_path.glob("*.parquet")))
    files = {path.name: pq.read_table(path).num_rows for path in paths}
    assert {
        "trades-kraken-SOL-USD-2026-11-10.parquet": 10,
        "trades-kraken-SOL-USD-2026-11-10.2.parquet": 10,
        "trades-kraken-SOL-USD-2026-11-11.parquet": 10,
    } == files


async def test_what_comes_while_a_day_is_archived_is_of_another_day_and_an_archive_is_never_overwritten(
    postgres_url: str, tmp_path: Path
) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0)

        async def archive(_: DetachedDay) -> None:
            await fill(connection, 0)
            await connection.execute("DELETE FROM trades WHERE trade_id <> 7")

        await retention.drop(connection, KEPT, archive)
        assert 1 == await connection.fetchval("SELECT count(*) FROM trades")
        (tmp_path / "trades-kraken-SOL-USD-2026-11-10.parquet").write_text("whole")
        await retain(postgres_url, RetentionSettings(trades_days=3), NOW, tmp_path)
    assert "whole" == (tmp_path / "trades-kraken-SOL-USD-2026-11-10.parquet").read_text()
    assert 1 == pq.read_table(tmp_path / "trades-kraken-SOL-USD-2026-11-10.2.parquet").num_rows


async def test_only_what_we_detached_is_dropped_and_only_where_a_rule_says_so(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0, 1)

        async def archive(_: DetachedDay) -> None:
            raise ArchiveError

        await connection.execute("ALTER TABLE trades DETACH PARTITION trades_20261110 CONCURRENTLY")
        with pytest.raises(ArchiveError):
            await retention.drop(connection, KEPT, archive)
        assert [] == list(await retention.drop(connection, {}) or ())
        assert 2 == await connection.fetchval(
            r"SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ 'trades_\d{8}'"
        )
        assert ["trades_20261111"] == [each.name for each in await retention.drop(connection, KEPT) or ()]
        assert 10 == await connection.fetchval("SELECT count(*) FROM trades_20261110")


async def test_who_comes_while_another_drops_is_told_so(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection, connected(postgres_url, "test") as other:
        await fill(connection, 0)

        async def archive(_: DetachedDay) -> None:
            assert None is await retention.drop(other, KEPT)

        assert 1 == len(await retention.drop(connection, KEPT, archive) or ())


async def test_what_was_dropped_is_missing_until_history_brings_it_again_and_was_proven_all_the_same(
    postgres_url: str,
) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0)
        await register(connection, [spot("kraken", "XRP", "USD", "XRP/USD")])
        both = [Proof(instrument_id, TRADES, T, T + DAY) for instrument_id in (1, 2)]
        await proofs.extend(connection, both)

        async def stored() -> list[float]:
            found = await proofs.read_stored(connection, [1, 2], TRADES, T, T + DAY)
            return [found[each].share(T, T + DAY) for each in (1, 2)]

        await retention.drop(connection, KEPT)
        await fill(connection, 0)
        assert [0.0, 1.0] == await stored()
        halves = [Proof(1, TRADES, T, T + DAY // 2), Proof(1, TRADES, T + DAY // 2, T + DAY)]
        for half, share in zip(halves, (0.5, 1.0), strict=True):
            await proofs.extend(connection, [half], proofs.HISTORY)
            assert [share, 1.0] == await stored()
        await retention.drop(connection, KEPT)
        assert [0.0, 1.0] == await stored()
        found = await proofs.read_coverage(connection, [1], TRADES, T, T + DAY)
    assert 1.0 == found[1].share(T, T + DAY)


async def test_what_is_computed_again_or_verified_begins_with_the_first_tick_once_a_day_was_dropped(
    postgres_url: str,
) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0, 2)
        await connection.execute(BAR, T - DAY)
        [of] = await listed(connection)
        assert T - DAY == await verifications.began(connection, of)
        await retention.drop(connection, KEPT)
        assert T + 2 * DAY == await verifications.began(connection, of)


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
        [gap] = await read(connection, Filters(), limit=9)
    assert GapState.UNRECOVERABLE == gap.state
    assert "its day was dropped" in gap.detail


async def test_what_is_dropped_is_in_files_first(postgres_url: str, tmp_path: Path) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0, 4)
    dropped = await retain(postgres_url, RetentionSettings(trades_days=3, quotes_days=3), NOW, tmp_path)
    assert {"trades_20261110", "quotes_20261110"} == {each.name for each in dropped or ()}
    file = tmp_path / "trades-kraken-SOL-USD-2026-11-10.parquet"
    assert 10 == pq.read_table(file).num_rows


async def test_who_drops_days_by_a_command_is_written_down(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        await fill(connection, 0, 1, 4)
        await retain(postgres_url, RetentionSettings(trades_days=4), NOW)
        assert [] == await audit.entries(connection, None, 9)
        await retain(postgres_url, RetentionSettings(trades_days=3), NOW, actor=ALICE)
        [entry] = await audit.entries(connection, None, 9)
    assert (ALICE, "trades", "drop") == (entry.actor, entry.noun, entry.change)
    assert "2026-11-11" == (entry.before or {})["day"]


def test_days_are_counted_back_from_today() -> None:
    assert {"trades": date(2026, 11, 12)} == before(RetentionSettings(trades_days=3), NOW)
    assert {} == before(RetentionSettings(), NOW)


@pytest.mark.parametrize("days", [-1, 1, 2])
def test_what_healing_and_repairs_look_back_to_is_never_dropped(days: int) -> None:
    with pytest.raises(BadSettingError):
        RetentionSettings(trades_days=days)
