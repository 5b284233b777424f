"""Everything, from a venue's socket to a subscriber's: each role a process, as in production."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench import listening, stores, tapes, usage
from bench.effort import Effort
from bench.reports import LOST, Report, report
from bench.rounds import Contestant, Figures, alternate
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
_TOLD = {
    "venue": "venue",
    "ingest": "ingest live",
    "PG": "PostgreSQL",
    "worker": "worker live",
    "API": "api",
}
"""Whose processor time is told, in per cent of one core, starting and stopping included."""

_SYMBOLS = ",".join(f"{base}/USDT" for base in ("BTC", "ETH", *(f"X{number}" for number in range(38))))
"""So many that seconds are enough for signals: each of them is rare."""


async def measure(url: str, effort: Effort) -> Report:
    """Measure on copies of the empty database at ``url``; the paced runs take ``effort.seconds`` each."""
    tape, source = _tape(effort.ticks)
    contestants: dict[str, Contestant] = {
        _LIMIT: partial(_listen, tape),
        _AT_MOST: partial(_hurry, url, tape),
        **{f"all roles, {rate:,.0f}/s": partial(_keep_pace, url, paced(rate, effort)) for rate in _RATES},
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
    return [*_made_up(ticks / _RATES[0], _RATES[0]), "--speed", "max"], source


def paced(rate: float, effort: Effort) -> list[str]:
    """Return how the venue is told to make a market up for ``effort.seconds``."""
    return [*_made_up(effort.seconds, rate), "--symbols", _SYMBOLS]


def _made_up(seconds: float, rate: float) -> list[str]:
    """Return the arguments that make a market up."""
    market = ["--venue", "binance", "--generate", "--seed", str(_SEED)]
    return [*market, "--seconds", str(seconds), "--rate", str(rate)]


async def _listen(tape: Sequence[str]) -> Figures:
    heard = await listening.listen(tape)
    return {"ticks/s": heard.ticks / heard.seconds, LOST: heard.lost}


async def _hurry(url: str, tape: Sequence[str]) -> Figures:
    done = await run(url, tape)
    return {"ticks/s": done.ticks_per_second, LOST: lost(done)}


async def _keep_pace(url: str, tape: Sequence[str]) -> Figures:
    async with usage.watched() as used:
        done = await run(url, tape)
    spent = used.processor_seconds
    return {
        "ticks/s": done.ticks_per_second,
        "signals": done.signals.delivered,
        **latencies(done, "p50", "p99", "max"),
        **{f"{part} %": spent.get(name, 0.0) / done.seconds * 100 for part, name in _TOLD.items()},
        LOST: lost(done),
    }


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
