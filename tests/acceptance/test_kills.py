"""Workers are killed in mid-claim, over and over, and nobody notices."""

import random
from contextlib import aclosing

import pytest
from redis.asyncio import Redis

from bus import subjects
from bus.subscribing import Subscriber as Ear
from heliograph.roles import WORKER_LIVE
from tests.acceptance import evidence
from tests.acceptance.house import House
from tests.acceptance.processes import Process
from tests.acceptance.subscriber import subscribed

pytestmark = pytest.mark.slow

KILLS = 12
SEED = 7
PAUSED_MS = 600_000
WRITTEN = ("bars", "signals", "publications", "states", "batches")
"""What a claim writes, in its order; a worker waits at one of these when we hold it."""

ENDLESS = (
    "binance", "--generate", "--symbols", "BTC/USDT,ETH/USDT,SOL/USDT", "--rate", "60", "--speed", "20"
)  # fmt: skip


async def test_workers_killed_in_mid_claim_lose_and_repeat_nothing(house: House) -> None:
    chance = random.Random(SEED)
    async with subscribed(await house.api()) as subscriber:
        venue = await house.venue(*ENDLESS)
        (worker,) = await house.start(WORKER_LIVE)
        ingester = await house.ingest(venue)
        for _ in range(KILLS):
            await _kill(house, worker, chance)
            worker = await house.replace()
        await _more_claims(house, 1)
        assert [0] == await house.stop(ingester)
        await house.folded()
        await house.delivered(subscriber)
        async with house.connected() as connection:
            outcome = await evidence.stored(connection)
            await evidence.assert_as_undisturbed(connection)
            assert await evidence.log(connection) == subscriber.frames
            assert [] == await evidence.repeated(connection)
    told = evidence.counted(subscriber.frames)
    assert told["signal"] == sum(len(each.signals) for each in outcome.values()) > 0
    assert told["bar"] == sum(len(each.bars) for each in outcome.values()) > 0


async def test_what_a_worker_committed_and_never_published_is_delivered_from_the_log(house: House) -> None:
    counted = "SELECT count(*) FROM publications"
    async with (
        subscribed(await house.api()) as subscriber,
        Redis.from_url(house.valkey.url) as redis,
        aclosing(Ear(house.valkey.url, [subjects.PUBLICATIONS]).listen()) as heard,
    ):
        venue = await house.venue(*ENDLESS)
        (worker,) = await house.start(WORKER_LIVE)
        await house.ingest(venue)
        await _more_claims(house, 3)
        await redis.client_pause(PAUSED_MS, all=False)
        assert (await anext(heard)).connected
        before = await house.value(counted)

        async def committed() -> bool:
            return await house.value(counted) > before

        await house.until(committed)
        house.kill(worker)
        await redis.client_unpause()
        await house.delivered(subscriber)
        await redis.publish(subjects.PUBLICATIONS, subjects.encode([]))
        assert [] == subjects.decode_publications((await anext(heard)).data)
        async with house.connected() as connection:
            assert await evidence.log(connection) == subscriber.frames


async def _kill(house: House, worker: Process, chance: random.Random) -> None:
    """Kill a worker in its claim: where it writes a table, or after a random number of claims."""
    table = chance.choice((*WRITTEN, None))
    if table is None:
        await _more_claims(house, chance.randint(1, 20))
        await house.until(house.in_mid_claim)
        house.kill(worker)
        return
    async with house.connected() as connection, connection.transaction():
        await connection.execute(f"LOCK TABLE {table} IN SHARE MODE")
        await house.until(house.waiting_in_mid_claim)
        house.kill(worker)


async def _more_claims(house: House, number: int) -> None:
    claimed = (
        "SELECT coalesce(sum(version), 0) FROM (SELECT max(version) AS version FROM states GROUP BY shard)"
    )
    before = await house.value(claimed)

    async def came() -> bool:
        return bool(await house.value(claimed) >= before + number)

    await house.until(came)
