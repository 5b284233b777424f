"""Pages of trades, bars, and signals out of PostgreSQL."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from db.connections import connected
from db.history import bars, signals, trades
from db.history.windows import Window
from market.times import DAY, HOUR, SECOND

if TYPE_CHECKING:
    from db.connections import Connection

T = 1_733_270_400 * SECOND
"""2024-12-04T00:00:00Z."""


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "test") as connection:
        await connection.execute("CREATE TABLE trades_all PARTITION OF trades DEFAULT")
        yield connection


async def add_trades(connection: "Connection", *keys: tuple[int, int, int]) -> None:
    await connection.executemany(
        "INSERT INTO trades VALUES (1, 1, $1, $2, $3, 65000.1, 0.30000000000000004, $2)", keys
    )


async def add_signals(connection: "Connection", *keys: tuple[int, str, int]) -> None:
    await connection.executemany(
        "INSERT INTO signals VALUES ($1, $2, 1, $3, 'up', 0.5, 1, 10.5, '{\"rsi\": 71.25}', $3, $3, $3, $3)",
        keys,
    )


async def test_trades_of_one_instant_are_paged_by_their_id(connection: "Connection") -> None:
    await add_trades(connection, (7, T, -5), (7, T, 3), (7, T, 4), (7, T + 1, 1))
    first = await trades.read(connection, Window(limit=2), exchange_id=1, instrument_ids=[7])
    after = trades.key(first[-1])
    second = await trades.read(connection, Window(after=after, limit=5), exchange_id=1, instrument_ids=[7])
    assert [(T, -5), (T, 3), (T, 4), (T + 1, 1)] == [(t.ts, t.trade_id) for t in first + second]


async def test_a_whole_exchange_is_paged_without_repeating_an_instant(connection: "Connection") -> None:
    await add_trades(connection, (8, T, 1), (7, T, 1), (7, T, 2), (7, T + 1, 9))
    first = await trades.read(connection, Window(limit=2), exchange_id=1, instrument_ids=[8, 7])
    after = trades.key(first[-1])
    second = await trades.read(connection, Window(after=after, limit=5), exchange_id=1, instrument_ids=[8, 7])
    read = [(t.ts, t.instrument_id, t.trade_id) for t in first + second]
    assert [(T, 7, 1), (T, 7, 2), (T, 8, 1), (T + 1, 7, 9)] == read


async def test_a_window_is_half_open_and_a_double_comes_back_whole(connection: "Connection") -> None:
    await add_trades(connection, (7, T, 1), (7, T + 5, 2), (7, T + DAY, 3))
    window = Window(from_ts=T, to_ts=T + 5, limit=9)
    [trade] = await trades.read(connection, window, exchange_id=1, instrument_ids=[7])
    assert (T, 65000.1, 0.30000000000000004) == (trade.ts, trade.price, trade.size)


async def test_the_newest_first_go_backwards_from_a_cursor(connection: "Connection") -> None:
    await add_trades(connection, (7, T, 1), (7, T, 2), (7, T + 1, 3))
    newest = Window(newest_first=True, limit=1)
    [last] = await trades.read(connection, newest, exchange_id=1, instrument_ids=[7])
    older = Window(newest_first=True, after=trades.key(last), limit=9)
    rest = await trades.read(connection, older, exchange_id=1, instrument_ids=[7])
    assert [3, 2, 1] == [trade.trade_id for trade in [last, *rest]]


async def test_bars_are_read_by_instrument_and_interval(connection: "Connection") -> None:
    for seconds, start in ((1, T), (1, T + 2 * SECOND), (60, T)):
        await connection.execute(
            "INSERT INTO bars VALUES (7, $1, $2, 1, 2, 0.5, 1.5, 10, 15, 6, 4, 3, 'live')", seconds, start
        )
    read = await bars.read(connection, Window(limit=9), instrument_ids=[7], interval=SECOND)
    assert [T, T + 2 * SECOND] == [each.bar.start for each in read]
    assert (SECOND, 1.5, 3, "live") == (
        read[0].bar.interval,
        read[0].bar.close,
        read[0].bar.trades,
        read[0].source,
    )


async def test_signals_of_many_instruments_are_merged_in_time(connection: "Connection") -> None:
    await add_signals(
        connection, (8, "rsi", T), (7, "rsi", T), (7, "flow", T), (7, "rsi", T + HOUR), (9, "rsi", T)
    )
    first = await signals.read(connection, Window(limit=2), instrument_ids=[7, 8])
    rest = Window(after=signals.key(first[-1]), limit=9)
    second = await signals.read(connection, rest, instrument_ids=[7, 8])
    read = [(s.signal.ts, s.instrument_id, s.signal.kind) for s in first + second]
    assert [(T, 7, "flow"), (T, 7, "rsi"), (T, 8, "rsi"), (T + HOUR, 7, "rsi")] == read


async def test_signals_can_be_narrowed_to_kinds(connection: "Connection") -> None:
    await add_signals(connection, (7, "rsi", T), (7, "flow", T))
    [only] = await signals.read(
        connection, Window(limit=9), instrument_ids=[7], filters=signals.Filters(kinds=["flow"])
    )
    assert ("flow", {"rsi": 71.25}) == (only.signal.kind, only.signal.evidence)
