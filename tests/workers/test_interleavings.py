"""Whatever writers, workers, and repairs do beside each other, and whoever is killed: all is folded, once.

A model-based test on a real database. Several writers commit, several workers claim and apply, a
backfill worker repairs; any of them may stop in the middle of its transaction while the others go on, then go
on itself or be cut off. In the end what is stored is the fold of the whole tape.
"""

import asyncio
import random
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from itertools import count
from operator import attrgetter
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from db import verifications
from db.connections import connect
from db.instruments import Listed, register
from db.partitions import day_of, ensure_days
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.bars import INTERVALS
from market.errors import StoreError
from market.instruments import spot
from market.times import DAY, HOUR, SECOND
from market.trades import Trade
from tests.conftest import TEMPLATE, execute, url_of
from tests.workers.held import Held, Process
from tests.workers.market import BEGAN, new_backfill, new_claimer, tape
from workers.claiming import Claimed, Claimer
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.memory import REWIND

BASES = ("BTC", "ETH", "SOL")
TRADES = 700
WRITERS = 3
WORKERS = 4
JITTER = REWIND - SECOND // 5
EVERYTHING = dict.fromkeys(INTERVALS.values(), (0, 2**61))
DIRTY = "SELECT instrument_id, from_ts, to_ts, reason FROM dirty"
LOG = 'SELECT instrument_id, family, "offset", revises, about, ts, data FROM publications ORDER BY 1, 2, 3'

_numbers = count(1)
statements = st.integers(0, 24)
places = st.integers(0, 7)


def hashed(trade: Trade) -> Trade:
    """As of a venue whose ids do not rise with time."""
    return msgspec.structs.replace(trade, trade_id=trade.trade_id * 7_919 % 10_007)


def arrivals(listed: list[Listed], seed: int) -> list[Trade]:
    """Trades of every instrument, in an order of arrival in which none is later than it may be."""
    chance = random.Random(seed)
    made = []
    for place, each in enumerate(listed):
        trades = tape(each.instrument_id, TRADES, seed)
        made += [hashed(trade) for trade in trades] if place % 2 else trades
    return sorted(made, key=lambda trade: trade.ts + chance.randint(0, JITTER))


