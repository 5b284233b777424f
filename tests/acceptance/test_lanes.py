"""Neither lane waits for the other."""

from typing import TYPE_CHECKING

import pytest

from db import dirty
from db.dirty import DirtyInterval
from heliograph.roles import WORKER_BACKFILL, WORKER_LIVE
from market.times import SECOND
from tests.acceptance import evidence
from tests.acceptance.house import House
from tests.acceptance.subscriber import subscribed
from tests.workers.market import new_backfill

if TYPE_CHECKING:
    from db.connections import Connection

pytestmark = pytest.mark.slow

TAPE = ("binance", "--generate", "--symbols", "BTC/USDT", "--rate", "40", "--seconds", "180", "--speed", "20")


async def test_a_backfill_transaction_held_open_does_not_stop_live(house: House) -> None:
    async with subscribed(await house.api()) as subscriber:
        venue = await house.venue(*TAPE)
        await house.start(WORKER_LIVE)
        await house.ingest(venue)
        await _bars(house, 20)
        async with house.connected() as connection, connection.transaction():
            assert await _repair(house, connection) > 0
            assert not await venue.finished()
            await house.settled(venue)
            await house.delivered(subscriber)
            async with house.connected() as another:
                assert await evidence.log(another) == subscriber.frames
                await evidence.assert_as_undisturbed(another)
    await house.start(WORKER_BACKFILL)
    await _repaired(house)
    async with house.connected() as connection:
        await evidence.assert_as_undisturbed(connection)


async def _repair(house: House, connection: "Connection") -> int:
    """Do what a backfill worker does in its transaction; return how many rows asked for it."""
    ((first, last, instrument_id),) = await connection.fetch(SECONDS)
    async with house.connected() as another:
        await dirty.mark(another, [DirtyInterval(instrument_id, first, last - 2 * SECOND)], "asked")
    return await new_backfill(house.postgres.url).repair(connection)


async def _bars(house: House, number: int) -> None:
    async def closed() -> bool:
        return await house.value("SELECT count(*) FROM bars WHERE interval_seconds = 1") >= number

    await house.until(closed)


async def _repaired(house: House) -> None:
    async def nothing_asked() -> bool:
        return not await house.value(ASKED)

    await house.until(nothing_asked)


ASKED = "SELECT EXISTS (SELECT FROM dirty WHERE reason = 'asked') OR EXISTS (SELECT FROM staged)"

SECONDS = """
SELECT min(start), max(start), min(instrument_id) FROM bars WHERE interval_seconds = 1
"""
