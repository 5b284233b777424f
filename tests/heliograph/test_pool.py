"""A pool of live workers follows what waits, and stops none in mid-claim."""

import asyncio
import os
import sys
from collections.abc import Callable

import pytest

from db.connections import connected
from db.instruments import register
from db.partitions import day_of, ensure_days
from heliograph.pool import Pool
from heliograph.scaling import Scaling
from market.instruments import spot
from tests.workers.market import BEGAN, Market, folded_at_once, stored, tape

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "heliograph", "worker", "live")
HOLDING = "SELECT FROM shards FOR UPDATE"
WITHIN_SECONDS = 60.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_SECONDS):
        while not condition():  # noqa: ASYNC110 - of processes, which set no event of ours
            await asyncio.sleep(0.05)


async def test_it_grows_while_batches_wait_and_shrinks_when_none_does(
    postgres_url: str, redis_url: str
) -> None:
    environment = {
        **os.environ,
        "HELIOGRAPH_DATABASE_URL": postgres_url,
        "HELIOGRAPH_REDIS_URL": redis_url,
    }
    scaling = Scaling(1, 3, grow_after_seconds=0.1, calm_seconds=0.5)
    pool, stopping = Pool(COMMAND, environment, postgres_url, scaling, 0.05), asyncio.Event()
    async with connected(postgres_url, "test") as connection, asyncio.TaskGroup() as group:
        listed = await register(connection, [spot("binance", "BTC", "USDT", "BTCUSDT")])
        await ensure_days(connection, [day_of(BEGAN)])
        market = Market(postgres_url, connection, list(listed.values()))
        trades = tape(market.ids[0], 2000)
        running = group.create_task(pool.run(stopping))
        async with market.writing() as writer, market.working() as holder:
            async with holder.transaction():
                await holder.execute(HOLDING)
                await writer.store(trades)
                await until(lambda: pool.running == 3)
            await until(lambda: pool.running == 1)
        assert folded_at_once(trades) == await stored(market)
        stopping.set()
        await running
        counts = await connection.fetch(
            "SELECT stopped_at IS NOT NULL AS stopped FROM processes WHERE role = 'worker-live'"
        )
        assert {True} == {row["stopped"] for row in counts}
    assert 0 == pool.running
