"""How long everything takes to start on one machine: ``heliograph up`` with a venue that trades at once."""

import asyncio
import time
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from bench import pipeline
from bench.effort import Effort
from bench.reports import Report, report
from bench.rounds import Contestant, Figures, alternate
from heliograph.console import PlainConsole
from heliograph.data_folders import Purpose
from heliograph.ports import any_free
from heliograph.replay import subscribed
from heliograph.stack import Plan, running
from heliograph.subscriber import StreamSubscriber
from heliograph.venues import venue_open
from market.channels import Family

_HOST: Final = "127.0.0.1"
_RATE: Final = 2_000.0
_PLAYED_SECONDS: Final = 120.0
_WITHIN_SECONDS: Final = 100.0


async def measure(url: str, effort: Effort) -> Report:  # noqa: ARG001 - it starts stores of its own
    """Start on an empty folder, stop, and start again on what is there then."""
    with TemporaryDirectory(prefix="heliograph-bench-") as folder:
        home = Path(folder)
        contestants: dict[str, Contestant] = {
            "an empty folder": partial(_started, home, empty=True),
            "a full one": partial(_started, home, empty=False),
        }
        rounds = msgspec.structs.replace(effort, seconds=0.0)
        measured = await alternate(contestants, rounds)
    return report(
        "startup", f"40 symbols at {_RATE:,.0f} made-up frames/s, which trade from the start", measured, {}
    )


async def _started(home: Path, *, empty: bool) -> Figures:
    """Give the seconds from the beginning until each thing was there."""
    folder = home / (f"empty-{time.monotonic_ns()}" if empty else "full")
    if not empty and not folder.exists():
        await _started_in(folder)
    return await _started_in(folder)


async def _started_in(folder: Path) -> Figures:
    plan = Plan(data_dir=folder, purpose=Purpose.SIMULATED, host=_HOST, port=any_free(_HOST))
    tape = pipeline.paced(_RATE, Effort(seconds=_PLAYED_SECONDS))
    began = time.monotonic()
    async with running(plan, PlainConsole(StringIO())) as stack, venue_open(stack, tape) as venue:
        stores = time.monotonic()
        await stack.start_roles()
        async with subscribed(stack) as subscriber:
            served = time.monotonic()
            await stack.start_ingest([await venue.feed()])
            bar = await _first(subscriber, Family.BARS)
            signal = await _first(subscriber, Family.SIGNALS)
    return {
        "first signal s": signal - began,
        "stores s": stores - began,
        "API s": served - began,
        "first bar s": bar - began,
        "stopped s": time.monotonic() - signal,
    }


async def _first(subscriber: StreamSubscriber, family: Family) -> float:
    async with asyncio.timeout(_WITHIN_SECONDS):
        while not subscriber.receipts.delivered[family]:  # noqa: ASYNC110 - what ends this comes over a socket
            await asyncio.sleep(0.01)
    return time.monotonic()
