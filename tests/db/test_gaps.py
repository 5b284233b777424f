"""Gaps are opened with the job that heals them, narrowed, closed, and read."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from db import gaps
from db.connections import connected
from db.history.gaps import Filters, read
from market.gaps import HEALED_BY_ITSELF, TOO_LONG, Cause, Finding, Gap, GapState
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection

MOMENT = 1_700_000_000 * SECOND


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "test") as connection:
        yield connection


def found(instrument_id: int = 7, after_id: int | None = 10, **changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "kind": "trades",
        "cause": Cause.RECONNECT,
        "state": GapState.OPEN,
        "from_ts": MOMENT,
        "to_ts": MOMENT + 5 * SECOND,
    }
    return Finding(instrument_id=instrument_id, after_id=after_id, **{**fields, **changes})


async def opened(connection: "Connection", *findings: Finding) -> list[Gap]:
    async with connection.transaction():
        return await gaps.record(connection, findings or [found()])


async def work(connection: "Connection") -> list[tuple[Any, ...]]:
    """Return each chunk: gap, end, whether it is due now, its state and its job's."""
    rows = await connection.fetch(
        "SELECT gap_id, chunks.to_ts, due_at <= clock_timestamp() AS due, chunks.state, jobs.kind,"
        " jobs.state AS job FROM chunks JOIN jobs USING (job_id) ORDER BY chunk_id"
    )
    return [tuple(row) for row in rows]


async def test_an_opened_gap_has_a_job_and_a_chunk_that_waits_for_a_trade_to_bridge_it(
    connection: "Connection",
) -> None:
    [gap] = await opened(connection)
    assert (7, Cause.RECONNECT, GapState.OPEN, 10, None) == (
        gap.instrument_id,
        gap.cause,
        gap.state,
        gap.after_id,
        gap.before_id,
    )
    assert [(gap.gap_id, MOMENT + 5 * SECOND, False, "waiting", "heal", "waiting")] == await work(connection)
    assert [gap] == await gaps.by_id(connection, [gap.gap_id])


async def test_a_gap_between_two_known_trades_is_healed_at_once(connection: "Connection") -> None:
    await opened(connection, found(before_id=15, cause=Cause.SEQUENCE))
    [[_, _, due, *_]] = await work(connection)
    assert due


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "depths", "cause": Cause.BOOK, "state": GapState.UNRECOVERABLE},
        {"state": GapState.UNRECOVERABLE},
        {"to_ts": MOMENT + HEALED_BY_ITSELF + 1},
    ],
)
async def test_what_is_not_healed_by_itself_has_no_job(
    connection: "Connection", changes: dict[str, Any]
) -> None:
    [gap] = await opened(connection, found(**changes))
    assert gap.job_id is None
    assert (TOO_LONG if gap.state == GapState.OPEN else "") == gap.detail
    assert [] == await work(connection)


async def test_a_stream_that_was_silent_for_days_is_asked_about_all_the_same(
    connection: "Connection",
) -> None:
    [gap] = await opened(connection, found(cause=Cause.MUTE, to_ts=MOMENT + 3 * HEALED_BY_ITSELF))
    assert (True, "") == (gap.job_id is not None, gap.detail)


async def test_a_gap_that_is_known_better_stays_one_gap(connection: "Connection") -> None:
    [first] = await opened(connection)
    await opened(connection, found(to_ts=MOMENT + 9 * SECOND))
    [gap] = await opened(connection, found(to_ts=MOMENT + 8 * SECOND, before_id=20))
    assert (first.gap_id, first.job_id, MOMENT + 9 * SECOND, 20) == (
        gap.gap_id,
        gap.job_id,
        gap.to_ts,
        gap.before_id,
    )
    [[gap_id, _, due, *_]] = await work(connection)
    assert (first.gap_id, True) == (gap_id, due)


