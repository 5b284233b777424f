"""The log, read back."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from db import publications
from db.connections import connected
from db.publications import Bounds, Stream
from market.channels import Family

if TYPE_CHECKING:
    from db.connections import Connection

SIGNALS = Stream(7, Family.SIGNALS)
BARS = Stream(7, Family.BARS)
NONE_YET = Stream(8, Family.SIGNALS)


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "test") as connection:
        yield connection


async def log(connection: "Connection", stream: Stream, *offsets: int) -> None:
    await connection.executemany(
        "INSERT INTO publications VALUES ($1, $2, $3, 'signal', NULL, 'rsi', now(), '{\"a\":  1}', now())",
        [(*stream, offset) for offset in offsets],
    )


async def test_an_empty_stream_ends_at_0(connection: "Connection") -> None:
    await log(connection, SIGNALS, 4, 5, 6)
    ends = await publications.bounds(connection, [SIGNALS, NONE_YET])
    assert {SIGNALS: Bounds(4, 6), NONE_YET: Bounds(0, 0)} == ends


async def test_each_stream_gives_a_page_beyond_what_was_had(connection: "Connection") -> None:
    await log(connection, SIGNALS, 1, 2, 3, 4)
    await log(connection, BARS, 1, 2)
    read = await publications.beyond(connection, {SIGNALS: 1, BARS: 0, NONE_YET: 0}, 2)
    assert {("signals", 2), ("signals", 3), ("bars", 1), ("bars", 2)} == {(p.family, p.offset) for p in read}


async def test_data_comes_back_to_the_byte(connection: "Connection") -> None:
    await log(connection, SIGNALS, 1)
    [publication] = await publications.beyond(connection, {SIGNALS: 0}, 9)
    assert '{"a":  1}' == publication.data


async def test_the_log_has_a_name(connection: "Connection") -> None:
    name = await publications.epoch(connection)
    assert name
