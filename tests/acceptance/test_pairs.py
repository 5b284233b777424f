"""Two of each: feeds and shards are wanted twice, and each is one's alone."""

from typing import Any

import pytest

from heliograph.roles import WORKER_LIVE
from tests.acceptance import evidence
from tests.acceptance.house import KINDS, House
from tests.acceptance.subscriber import subscribed

pytestmark = pytest.mark.slow

SYMBOLS = "BTC/USDT,ETH/USDT,SOL/USDT,XRP/USDT,DOGE/USDT,BNB/USDT"
TAPE = ("binance", "--generate", "--symbols", SYMBOLS, "--rate", "120", "--seconds", "90", "--speed", "15")


async def test_two_ingesters_and_two_workers_share_and_do_each_thing_once(house: House) -> None:
    async with subscribed(await house.api()) as subscriber:
        venue = await house.venue(*TAPE, "--connections", "2")
        await house.start(WORKER_LIVE, WORKER_LIVE)
        for _ in range(2):
            await house.ingest(venue)
        await house.settled(venue)
        await house.delivered(subscriber)
        async with house.connected() as connection:
            outcome = await evidence.stored(connection)
            traded = await evidence.trades(connection)
            assert await evidence.log(connection) == subscriber.frames
            assert [] == await evidence.repeated(connection)
    offered = (await venue.status())["offered"]
    tallies, in_store = await house.tallies(), await house.in_store()
    assert offered["trades"] == in_store["trades"] + tallies["trades"]["duplicates"] > 0
    assert in_store == {kind: tallies[kind]["stored"] for kind in KINDS}
    for instrument, bars in ((name, each.bars) for name, each in outcome.items()):
        evidence.assert_final(evidence.candles(traded[instrument]), evidence.as_candles(bars))
    assert [3, 3] == [row.counters["claims"]["owned"] for row in await house.rows("ingest")]
    for role in ("ingest", "worker-live"):
        assert 2 == len([row for row in await house.rows(role) if _worked(row.counters)]), role


def _worked(counters: dict[str, Any]) -> bool:
    return bool(counters["writer"]["commits"] if "writer" in counters else counters["claims"])
