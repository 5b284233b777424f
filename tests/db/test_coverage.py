"""The coverage of what was decided is read in one statement, out of proofs and gaps."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import coverage, gaps, proofs
from db.connections import connected
from db.coverage import Stretch
from market.coverage import Coverage, Interval, Proof
from market.gaps import DEPTHS, TRADES, Cause, Finding, GapState
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection

T = 1_700_000_000 * SECOND
END = 60

seconds = st.integers(0, END)
intervals = st.lists(st.builds(Interval, seconds, seconds).filter(lambda each: each[0] < each[1]), max_size=6)


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "test") as connection:
        yield connection


async def prove(connection: "Connection", kind: str, from_ts: int, to_ts: int, source: str) -> None:
    await proofs.extend(connection, [Proof(7, kind, T + from_ts * SECOND, T + to_ts * SECOND)], source)


async def open_gap(
    connection: "Connection", from_ts: int, to_ts: int, state: GapState = GapState.OPEN
) -> None:
    found = Finding(
        instrument_id=7,
        kind=TRADES,
        cause=Cause.SEQUENCE,
        state=state,
        from_ts=T + from_ts * SECOND,
        to_ts=T + to_ts * SECOND,
    )
    async with connection.transaction():
        await gaps.record(connection, [found])


def stretch(from_ts: int, to_ts: int, kind: str = TRADES, instrument_id: int = 7) -> Stretch:
    return Stretch(instrument_id, kind, T + from_ts * SECOND, T + to_ts * SECOND)


async def test_each_stretch_is_answered_in_its_place(connection: "Connection") -> None:
    await prove(connection, TRADES, 0, 10, proofs.HISTORY)
    await prove(connection, DEPTHS, 0, 5, proofs.HISTORY)
    await open_gap(connection, 4, 6)
    asked = [
        stretch(0, 4),
        stretch(0, 10),
        stretch(0, 10, DEPTHS),
        stretch(0, 4),
        stretch(0, 10, instrument_id=8),
        stretch(8, 12),
    ]
    assert [1.0, 0.8, 0.5, 1.0, 0.0, 0.5] == await coverage.shares(connection, asked)
    assert [] == await coverage.shares(connection, [])


async def test_a_closed_gap_takes_nothing_away(connection: "Connection") -> None:
    await prove(connection, TRADES, 0, 10, proofs.HISTORY)
    await open_gap(connection, 4, 6)
    await open_gap(connection, 4, 6, GapState.CLOSED)
    assert [1.0] == await coverage.shares(connection, [stretch(0, 10)])


async def test_what_was_just_decided_is_proven_though_the_proof_is_moved_once_a_second(
    connection: "Connection",
) -> None:
    await prove(connection, DEPTHS, 0, 5, proofs.LIVE)
    instants = [Stretch(7, DEPTHS, at, at) for at in (T + 5 * SECOND + 900_000, T + 6 * SECOND)]
    assert [1.0, 0.0] == await coverage.shares(connection, instants)
    await prove(connection, DEPTHS, 0, 8, proofs.LIVE)
    assert [1.0, 1.0] == await coverage.shares(connection, instants, look_back=1)


async def test_however_many_gaps_were_healed_since_it_began_the_live_session_is_looked_at(
    connection: "Connection",
) -> None:
    await prove(connection, TRADES, 0, 60, proofs.LIVE)
    for second in range(1, 20):
        await prove(connection, TRADES, second, second + 1, proofs.HISTORY)
    assert [1.0] == await coverage.shares(connection, [stretch(50, 51)], look_back=16)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(proven=intervals, missing=intervals, asked=intervals)
async def test_the_statement_reads_all_that_the_arithmetic_needs(
    connection: "Connection", proven: list[Interval], missing: list[Interval], asked: list[Interval]
) -> None:
    await connection.execute("TRUNCATE proofs, gaps")
    for each in proven:
        await prove(connection, TRADES, *each, proofs.HISTORY)
    for each in missing:
        await open_gap(connection, *each)
    starts = {each.from_ts: max(p.to_ts for p in proven if p.from_ts == each.from_ts) for each in proven}
    expected = Coverage([Interval(*each) for each in starts.items()], missing).shares(asked)
    stretches = [stretch(*each) for each in asked]
    assert expected == pytest.approx(await coverage.shares(connection, stretches))
    assert expected == pytest.approx(await coverage.shares(connection, stretches, look_back=6))
