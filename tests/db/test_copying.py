import struct
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.connections import connected
from db.copying import rows, rows_with_arrays, times
from db.instruments import register
from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.depths import Depth
from market.instruments import spot
from market.quotes import Quote
from market.times import SECOND
from market.trades import Trade

MOMENT = 1_700_000_000 * SECOND
TABLES = {"trades": Trade, "quotes": Quote, "depths": Depth}

whole = st.integers(-(2**63), 2**63 - 1)
double = st.floats(width=64)
moment = st.integers(MOMENT, MOMENT + SECOND)
received = st.integers(0, 2**52)
levels = st.lists(double, max_size=10).map(tuple)
trades = st.lists(st.builds(Trade, st.just(1), moment, whole, double, double, st.integers(-1, 1), received))
quotes = st.lists(st.builds(Quote, st.just(1), moment, whole, double, double, double, double, received))
depths = st.lists(st.builds(Depth, st.just(1), moment, whole, levels, levels, levels, levels, received))


def exactly(value: object) -> object:
    """Return a value that is equal only to the same bits: NaN to NaN, and 0.0 not to -0.0."""
    if isinstance(value, float):
        return struct.pack(">d", value) if value == value else "NaN"  # noqa: PLR0124
    return [exactly(each) for each in value] if isinstance(value, (list, tuple)) else value


def once_each(ticks: Sequence[Any]) -> list[Any]:
    by_key = {tick.tape_key: tick for tick in reversed(ticks)}
    rows_ = [[getattr(tick, field) for field in tick.__struct_fields__] for tick in by_key.values()]
    return in_order(rows_)


def in_order(rows_: Iterable[Sequence[Any]]) -> list[Any]:
    return [exactly(row) for row in sorted(rows_, key=itemgetter(1, 2))]


@pytest.mark.slow
@given(trades, quotes, depths)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_value_comes_back_from_postgresql_exactly(
    postgres_url: str, trades: list[Trade], quotes: list[Quote], depths: list[Depth]
) -> None:
    async with connected(postgres_url, "test") as connection:
        listed = await register(connection, [spot("kraken", "SOL", "USD", "SOL/USD")])
        await ensure_days(connection, [day_of(MOMENT)])
        writer = TickWriter(connection, await enlist(connection))
        outer = connection.transaction()
        await outer.start()
        await writer.write(Ticks(trades, quotes, depths), {1: listed["kraken:SOL/USD"]})
        stored = {
            table: await connection.fetch(f"SELECT {', '.join(kind.__struct_fields__)} FROM {table}")  # noqa: S608
            for table, kind in TABLES.items()
        }
        await outer.rollback()
    offered: dict[str, Sequence[Any]] = {"trades": trades, "quotes": quotes, "depths": depths}
    for table, ticks in offered.items():
        found = in_order(map(list, stored[table]))
        assert once_each(ticks) == found


def test_a_row_is_its_count_of_fields_then_each_with_its_length() -> None:
    data = rows([("id", ">i4", times([946_684_800_000_007], 1))])
    assert b"PGCOPY\n\xff\r\n\x00" + bytes(8) == data[:19]
    assert bytes.fromhex("0001 00000004 00000007 ffff") == data[19:]


def test_arrays_stand_between_the_fixed_columns_with_their_own_head() -> None:
    one = times([946_684_800_000_001], 1)
    data = rows_with_arrays([("id", ">i4", one)], [[(0.5,)], [()]], ("last", ">i2", one))[19:]
    head = "0004 00000004 00000001"
    filled = "00000020 00000001 00000000 000002bd 00000001 00000001 00000008 3fe0000000000000"
    empty = "0000000c 00000000 00000000 000002bd"
    assert bytes.fromhex(f"{head} {filled} {empty} 00000002 0001 ffff") == data


@pytest.mark.parametrize("ts", [0, 946_684_800_000_000, 1_700_000_000_123_456])
def test_times_count_from_the_year_2000(ts: int) -> None:
    assert [ts - 946_684_800_000_000] == times([ts], 1).tolist()
