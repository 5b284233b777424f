"""Stored batches claimed, folded, and committed: the live claimer beside the fold alone and other queues."""

import sys
import time
from asyncio import create_subprocess_exec, gather
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter

import msgspec

from bench import markets, queueing, stores, tapes
from bench.claimant import Done, new_claimer
from bench.effort import Effort
from bench.markets import Market
from bench.reports import LOST, Report, report
from bench.rounds import Contestant, Figures, alternate, percentiles
from bench.tapes import cut
from db.connections import connected
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from market.errors import HeliographError
from market.trades import Trade
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.portions import TICKS_A_CLAIM

_COMMIT = 200
"""Ticks that one ingest transaction stored: what arrives in some milliseconds."""

_LONGER = 4
"""A backlog is so many times as long as what is claimed commit by commit, or it would be a few claims."""

_A_JOB_EACH = 50
"""Of so many ticks queues are given one where each is a job: they take so much longer."""

_MANY = 50
_FOLD_MANY = f"fold alone, {_MANY} tapes, by {TICKS_A_CLAIM:,}"
_FOLD_BACKLOG = f"fold alone, by {TICKS_A_CLAIM:,}"
_FOLD_LIVE = f"fold alone, by {_COMMIT:,}"
_BACKLOG = {1: "backlog, 1 worker", 2: "backlog, 2 workers"}
_LIVE = f"by {_COMMIT:,}, 1 worker"

_LIMITS = {**dict.fromkeys(_BACKLOG.values(), _FOLD_BACKLOG), _LIVE: _FOLD_LIVE}


async def measure(url: str, effort: Effort) -> Report:
    """Measure on copies of the empty database at ``url``."""
    market = await markets.opened(url, effort.ticks * _LONGER)
    async with stores.copied(url) as backlog:
        await _store(backlog, market)
        many = tapes.laid(tapes.recorded(), range(_MANY), effort.ticks * _LONGER)
        contestants: Mapping[str, Contestant] = {
            _FOLD_MANY: partial(_fold, _calls(many, TICKS_A_CLAIM)),
            _FOLD_BACKLOG: partial(_fold, _calls(market.tape, TICKS_A_CLAIM)),
            **{name: partial(_work_off, backlog, number) for number, name in _BACKLOG.items()},
            _FOLD_LIVE: partial(_fold, _calls(market.tape[: effort.ticks], _COMMIT)),
            _LIVE: partial(_keep_up, market._replace(tape=market.tape[: effort.ticks])),
        }
        others, peers = _peers(market, effort.ticks) if effort.peers else ({}, {})
        measured = await alternate({**contestants, **others}, effort)
        return report("claim", market.source, measured, _LIMITS, peers)


def _peers(market: Market, ticks: int) -> tuple[Mapping[str, Contestant], Mapping[str, str]]:
    """Return what each queue does with a job a tick, and a job as large as our claims; and beside what."""
    contestants: dict[str, Contestant] = {}
    beside: dict[str, str] = {}
    for queue in queueing.QUEUES:
        for job, count, size, ours in (
            ("tick", max(200, ticks // _A_JOB_EACH), 1, _LIVE),
            (f"{_COMMIT:,}", ticks, _COMMIT, _LIVE),
            (f"{TICKS_A_CLAIM:,}", ticks * _LONGER, TICKS_A_CLAIM, _BACKLOG[1]),
        ):
            work = partial(queueing.worked_off, market.url, queue, market.tape[:count], size)
            name = f"{queue}, a job a {job}" if size == 1 else f"{queue}, jobs of {job}"
            contestants[name], beside[name] = work, ours
            if size == 1:
                contestants[f"{name}, held"], beside[f"{name}, held"] = partial(work, held=True), ours
    return contestants, beside


async def _store(url: str, market: Market) -> None:
    async with connected(url, "bench writer") as connection:
        writer = TickWriter(connection, await enlist(connection))
        for batch in cut(market.tape, _COMMIT):
            await writer.write(Ticks(trades=batch), market.places)


async def _work_off(backlog: str, workers: int) -> Figures:
    """Let so many processes claim what is stored; the time is that of the slowest."""
    async with stores.copied(backlog) as url:
        async with connected(url, "bench") as connection:
            stored = await connection.fetchval("SELECT sum(ticks) FROM batches")
        done = await _claimed(url, workers)
        claims = [seconds for each in done for seconds in each.claims]
        return _figures(sum(each.ticks for each in done), stored, claims, max(each.seconds for each in done))


async def _claimed(url: str, workers: int) -> list[Done]:
    command = (sys.executable, "-m", "bench.claimant", url, str(workers))
    processes = [await create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE) for _ in range(workers)]
    await gather(*[_line(process) for process in processes])
    return [
        msgspec.json.decode(answer, type=Done)
        for answer, _ in await gather(*[process.communicate(b"go\n") for process in processes])
    ]


async def _line(process: Process) -> bytes:
    line = await process.stdout.readline() if process.stdout else b""
    if not line:
        message = f"a claimant ended with status {await process.wait()}; what it wrote is above"
        raise HeliographError(message)
    return line


async def _keep_up(market: Market) -> Figures:
    """Claim each commit as soon as it is there; only the claims are timed."""
    claimer, claims, ticks = new_claimer(), [], 0
    async with (
        stores.copied(market.url) as url,
        connected(url, "bench writer") as writing,
        connected(url, "bench claimant") as claiming,
    ):
        writer = TickWriter(writing, await enlist(writing))
        for batch in cut(market.tape, _COMMIT):
            await writer.write(Ticks(trades=batch), market.places)
            began = time.perf_counter()
            claimed = await claimer.claim(claiming, 1)
            claims.append(time.perf_counter() - began)
            ticks += claimed.ticks if claimed else 0
    return _figures(ticks, len(market.tape), claims, sum(claims))


def _figures(ticks: int, stored: int, claims: Sequence[float], seconds: float) -> Figures:
    return {
        "ticks/s": ticks / seconds,
        "claims/s": len(claims) / seconds,
        **percentiles(claims),
        LOST: stored - ticks,
    }


def _calls(tape: Sequence[Trade], size: int) -> list[tuple[int, list[Trade]]]:
    """Return what the fold is called with: of each ``size`` ticks, those of each instrument."""
    of, key = attrgetter("instrument_id"), attrgetter("instrument_id", "ts", "trade_id")
    pieces: Iterable[Sequence[Trade]] = cut(tape, size)
    return [
        (instrument_id, list(trades))
        for piece in pieces
        for instrument_id, trades in groupby(sorted(piece, key=key), of)
    ]


async def _fold(calls: Sequence[tuple[int, Sequence[Trade]]]) -> Figures:
    """Fold every tape in memory."""
    folder = Folder(KINDS)
    states = {instrument_id: folder.start() for instrument_id, _ in calls}
    began = time.perf_counter()
    for instrument_id, trades in calls:
        states[instrument_id] = folder.fold(states[instrument_id], trades).state
    return {"ticks/s": sum(len(trades) for _, trades in calls) / (time.perf_counter() - began)}
