"""What one ingester leaves in PostgreSQL, and what the next, or another beside it, makes of it."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

import pytest

from db.connections import connected
from db.history import gaps
from db.history.gaps import Filters
from db.instruments import Listed, register
from db.partitions import day_of, ensure_days
from db.proofs import read_coverage, tape_ends
from db.ticks import Ticks, TickWriter, Written
from db.writers import enlist
from ingest.continuity import Continuity
from ingest.findings import Findings, merged
from ingest.venues.venue import Decoded
from market.gaps import TRADES, Cause, Gap, GapState
from market.instruments import spot
from market.quotes import Quote
from market.times import MINUTE, SECOND
from market.trades import Side, Trade

if TYPE_CHECKING:
    from db.connections import Connection

MOMENT = 1_700_000_000 * SECOND
STEP = SECOND // 10
SOL = spot("kraken", "SOL", "USD", "SOL/USD")


class Ingester:
    """One that listens to one instrument, and commits when it is told to."""

    def __init__(self, writer: TickWriter, listed: Listed, continuity: Continuity) -> None:
        self._writer = writer
        self._listed = listed
        self._continuity = continuity
        self._trades: list[Trade] = []
        self._found: list[Findings] = []

    @classmethod
    async def started(cls, connection: "Connection", listed: Listed) -> Self:
        continuity = Continuity(contiguous=True)
        ends = await tape_ends(connection, {listed.instrument_id: listed})
        continuity.join(listed.instrument_id, ends[listed.instrument_id])
        continuity.answered([listed.instrument_id])
        return cls(TickWriter(connection, await enlist(connection)), listed, continuity)

    def pass_time(self, from_ts: int, to_ts: int) -> None:
        for ts in range(from_ts, to_ts, STEP):
            quote = Quote(self._listed.instrument_id, ts, 1, 1.0, 1.0, 2.0, 1.0, ts)
            self._found.append(self._continuity.take(Decoded(quotes=[quote])))

    def trade(self, number: int, ts: int) -> None:
        trade = Trade(self._listed.instrument_id, ts, number, 1.0, 1.0, Side.BUY, ts)
        self._trades.append(trade)
        self._found.append(self._continuity.take(Decoded(trades=[trade])))

    def lose(self) -> None:
        self._continuity.lost()
        self._found.append(self._continuity.take(Decoded()))

    async def commit(self) -> Written:
        found, trades = merged(self._found), self._trades
        self._found, self._trades = [], []
        ticks = Ticks(trades, proofs=found.proofs, gaps=found.gaps)
        return await self._writer.write(ticks, {self._listed.instrument_id: self._listed})


class Bench:
    def __init__(self, connection: "Connection", other: "Connection", listed: Listed) -> None:
        self.connection = connection
        self.other = other
        self.listed = listed

    async def first(self) -> Ingester:
        """Return an ingester that has committed ten trades in three seconds."""
        ingester = await Ingester.started(self.connection, self.listed)
        ingester.pass_time(MOMENT, MOMENT + SECOND)
        for number in range(1, 11):
            ingester.trade(number, MOMENT + SECOND + number * STEP)
        ingester.pass_time(MOMENT + 2 * SECOND, MOMENT + 3 * SECOND + 1)
        assert not (await ingester.commit()).gaps
        return ingester

    async def gaps(self) -> list[Gap]:
        return await gaps.read(self.connection, Filters(kind=TRADES), limit=9)

    async def covered(self, from_ts: int, to_ts: int) -> float:
        key = self.listed.instrument_id
        found = await read_coverage(self.connection, [key], TRADES, from_ts, to_ts)
        return found[key].share(from_ts, to_ts)


@pytest.fixture
async def bench(postgres_url: str) -> AsyncIterator[Bench]:
    async with connected(postgres_url, "one") as one, connected(postgres_url, "other") as other:
        listed = await register(one, [SOL])
        await ensure_days(one, [day_of(MOMENT)])
        yield Bench(one, other, listed[SOL.key])


async def test_who_starts_after_a_kill_finds_the_downtime_with_the_first_trade(bench: Bench) -> None:
    await bench.first()
    later = await Ingester.started(bench.other, bench.listed)
    later.trade(40, MOMENT + MINUTE)
    await later.commit()
    [gap] = await bench.gaps()
    assert (Cause.DOWNTIME, MOMENT + 2 * SECOND, MOMENT + MINUTE + 1, 10, 40) == (
        gap.cause,
        gap.from_ts,
        gap.to_ts,
        gap.after_id,
        gap.before_id,
    )
    commits = await bench.connection.fetch(
        "SELECT xmin::text FROM trades WHERE trade_id = 40 UNION SELECT xmin::text FROM gaps"
        " UNION SELECT xmin::text FROM jobs UNION SELECT xmin::text FROM chunks"
    )
    assert len(commits) == 1
    assert await bench.covered(MOMENT + SECOND, MOMENT + 2 * SECOND) == 1.0
    assert await bench.covered(MOMENT + 2 * SECOND, MOMENT + MINUTE) == 0.0


async def test_a_session_that_ends_in_order_is_proven_up_to_its_last_trade(bench: Bench) -> None:
    ingester = await bench.first()
    ingester.trade(11, MOMENT + 3 * SECOND + STEP)
    ingester.lose()
    await ingester.commit()
    assert await bench.covered(MOMENT + SECOND, MOMENT + 3 * SECOND + STEP) == 1.0


async def test_downtime_in_which_nothing_traded_is_proven_by_the_next_trade(bench: Bench) -> None:
    await bench.first()
    later = await Ingester.started(bench.other, bench.listed)
    later.pass_time(MOMENT + MINUTE, MOMENT + MINUTE + SECOND)
    await later.commit()
    [gap] = await bench.gaps()
    assert (GapState.OPEN, None) == (gap.state, gap.before_id)
    assert await bench.covered(MOMENT + 3 * SECOND, MOMENT + MINUTE) == 0.0
    later.trade(11, MOMENT + MINUTE + SECOND)
    await later.commit()
    [gap] = await bench.gaps()
    assert GapState.CLOSED == gap.state
    assert await bench.covered(MOMENT + SECOND, MOMENT + MINUTE + SECOND) == 1.0
    states = "SELECT jobs.state, chunks.state FROM jobs JOIN chunks USING (job_id)"
    assert [("done", "done")] == [tuple(row) for row in await bench.connection.fetch(states)]


async def test_two_that_miss_the_same_share_a_gap_and_who_knows_better_says_so(bench: Bench) -> None:
    await bench.first()
    one = await Ingester.started(bench.connection, bench.listed)
    other = await Ingester.started(bench.other, bench.listed)
    for each in (one, other):
        each.pass_time(MOMENT + MINUTE, MOMENT + MINUTE + SECOND)
        await each.commit()
    assert len(await bench.gaps()) == 1
    one.trade(11, MOMENT + MINUTE + SECOND)
    one.trade(12, MOMENT + MINUTE + 2 * SECOND)
    await one.commit()
    assert [GapState.CLOSED] == [gap.state for gap in await bench.gaps()]
    other.trade(12, MOMENT + MINUTE + 2 * SECOND)
    await other.commit()
    assert [(GapState.CLOSED, None), (GapState.OPEN, 12)] == [
        (gap.state, gap.before_id) for gap in await bench.gaps()
    ]


async def test_who_joins_another_that_goes_on_opens_a_gap_that_the_table_fills(bench: Bench) -> None:
    one = await bench.first()
    other = await Ingester.started(bench.other, bench.listed)
    one.trade(11, MOMENT + 4 * SECOND)
    one.trade(12, MOMENT + 5 * SECOND)
    await one.commit()
    other.trade(12, MOMENT + 5 * SECOND)
    await other.commit()
    [gap] = await bench.gaps()
    assert (10, 12) == (gap.after_id, gap.before_id)
    between = "SELECT count(*) FROM trades WHERE trade_id > $1 AND trade_id < $2"
    assert await bench.connection.fetchval(between, gap.after_id, gap.before_id) == 1
