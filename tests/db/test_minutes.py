"""Closed minutes are read with the spread that each closed with."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from db import minutes
from db.connections import connected
from db.instruments import Listed
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.bars import Bar
from market.depths import Depth
from market.minutes import Minute
from market.quotes import Quote
from market.times import MINUTE, SECOND, floor
from tests.workers.models.history import listed, store

if TYPE_CHECKING:
    from db.connections import Connection

START = floor(1_723_161_600 * SECOND, MINUTE)


def bar(number: int) -> Bar:
    return Bar(MINUTE, START + number * MINUTE, 1.0, 2.0, 0.5, 1.5, 9.0, 9.5, 6.0, 3.0, 4)


def depth(instrument: Listed, ts: int, bids: tuple[float, ...] = (98.0,)) -> Depth:
    return Depth(instrument.instrument_id, ts, 1, bids, (1.0,) * len(bids), (102.0,), (1.0,), ts)


def quote(instrument: Listed, ts: int, bid: float, update_id: int = 1) -> Quote:
    return Quote(instrument.instrument_id, ts, update_id, bid, 1.0, 200.0 - bid, 1.0, ts)


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "test") as connection:
        yield connection


@pytest.fixture
async def instrument(connection: "Connection") -> Listed:
    instrument = await listed(connection)
    await store(connection, instrument, [Minute(bar(number)) for number in range(4)])
    return instrument


async def offer(connection: "Connection", instrument: Listed, ticks: Ticks) -> None:
    writer = TickWriter(connection, await enlist(connection))
    await writer.write(ticks, {instrument.instrument_id: instrument})


async def spreads(connection: "Connection", instrument: Listed) -> list[float | None]:
    read = await minutes.read(connection, instrument.instrument_id, START, START + 4 * MINUTE)
    return [minute.spread_bps for minute in read]


async def test_minutes_are_read_in_their_order_within_their_bounds(
    connection: "Connection", instrument: Listed
) -> None:
    read = await minutes.read(connection, instrument.instrument_id, START + MINUTE, START + 3 * MINUTE)
    assert [Minute(bar(1)), Minute(bar(2))] == read


async def test_the_last_quote_of_a_minute_is_its_spread(connection: "Connection", instrument: Listed) -> None:
    at = START + MINUTE
    quotes = [
        quote(instrument, at - 1, 90.0),
        quote(instrument, at, 99.0),
        quote(instrument, at + SECOND, 99.5),
        quote(instrument, at + SECOND, 99.9, update_id=2),
        quote(instrument, at + 2 * MINUTE, 98.0),
    ]
    await offer(connection, instrument, Ticks(quotes=quotes, depths=[depth(instrument, at + 2 * SECOND)]))
    assert [2000.0, pytest.approx(20.0), None, 400.0] == await spreads(connection, instrument)


async def test_where_there_are_no_quotes_a_book_tells_the_spread(
    connection: "Connection", instrument: Listed
) -> None:
    depths = [depth(instrument, START + SECOND), depth(instrument, START + MINUTE, ())]
    await offer(connection, instrument, Ticks(depths=depths))
    assert [400.0, None, None, None] == await spreads(connection, instrument)
