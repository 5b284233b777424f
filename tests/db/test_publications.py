"""The log, read back."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from db import publications
from db.connections import connected
from db.publications import Bounds, Stream
from market.channels import Family
from market.times import SECOND
from tests.conftest import execute, url_of

if TYPE_CHECKING:
    from db.connections import Connection

SIGNALS = Stream(7, Family.SIGNALS)
BARS = Stream(7, Family.BARS)
NONE_YET = Stream(8, Family.SIGNALS)
T = 1_733_270_400 * SECOND


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


@pytest.mark.parametrize("first", [1, 4])
async def test_a_moment_is_found_in_the_log_as_by_reading_all_of_it(
    connection: "Connection", first: int
) -> None:
    times = [T + 10 * step for step in (0, 1, 1, 1, 2, 5, 5, 9, 10, 10, 11, 30, 31)]
    for offset, committed_at in enumerate(times, first):
        await connection.execute(
            "INSERT INTO publications VALUES ($1, $2, $3, 'signal', NULL, 'rsi', $4, '{}', $4)",
            *SIGNALS,
            offset,
            committed_at,
        )
    ends = await publications.bounds(connection, [SIGNALS, NONE_YET])
    for moment in range(T - 5, T + 330, 5):
        found = await publications.since(connection, {SIGNALS: moment, NONE_YET: moment}, ends)
        earlier = sum(committed_at < moment for committed_at in times)
        expected = first + earlier - 1 if earlier or first == 1 else 0
        assert {SIGNALS: expected, NONE_YET: 0} == found


async def test_data_comes_back_to_the_byte(connection: "Connection") -> None:
    await log(connection, SIGNALS, 1)
    [publication] = await publications.beyond(connection, {SIGNALS: 0}, 9)
    assert '{"a":  1}' == publication.data


async def test_the_log_has_a_name_which_a_restored_one_does_not_share(
    connection: "Connection", postgres_template: str, postgres_url: str
) -> None:
    name = await publications.epoch(connection)
    assert name == await publications.epoch(connection)
    await connection.close()
    _, _, database = postgres_url.partition("?")[0].rpartition("/")
    await execute(postgres_template, f"CREATE DATABASE {database}_copy TEMPLATE {database}")
    try:
        async with connected(url_of(postgres_template, f"{database}_copy"), "test") as copy:
            theirs = await publications.epoch(copy)
    finally:
        await execute(postgres_template, f"DROP DATABASE {database}_copy WITH (FORCE)")
    assert (name.partition("-")[0], True) == (theirs.partition("-")[0], name != theirs)