class House(RuleBasedStateMachine):
    """Three instruments, three writers, up to four workers, and a backfill worker."""

    server_url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.name = f"interleaving_{next(_numbers)}"
        self.url = url_of(self.server_url, self.name)
        self.processes: dict[str, Process] = {}
        self.withheld: list[Trade] = []
        self.stored: list[Trade] = []
        self.newest: dict[int, int] = {}
        self.late: list[Trade] = []
        self.folded = 0

    @initialize(seed=st.integers(0, 2**16), workers=st.integers(2, WORKERS))
    def open(self, seed: int, workers: int) -> None:
        self.runner.run(self._open(seed, workers))

    async def _open(self, seed: int, workers: int) -> None:
        await execute(self.server_url, f"CREATE DATABASE {self.name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        self.looking = await connect(self.url, "test")
        instruments = [spot("binance", base, "USDT", f"{base}USDT") for base in BASES]
        self.listed = list((await register(self.looking, instruments)).values())
        await ensure_days(self.looking, [day_of(BEGAN), day_of(BEGAN + DAY)])
        self.coming = arrivals(self.listed, seed)
        self.workers = [f"worker {number}" for number in range(workers)]
        self.writers = [f"writer {number}" for number in range(WRITERS)]
        for name in (*self.workers, *self.writers, "backfill"):
            await self._start(name)

    async def _start(self, name: str) -> None:
        process = Process(Held(await connect(self.url, name)), new_claimer())
        if name.startswith("writer"):
            process.writer = TickWriter(process.held.connection, await enlist(process.held.connection))
        self.processes[name] = process

    # What writers do

    @rule(writer=st.integers(0, WRITERS - 1), trades=st.integers(1, 60), stop_before=st.none() | statements)
    def commit(self, writer: int, trades: int, stop_before: int | None) -> None:
        process = self._idle(self.writers[writer])
        if process and self.coming:
            process.storing, self.coming = self.coming[:trades], self.coming[trades:]
            self.runner.run(self._begin(self.writers[writer], self._store(process), stop_before))

    @rule(trades=st.integers(1, 3))
    def withhold(self, trades: int) -> None:
        self.withheld += self.coming[:trades]
        self.coming = self.coming[trades:]

    @rule(writer=st.integers(0, WRITERS - 1), stop_before=st.none() | statements)
    def commit_what_was_withheld(self, writer: int, stop_before: int | None) -> None:
        process = self._idle(self.writers[writer])
        if process and self.withheld:
            process.storing, self.withheld = self.withheld, []
            self.runner.run(self._begin(self.writers[writer], self._store(process), stop_before))

    async def _store(self, process: Process) -> None:
        assert process.writer is not None
        places = {each.instrument_id: each for each in self.listed}
        await process.writer.write(Ticks(trades=process.storing), places)
        for trade in sorted(process.storing, key=attrgetter("ts")):
            if trade.ts < self.newest.get(trade.instrument_id, 0) - REWIND:
                self.late.append(trade)
        for trade in process.storing:
            self.newest[trade.instrument_id] = max(self.newest.get(trade.instrument_id, 0), trade.ts)
        self.stored += process.storing
        process.storing = []

    # What workers do

    @rule(
        worker=st.integers(0, WORKERS - 1),
        of=st.integers(1, WORKERS),
        stop_before=st.none() | statements,
    )
    def claim(self, worker: int, of: int, stop_before: int | None) -> None:
        name = self.workers[worker % len(self.workers)]
        process = self._idle(name)
        if process:
            work = self._claim(process.claimer, process.held, of)
            self.runner.run(self._begin(name, work, stop_before))

    async def _claim(self, claimer: Claimer, held: Held, of: int) -> Claimed | None:
        claimed = await claimer.claim(held.connection, of)
        self.folded += claimed.ticks if claimed else 0
        return claimed

    @rule(writer=st.integers(0, WRITERS - 1), worker=st.integers(0, WORKERS - 1), trades=st.integers(1, 60))
    def commit_and_claim(self, writer: int, worker: int, trades: int) -> None:
        self.commit(writer, trades, None)
        self.claim(worker, 1, None)

    @rule(worker=st.integers(0, WORKERS - 1), stop_before=st.none() | statements)
    def apply(self, worker: int, stop_before: int | None) -> None:
        name = self.workers[worker % len(self.workers)]
        process = self._idle(name)
        if process:
            work = process.claimer.apply(process.held.connection, 1)
            self.runner.run(self._begin(name, work, stop_before))

    @rule(stop_before=st.none() | statements)
    def repair(self, stop_before: int | None) -> None:
        process = self._idle("backfill")
        if process:
            work = new_backfill(self.url).repair(process.held.connection)
            self.runner.run(self._begin("backfill", work, stop_before))

    # What happens to any of them

    def _busy(self) -> list[str]:
        return [name for name, process in self.processes.items() if process.doing]

    def _one_of(self, names: list[str], place: int) -> list[str]:
        """Return the one at a place, if there is any: who is busy depends on the server's pace, too."""
        return [names[place % len(names)]] if names else []

    @rule(place=places)
    def go_on(self, place: int) -> None:
        for name in self._one_of(self._busy(), place):
            self.runner.run(self.processes[name].end())

    @rule(place=places)
    def kill(self, place: int) -> None:
        for name in self._one_of(self._busy(), place):
            self.runner.run(self._kill(name))

    @rule(worker=st.integers(0, WORKERS - 1))
    def forget(self, worker: int) -> None:
        """A worker is started anew, so that shards are taken over."""
        process = self._idle(self.workers[worker % len(self.workers)])
        if process:
            process.claimer = new_claimer()

    def _idle(self, name: str) -> Process | None:
        process = self.processes[name]
        return None if process.doing else process

    async def _begin(self, name: str, work: Coroutine[Any, Any, Any], stop_before: int | None) -> None:
        process = self.processes[name]
        if await process.begin(work, stop_before):
            await process.end()

    async def _kill(self, name: str) -> None:
        process = self.processes[name]
        await self.looking.execute("SELECT pg_terminate_backend($1, 10000)", process.held.pid)
        with pytest.raises(StoreError):
            await process.end()
        self.coming = process.storing + self.coming
        await self._start(name)

    # What must be so at any time, and in the end

    @invariant()
    def only_what_is_late_is_dirty(self) -> None:
        if self.processes:
            self.runner.run(self._assert_only_what_is_late_is_dirty())

    def teardown(self) -> None:
        try:
            if self.processes:
                self.runner.run(self._end())
        finally:
            self.runner.run(self._close())
            self.runner.close()

    async def _end(self) -> None:
        for name in self._busy():
            await self.processes[name].end()
        worker, writer = self.processes[self.workers[0]], self.processes[self.writers[0]]
        writer.storing = self.coming + self.withheld
        await self._store(writer)
        await self._settle(worker)
        for hours in (2, 3, 4):  # until every bar has ended, and live has left it to repairs
            writer.storing = [self._closing(each, hours) for each in self.listed]
            await self._store(writer)
            await self._settle(worker)
        await self._assert_all_is_folded_once()
        assert 0 == await self.looking.fetchval("SELECT count(*) FROM staged")
        for each in self.listed:
            await self._assert_right(each)

    def _closing(self, listed: Listed, hours: int) -> Trade:
        ts = BEGAN + hours * HOUR
        return Trade(listed.instrument_id, ts, 10**6 + hours, 60_000.0, 1.0, 1, ts)

    async def _settle(self, worker: Process) -> None:
        """Claim, repair, and apply until there is nothing left to do."""
        connection = worker.held.connection
        backfill = new_backfill(self.url)
        while (
            await self._claim(worker.claimer, worker.held, 1)
            or await backfill.repair(self.looking)
            or await worker.claimer.apply(connection, 1)
        ):
            await self._assert_only_what_is_late_is_dirty()

    async def _assert_all_is_folded_once(self) -> None:
        assert len(self.stored) == self.folded
        assert 0 == await self.looking.fetchval("SELECT count(*) FROM batches")
        offsets: dict[tuple[int, str], int] = {}
        for row in await self.looking.fetch(LOG):
            stream = row["instrument_id"], row["family"]
            offsets[stream] = offsets.get(stream, 0) + 1
            assert offsets[stream] == row["offset"]

    async def _assert_only_what_is_late_is_dirty(self) -> None:
        for row in await self.looking.fetch(DIRTY):
            assert any(
                row["instrument_id"] == late.instrument_id and row["from_ts"] <= late.ts < row["to_ts"]
                for late in self.late
            ), row

    async def _assert_right(self, listed: Listed) -> None:
        own = sorted(
            (trade for trade in self.stored if trade.instrument_id == listed.instrument_id),
            key=attrgetter("tape_key"),
        )
        folder = Folder(KINDS)
        right = folder.fold(folder.start(), own)
        bars = await verifications.bars(self.looking, listed.instrument_id, EVERYTHING)
        signals = await verifications.signals(self.looking, listed.instrument_id, 0, 2**61)
        by_start, by_ts = attrgetter("interval", "start"), attrgetter("ts", "kind")
        assert sorted((each.bar for each in right.bars), key=by_start) == sorted(bars, key=by_start)
        assert sorted((each.signal for each in right.signals), key=by_ts) == sorted(signals, key=by_ts)

    async def _close(self) -> None:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(
                execute, self.server_url, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)"
            )
            for process in self.processes.values():
                stack.callback(process.held.terminate)
            if self.processes:
                stack.callback(self.looking.terminate)


@pytest.mark.slow
def test_all_is_folded_once_whatever_happens(postgres_template: str) -> None:
    class OnThisServer(House):
        server_url = postgres_template

    run_state_machine_as_test(
        OnThisServer,
        settings=settings(
            max_examples=25,
            stateful_step_count=60,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
