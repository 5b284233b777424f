"""Everything, from a venue's socket to a subscriber's: each role a process, as in production."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench import listening, stores, tapes, usage
from bench.effort import Effort
from bench.reports import LOST, Report, report
from bench.rounds import Contestant, Figures, alternate
from db.connections import connected
from heliograph.console import PlainConsole
from heliograph.data_folders import Purpose
from heliograph.ports import any_free
from heliograph.replay import replayed
from heliograph.reports import Report as Run
from heliograph.stack import Plan
from heliograph.venues import recorded
from market.errors import HeliographError, StackError

_LIMIT = "socket alone, at most"
_AT_MOST = "all roles, at most"
_SEED = 7
_RATES = (1000.0, 5000.0, 10_000.0)
"""Frames a second of a venue that sends a trade a frame."""

_BURSTS = (10_000.0, 25_000.0, 50_000.0)
"""Ticks a second of a venue that sends several trades a frame."""

_GATHERED = ("--gather", "0.02", "--most-waiting", str(1 << 31))
"""All of a symbol in so many seconds share a frame; and who reads too slowly is waited for, not cut off."""

_TOLD = {
    "venue": "venue",
    "ingest": "ingest live",
    "PG": "PostgreSQL",
    "worker": "worker live",
    "API": "api",
}
"""Whose processor time is told, in per cent of one core, starting and stopping included."""

_QUOTES = {"binance": "USDT", "kraken": "USD"}
_BASES = ("BTC", "ETH", *(f"X{number}" for number in range(38)))
"""So many that seconds are enough for signals: each of them is rare."""

_LEGS = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY stored_at - received_at) AS stored,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY claimed_at - stored_at) AS claimed,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY committed_at - claimed_at) AS computed
FROM signals WHERE claimed_at IS NOT NULL
"""
_MILLISECOND = timedelta(milliseconds=1)


async def measure(url: str, effort: Effort) -> Report:
    """Measure on copies of the empty database at ``url``; the paced runs take ``effort.seconds`` each.

    There are none of more than ``effort.ticks`` a second.
    """
    tape, source = _tape(effort.ticks)
    contestants: dict[str, Contestant] = {
        _LIMIT: partial(_listen, tape),
        _AT_MOST: partial(_hurry, url, tape),
        **{
            f"all roles, {rate:,.0f}/s": partial(_keep_pace, url, paced(rate, effort))
            for rate in _RATES
            if rate <= effort.ticks
        },
        **{
            f"several a frame, {rate:,.0f}/s": partial(
                _keep_pace, url, [*paced(rate, effort, "kraken"), *_GATHERED]
            )
            for rate in _BURSTS
            if rate <= effort.ticks
        },
    }
    measured = await alternate(contestants, msgspec.structs.replace(effort, seconds=0.0))
    source = f"{source}; made-up frames for {effort.seconds:g} s a pace"
    return report("pipeline", source, measured, {_AT_MOST: _LIMIT})


def _tape(ticks: int) -> tuple[Sequence[str], str]:
    """Return how the venue is told to play as fast as it is listened to, and what that is."""
    path = tapes.recording()
    if path.exists():
        return recorded("binance", [path], "max"), f"all of {path.name}"
    source = f"{ticks:,} made-up frames (no {path.name})"
    return [*_made_up("binance", ticks / _RATES[0], _RATES[0]), "--speed", "max"], source


def paced(rate: float, effort: Effort, venue: str = "binance") -> list[str]:
    """Return how a venue is told to make a market up for ``effort.seconds``."""
    symbols = ",".join(f"{base}/{_QUOTES[venue]}" for base in _BASES)
    return [*_made_up(venue, effort.seconds, rate), "--symbols", symbols]


def _made_up(venue: str, seconds: float, rate: float) -> list[str]:
    """Return the arguments that make a market up."""
    market = ["--venue", venue, "--generate", "--seed", str(_SEED)]
    return [*market, "--seconds", str(seconds), "--rate", str(rate)]


async def _listen(tape: Sequence[str]) -> Figures:
    heard = await listening.listen(tape)
    return {"ticks/s": heard.ticks / heard.seconds, LOST: heard.lost}


async def _hurry(url: str, tape: Sequence[str]) -> Figures:
    done = await run(url, tape)
    return {"ticks/s": done.ticks_per_second, LOST: lost(done)}


async def _keep_pace(url: str, tape: Sequence[str]) -> Figures:
    async with planned(url) as plan:
        async with usage.watched() as used:
            done = await run_as(plan, tape)
        legs = await _legs(str(plan.database_url))
    spent = used.processor_seconds
    return {
        "ticks/s": done.ticks_per_second,
        "signals": done.signals.delivered,
        **latencies(done, "p50", "p99", "max"),
        **legs,
        **{f"{part} %": spent.get(name, 0.0) / done.seconds * 100 for part, name in _TOLD.items()},
        LOST: lost(done),
    }


async def _legs(url: str) -> Figures:
    """Return the median of each leg of a signal's way, from the receipt on, in milliseconds."""
    async with connected(url, "bench") as connection:
        [legs] = await connection.fetch(_LEGS)
    return {f"{leg} ms": taken / _MILLISECOND for leg, taken in legs.items() if taken is not None}


def latencies(run: Run, *names: str) -> dict[str, float]:
    """Return these percentiles of a run's signals, in milliseconds; raises HeliographError without any."""
    known = msgspec.structs.asdict(run.latency_ms)
    if None in known.values():
        message = "no signal came of the made-up market in so short a time: give more --seconds"
        raise HeliographError(message)
    return {f"{name} ms": known[name] for name in names}


def lost(run: Run) -> int:
    """Return how many ticks were not stored, and signals not delivered."""
    return run.lost + run.signals.computed - run.signals.delivered


async def run(url: str, tape: Sequence[str]) -> Run:
    """Run the stack on a copy of the empty database at ``url``, to the end of a tape."""
    async with planned(url) as plan:
        return await run_as(plan, tape)


async def run_as(plan: Plan, tape: Sequence[str]) -> Run:
    """Run the stack as planned, to the end of a tape."""
    told = StringIO()
    try:
        async with replayed(plan, PlainConsole(told), tape, asyncio.Event()) as done:
            pass
    except HeliographError:
        sys.stderr.write(told.getvalue())
        raise
    if done is None:
        message = "the simulated venue played nothing"
        raise StackError(message)
    return done


@asynccontextmanager
async def planned(url: str) -> AsyncIterator[Plan]:
    """Give a plan on an empty database and a bus of its own."""
    host = "127.0.0.1"
    with TemporaryDirectory(prefix="heliograph-bench-") as folder, stores.valkey() as redis_url:
        async with stores.copied(url) as database_url:
            yield Plan(
                data_dir=Path(folder),
                purpose=Purpose.SIMULATED,
                host=host,
                port=any_free(host),
                database_url=database_url,
                redis_url=redis_url,
            )