async def test_a_closed_gap_takes_its_chunk_and_job_along(connection: "Connection") -> None:
    await opened(connection, found(), found(8))
    [gap] = await opened(connection, found(state=GapState.CLOSED, detail="ids are contiguous"))
    assert (7, GapState.CLOSED, "ids are contiguous") == (gap.instrument_id, gap.state, gap.detail)
    assert gap.closed_at is not None
    assert [("done", "done"), ("waiting", "waiting")] == [
        (chunk, job) for *_, chunk, _, job in await work(connection)
    ]


async def test_closing_what_was_never_opened_does_nothing(connection: "Connection") -> None:
    assert [] == await opened(connection, found(state=GapState.CLOSED))
    assert [] == await read(connection, Filters(), limit=9)


async def test_what_is_found_of_a_gap_that_is_closed_is_a_gap_of_its_own(connection: "Connection") -> None:
    [first] = await opened(connection)
    await opened(connection, found(state=GapState.CLOSED))
    [second] = await opened(connection, found(before_id=20))
    assert second.gap_id > first.gap_id


async def test_live_never_waits_for_a_gap_that_its_healer_holds(
    connection: "Connection", postgres_url: str
) -> None:
    [first] = await opened(connection)
    async with connected(postgres_url, "healer") as healer, healer.transaction():
        await healer.execute("SELECT FROM gaps, chunks, jobs FOR UPDATE")
        assert [] == await opened(connection, found(state=GapState.CLOSED))
        [second] = await opened(connection, found(before_id=20))
        assert first.gap_id != second.gap_id


async def test_a_healer_settles_a_gap_only_as_it_has_read_it(connection: "Connection") -> None:
    [read] = await opened(connection)
    await gaps.begin_healing(connection, read.gap_id)
    [better] = await opened(connection, found(before_id=20))
    assert GapState.HEALING == better.state
    assert await gaps.settle(connection, read, GapState.CLOSED, "complete") is None
    settled = await gaps.settle(connection, better, GapState.CLOSED, "complete")
    assert settled is not None
    assert (GapState.CLOSED, "complete") == (settled.state, settled.detail)
    assert [("done", "done")] == [(chunk, job) for *_, chunk, _, job in await work(connection)]


async def test_gaps_are_paged_by_their_id_and_filtered(connection: "Connection") -> None:
    late = found(8, from_ts=MOMENT + 60 * SECOND, to_ts=MOMENT + 61 * SECOND)
    book = found(9, kind="depths", state=GapState.UNRECOVERABLE)
    one, two, three = await opened(connection, found(), late, book)

    async def ids(
        filters: Filters, limit: int = 9, after: int | None = None, *, back: bool = False
    ) -> list[int]:
        page = await read(connection, filters, after=after, newest_first=back, limit=limit)
        return [gap.instrument_id for gap in page]

    assert [7, 8] == await ids(Filters(), 2)
    assert [9] == await ids(Filters(), after=two.gap_id)
    assert [8, 7] == await ids(Filters(), after=three.gap_id, back=True)
    assert [7, 9] == await ids(Filters(from_ts=MOMENT, to_ts=MOMENT + 1))
    assert [8] == await ids(Filters(from_ts=one.to_ts))
    assert [9] == await ids(Filters(states=[GapState.UNRECOVERABLE, GapState.CLOSED]))
    assert [7] == await ids(Filters(instrument_ids=[7, 9], kind="trades"))
    assert [] == await ids(Filters(instrument_ids=[]))


async def test_a_gap_that_stands_without_work_is_asked_for_again_unless_it_is_long(
    connection: "Connection",
) -> None:
    stray, _, held = await opened(
        connection,
        found(),
        found(8, to_ts=MOMENT + HEALED_BY_ITSELF + 1),
        found(9),
    )
    await connection.execute("UPDATE gaps SET opened_at = opened_at - interval '1 hour'")
    assert 0 == await gaps.heal_again(connection)
    await connection.execute("UPDATE chunks SET state = 'done' WHERE gap_id = $1", stray.gap_id)
    assert 1 == await gaps.heal_again(connection)
    [again] = await gaps.by_id(connection, [stray.gap_id])
    assert again.job_id not in {None, stray.job_id, held.job_id}
    assert 0 == await gaps.heal_again(connection)
