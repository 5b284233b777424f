"""PostgreSQL stops for a while under a high rate: how much memory the ingester takes meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from heliograph.roles import INGEST, INGEST_HISTORY, WORKER_LIVE
from market.errors import HeliographError
from tests.acceptance.house import House
from tests.acceptance.processes import Process, Venue

_PAGE: Final = 4096
_LOOK_EVERY_SECONDS: Final = 0.1
_WARM_UP_SECONDS: Final = 3.0
_MEGABYTE: Final = 2**20


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """What happened: the ingester's memory in megabytes, its buffer, and what became of the ticks."""

    before_mb: float
    peak_mb: float
    after_mb: float
    buffer_mb: float
    peak_share: float
    pauses: int
    paused_seconds: float
    executed: int
    stored: int
    gaps: int

    @property
    def rise_mb(self) -> float:
        """Return by how much memory rose."""
        return self.peak_mb - self.before_mb


async def suffer(house: House, *, rate: int, stopped_seconds: float, buffer_bytes: int) -> Outage:
    """Stop PostgreSQL for so long under ``rate`` ticks a second, and wait until every trade is stored.

    A venue that grows tired of us cuts us off; what we missed by that comes from its history.
    """
    seconds = 2 * _WARM_UP_SECONDS + stopped_seconds
    symbols = ",".join(f"X{number}/USDT" for number in range(10))
    tape = ("--generate", "--symbols", symbols, "--rate", str(rate), "--seconds", str(seconds))
    venue = await house.venue("binance", *tape)
    ingester = await house.ingest(venue, HELIOGRAPH_INGEST_BUFFER_BYTES=str(buffer_bytes))
    await house.start(WORKER_LIVE, INGEST_HISTORY)
    await _flows(house)
    await asyncio.sleep(_WARM_UP_SECONDS)
    before = _resident(ingester)
    house.stop_postgres()
    async with _watched(ingester) as seen:
        await asyncio.sleep(stopped_seconds)
        await asyncio.to_thread(house.postgres.start)
        await house.until(venue.finished)
        executed = await _executed(venue)
        await _all_stored(house, executed)
    pressure = (await house.rows(INGEST.name))[0].counters["pressure"]
    return Outage(
        before_mb=before / _MEGABYTE,
        peak_mb=max(seen) / _MEGABYTE,
        after_mb=_resident(ingester) / _MEGABYTE,
        buffer_mb=buffer_bytes / _MEGABYTE,
        peak_share=pressure["peak_share"],
        pauses=pressure["pauses"],
        paused_seconds=pressure["paused_seconds"],
        executed=executed,
        stored=(await house.in_store())["trades"],
        gaps=await house.value("SELECT count(*) FROM gaps WHERE kind = 'trades'"),
    )


async def _executed(venue: Venue) -> int:
    """Return how many trades there truly were."""
    executed = 0
    for symbol in (await venue.status())["venue_symbols"]:
        answer = await venue.http.get(f"{venue.rest_url}/sim/tape", params={"symbol": symbol})
        executed += len(answer.json()["trades"])
    return executed


async def _all_stored(house: House, executed: int) -> None:
    async def stored() -> bool:
        return executed == (await house.in_store())["trades"]

    await house.until(stored)


async def _flows(house: House) -> None:
    async def stored() -> bool:
        return bool((await house.in_store())["trades"])

    await house.until(stored)


@asynccontextmanager
async def _watched(process: Process) -> AsyncIterator[list[int]]:
    """Note the memory of a process while the block runs."""
    seen = [_resident(process)]

    async def watch() -> None:
        while True:
            seen.append(_resident(process))
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    watching = asyncio.create_task(watch())
    try:
        yield seen
    finally:
        watching.cancel()


def _resident(process: Process) -> int:
    try:
        return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * _PAGE
    except OSError as error:
        message = f"the ingester is gone, or this system does not tell memory: {error}"
        raise HeliographError(message) from error


def told(outage: Outage) -> dict[str, Any]:
    """Return the figures, rounded."""
    return {name: round(value, 2) for name, value in msgspec.structs.asdict(outage).items()}
