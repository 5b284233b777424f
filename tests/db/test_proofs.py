"""Proofs grow, and are read as coverage; a tape's end is found."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from db import gaps, proofs
from db.connections import connected
from db.instruments import register
from db.partitions import day_of, ensure_days
from market.coverage import NOTHING, Interval, Proof
from market.gaps import Cause, Finding, GapState
from market.instruments import spot
from market.tapes import TapeEnd
from market.times import DAY, HOUR, SECOND
from runtime.clock import now

if TYPE_CHECKING:
    from db.connections import Connection

MOMENT = 1_700_000_000 * SECOND


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "test") as connection:
        yield connection


def hole(from_ts: int, to_ts: int, state: GapState) -> Finding:
    return Finding(
        instrument_id=7, kind="trades", cause=Cause.SEQUENCE, state=state, from_ts=from_ts, to_ts=to_ts
    )


async def test_a_proof_is_one_row_whose_end_only_moves_forward(connection: "Connection") -> None:
    for end in (10, 30, 20):
        await proofs.extend(connection, [Proof(7, "trades", MOMENT, MOMENT + end)])
    rows = await connection.fetch("SELECT from_ts, to_ts, source FROM proofs")
    assert [(MOMENT, MOMENT + 30, "live")] == [tuple(row) for row in rows]


async def test_what_is_proven_live_waits_for_no_proof_of_history(
    connection: "Connection", postgres_url: str
) -> None:
    async with connected(postgres_url, "live", {"lock_timeout": "5s"}) as live:
        async with connection.transaction():
            await proofs.extend(connection, [Proof(7, "trades", MOMENT, MOMENT + 10)], proofs.HISTORY)
            await proofs.extend(live, [Proof(7, "trades", MOMENT, MOMENT + 30)])
        rows = await live.fetch("SELECT to_ts, source FROM proofs ORDER BY to_ts")
    assert [(MOMENT + 10, "history"), (MOMENT + 30, "live")] == [tuple(row) for row in rows]


async def test_coverage_is_what_is_proven_but_for_gaps_that_are_not_closed(connection: "Connection") -> None:
    await proofs.extend(
        connection, [Proof(7, "trades", MOMENT, MOMENT + 60), Proof(8, "depths", MOMENT, MOMENT + 9)]
    )
    await proofs.extend(connection, [Proof(7, "trades", MOMENT + 80, MOMENT + 90)], proofs.HISTORY)
    async with connection.transaction():
        await gaps.record(connection, [hole(MOMENT + 10, MOMENT + 20, GapState.OPEN)])
        await gaps.record(connection, [hole(MOMENT + 30, MOMENT + 40, GapState.UNRECOVERABLE)])
        await gaps.record(connection, [hole(MOMENT + 50, MOMENT + 55, GapState.OPEN)])
        await gaps.record(connection, [hole(MOMENT + 50, MOMENT + 55, GapState.CLOSED)])
    found = await proofs.read_coverage(connection, [7, 8], "trades", MOMENT, MOMENT + 100)
    expected = [
        Interval(MOMENT, MOMENT + 10),
        Interval(MOMENT + 20, MOMENT + 30),
        Interval(MOMENT + 40, MOMENT + 60),
        Interval(MOMENT + 80, MOMENT + 90),
    ]
    assert expected == found[7].intervals(MOMENT, MOMENT + 100)
    assert NOTHING == found[8]
    later = await proofs.read_coverage(connection, [7], "trades", MOMENT + 60, MOMENT + 80)
    assert NOTHING == later[7]


async def test_the_end_of_a_tape_is_its_last_trade_and_where_proofs_end(connection: "Connection") -> None:
    listed = await register(
        connection, [spot("kraken", base, "USD", f"{base}/USD") for base in ("BTC", "SOL")]
    )
    places = {each.instrument_id: each for each in listed.values()}
    one, two = places
    await ensure_days(connection, [day_of(MOMENT + days * DAY) for days in (-1, 0)])
    await connection.executemany(
        "INSERT INTO trades VALUES ($1, 1, $2, $3, $4, 1, 1, $3)",
        [
            (places[one].exchange_id, one, MOMENT + days * DAY, number)
            for days in (-1, 0)
            for number in (5, 9, 7)
        ],
    )
    await proofs.extend(
        connection, [Proof(one, "trades", MOMENT, MOMENT + 3), Proof(one, "depths", MOMENT, MOMENT + 2)]
    )
    await proofs.extend(connection, [Proof(one, "trades", MOMENT + 5, MOMENT + 6)])
    assert {one: TapeEnd(MOMENT, 9, MOMENT + 6, MOMENT + 2), two: TapeEnd(None, None, None, None)} == (
        await proofs.tape_ends(connection, places)
    )


async def test_a_trade_of_a_time_to_come_does_not_end_a_tape(connection: "Connection") -> None:
    listed = await register(connection, [spot("kraken", "SOL", "USD", "SOL/USD")])
    places = {each.instrument_id: each for each in listed.values()}
    [one] = places
    wrong = now() + 20 * HOUR
    await ensure_days(connection, [day_of(MOMENT), day_of(wrong)])
    await connection.executemany(
        "INSERT INTO trades VALUES ($1, 1, $2, $3, $4, 1, 1, $3)",
        [(places[one].exchange_id, one, ts, number) for ts, number in ((MOMENT, 9), (wrong, 5))],
    )
    assert {one: TapeEnd(MOMENT, 9)} == await proofs.tape_ends(connection, places)
