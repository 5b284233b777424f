"""Live beside a backfill at full tilt: files are imported and computed as fast as they can be."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from math import sin
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from bench import pipeline
from bench.effort import Effort
from bench.processes import answering, module
from bench.reports import LOST, Report, report
from bench.rounds import Contestant, Figures, alternate
from db.connections import connected
from heliograph.reports import Report as Run
from heliograph.stack import Plan
from market.errors import HeliographError
from market.times import DAY, from_iso

_ALONE: Final = "live alone"
_BESIDE: Final = "live beside a backfill"
_RATE: Final = 2_000.0
_PAST: Final = from_iso("2024-08-08T00:00:00Z")
_TRADES_A_DAY: Final = 500_000
_MILLISECOND: Final = 1_000
_LINES_AT_ONCE: Final = 10_000
_DAYS: Final = 6
"""More than anybody imports in a minute or two on two cores; then there is nothing left to do."""

_IMPORTED: Final = "SELECT count(*) FROM trades WHERE ts < $1"


async def measure(url: str, effort: Effort) -> Report:
    """Measure on copies of the empty database at ``url``; each run takes ``effort.seconds``."""
    tape = pipeline.paced(_RATE, effort)
    with TemporaryDirectory(prefix="heliograph-bench-") as folder:
        files = _past(Path(folder), min(_TRADES_A_DAY, effort.ticks * 10))
        contestants: dict[str, Contestant] = {
            _ALONE: partial(_alone, url, tape),
            _BESIDE: partial(_beside, url, tape, files),
        }
        measured = await alternate(contestants, msgspec.structs.replace(effort, seconds=0.0))
    told = f"{_RATE:,.0f} made-up frames/s of 40 symbols for {effort.seconds:g} s"
    return report("lanes", told, measured, {_BESIDE: _ALONE})


async def _alone(url: str, tape: Sequence[str]) -> Figures:
    return _figures(await pipeline.run(url, tape))


async def _beside(url: str, tape: Sequence[str], files: Sequence[Path]) -> Figures:
    """Import files while live runs; what is left of them at its end is left."""
    async with pipeline.planned(url) as plan:
        async with _importing(plan, files):
            done = await pipeline.run_as(plan, tape)
        async with connected(str(plan.database_url), "bench") as connection:
            rows = int(await connection.fetchval(_IMPORTED, _PAST + _DAYS * DAY))
    return {**_figures(done), "imported rows/s": rows / done.seconds}


def _figures(done: Run) -> dict[str, float]:
    of_signals = pipeline.latencies(done, "p99", "p50", "p90", "max")
    return {**of_signals, "signals": done.signals.delivered, LOST: pipeline.lost(done)}


@asynccontextmanager
async def _importing(plan: Plan, files: Sequence[Path]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        imports = group.create_task(_import(plan, files))
        try:
            yield
        finally:
            imports.cancel()


async def _import(plan: Plan, files: Sequence[Path]) -> None:
    """Import as an operator does; stopped, it leaves whole pages."""
    await answering(f"http://{plan.host}:{plan.port}/health/live")
    what = ("--format", "binance-vision", "--venue", "binance", "--symbol", "SOL/USDT", "--json")
    command = module("heliograph", "import", *map(str, files), *what)
    environment = {**os.environ, "HELIOGRAPH_DATABASE_URL": str(plan.database_url)}
    process = await asyncio.create_subprocess_exec(
        *command, stdout=DEVNULL, stderr=sys.stderr, env=environment, cwd=files[0].parent
    )
    try:
        if await process.wait():
            message = f"the import ended with status {process.returncode}; what it said is above"
            raise HeliographError(message)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def _past(folder: Path, trades: int) -> list[Path]:
    """Write made-up days of so many trades each, as data.binance.vision has them."""
    files = []
    for day in range(_DAYS):
        files.append(folder / f"SOLUSDT-trades-{day}.csv")
        lines = _lines(_PAST + day * DAY, day * trades + 1, trades)
        with files[-1].open("w") as file:
            while some := list(islice(lines, _LINES_AT_ONCE)):
                file.writelines(some)
    return files


def _lines(begin: int, first_id: int, trades: int) -> Iterator[str]:
    """Yield trades that are spread over a day, at prices that swing by a hundredth."""
    for number in range(trades):
        ts = (begin + number * DAY // trades) // _MILLISECOND
        price, size = 60_000 + 600 * sin(number / 5_000) + number % 7, 0.001 * (1 + number % 50)
        buyer_made = "True" if number % 3 else "False"
        yield f"{first_id + number},{price:.2f},{size:.5f},{price * size:.6f},{ts},{buyer_made},True\n"
