"""Days are read from their hours, and only those that live has left behind."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.claims import Cursor, Head
from db.connections import connected
from db.history import days
from db.history.bars import SourcedBar
from db.history.windows import Window
from db.instruments import Listed, register
from market.bars import Bar
from market.instruments import spot
from market.ticks import Kind
from market.times import DAY, HOUR, SECOND

if TYPE_CHECKING:
    from db.connections import Connection

T = 1_733_270_400 * SECOND
"""2024-12-04T00:00:00Z."""

TRADED = (0, 5, 23, 24, 70, 71, 100)
"""Hours since T with trades: days 0, 1, 2, and 4."""


def hour(number: int, size: float = 0.1) -> Bar:
    price = 100.0 + number
    return Bar(
        HOUR, T + number * HOUR, price, price + 2, price - 2, price + 1, size, size * price, size, 0.0, 1
    )


class Past:
    """An instrument with some hours of history."""

    def __init__(self, connection: "Connection", listed: Listed) -> None:
        self.connection = connection
        self.listed = listed

    async def settle(self, ts: int) -> None:
        """Let live be so far."""
        cursor = Cursor(ts, Kind.WATERMARK, 0, T, 0, 0, settled_ts=ts)
        head = Head({}, {self.listed.instrument_id: cursor})
        await self.connection.execute(
            "INSERT INTO states SELECT $1, count(*) + 1, $2 FROM states",
            self.listed.shard,
            msgspec.msgpack.encode(head),
        )

    async def starts(self, window: Window) -> list[int]:
        """Return which days are read, counted from T."""
        read = await days.read(self.connection, window, instrument_ids=[self.listed.instrument_id])
        return [(each.bar.start - T) // DAY for each in read]


@pytest.fixture
async def past(postgres_url: str) -> AsyncIterator[Past]:
    async with connected(postgres_url, "test") as connection:
        [listed] = (await register(connection, [spot("kraken", "SOL", "USD", "SOL/USD")])).values()
        await connection.executemany(
            "INSERT INTO bars_1h VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'live')",
            [(listed.instrument_id, *msgspec.structs.astuple(hour(number))[1:]) for number in TRADED],
        )
        yield Past(connection, listed)


@given(st.lists(st.floats(1e-8, 1e6), min_size=1, max_size=24))
def test_a_day_is_the_left_fold_of_its_hours(sizes: list[float]) -> None:
    hours = [hour(number, size) for number, size in enumerate(sizes)]
    volume = 0.0
    for size in sizes:
        volume += size
    day = days.day_of([SourcedBar(7, each, "live") for each in hours]).bar
    assert (day.interval, day.start, day.volume, day.trades) == (DAY, T, volume, len(hours))
    assert (day.open, day.high, day.low, day.close) == (
        hours[0].open,
        hours[-1].high,
        hours[0].low,
        hours[-1].close,
    )


def test_a_day_of_which_an_hour_was_rebuilt_says_so() -> None:
    hours = [SourcedBar(7, hour(1), "live"), SourcedBar(7, hour(2), "backfill")]
    assert "backfill" == days.day_of(hours).source


async def test_a_day_is_served_once_its_last_moment_has_passed_whenever_its_last_trade_was(
    past: Past,
) -> None:
    await past.settle(T + 2 * DAY - 1)
    assert [0] == await past.starts(Window(limit=9))
    await past.settle(T + 2 * DAY)
    assert [0, 1] == await past.starts(Window(limit=9))


async def test_nothing_is_final_of_what_live_has_not_begun_with(past: Past) -> None:
    assert [] == await past.starts(Window(limit=9))


@pytest.mark.parametrize("newest_first", [False, True])
async def test_pages_of_days_join_without_hole_or_repeat(past: Past, *, newest_first: bool) -> None:
    await past.settle(T + 9 * DAY)
    every = [0, 1, 2, 4]
    read: list[int] = []
    after = None
    while page := await past.starts(Window(after=after, newest_first=newest_first, limit=1)):
        read += page
        after = (T + page[-1] * DAY, past.listed.instrument_id)
    assert (every[::-1] if newest_first else every) == read


@pytest.mark.parametrize(
    ("from_ts", "to_ts", "expected"),
    [
        (T, T + DAY, [0]),
        (T + 1, T + DAY + 1, [1]),
        (T + 3 * DAY, T + 3 * DAY, []),
        (T + HOUR, T + 2 * HOUR, []),
        (None, T + 2 * DAY + HOUR, [0, 1, 2]),
    ],
)
async def test_a_day_belongs_to_a_range_that_it_starts_in(
    past: Past, from_ts: int | None, to_ts: int, expected: list[int]
) -> None:
    await past.settle(T + 9 * DAY)
    assert expected == await past.starts(Window(from_ts=from_ts, to_ts=to_ts, limit=9))
