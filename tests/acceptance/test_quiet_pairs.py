"""A bar does not wait for the next trade: on a quiet pair the venue's time makes it final."""

from typing import Any

import pytest

from heliograph.roles import WORKER_LIVE
from tests.acceptance import evidence
from tests.acceptance.house import House
from tests.acceptance.subscriber import subscribed
from tests.api.peers import subscriber

pytestmark = pytest.mark.slow

SYMBOLS = "BTC/USDT,ETH/USDT,SOL/USDT,XRP/USDT,DOGE/USDT,BNB/USDT"
TAPE = ("binance", "--generate", "--symbols", SYMBOLS, "--rate", "1", "--speed", "20")

CLOSED_WITHOUT_A_TRADE = """
SELECT count(*)
FROM publications AS told
LEFT JOIN LATERAL (
    SELECT received_at FROM trades
    WHERE instrument_id = told.instrument_id AND ts >= told.ts + $2::text::interval
    ORDER BY ts LIMIT 1
) AS next ON true
WHERE told.family = 'bars' AND told.about = $1
  AND (next.received_at IS NULL OR told.committed_at < next.received_at)
"""
"""Told before the trade came that would have closed them."""


async def test_bars_of_a_pair_that_does_not_trade_are_final_when_its_venue_has_passed_their_end(
    house: House,
) -> None:
    async with subscribed(await house.api()) as subscriber:
        venue = await house.venue(*TAPE)
        await house.start(WORKER_LIVE)
        ingester = await house.ingest(venue)
        for about, length in (("1s", "1 second"), ("1m", "1 minute"), ("5m", "5 minutes")):

            async def closed(about: str = about, length: str = length) -> bool:
                return bool(await house.value(CLOSED_WITHOUT_A_TRADE, about, length))

            await house.until(closed)
        await house.stop(ingester)
        await house.folded()
        await house.delivered(subscriber)
        async with house.connected() as connection:
            await evidence.assert_as_undisturbed(connection)
            assert await evidence.log(connection) == subscriber.frames


async def test_a_bar_is_seen_to_run_and_to_end(house: House) -> None:
    url = (await house.api()).replace("http", "ws", 1)
    async with subscriber(f"{url}/v1/stream") as peer:
        await peer.subscribe({"channel": "bars:*:*", "policy": "latest"})
        venue = await house.venue(*TAPE)
        await house.start(WORKER_LIVE)
        await house.ingest(venue)

        async def folding() -> int:
            return await house.value("SELECT count(*) FROM publications")

        await house.until(folding)
        ran: dict[str, dict[str, Any]] = {}
        while True:
            bar = (await peer.hear("bar"))["data"]
            before = ran.get(bar["symbol"])
            if bar["interval"] == "1m" and bar["final"] and before and before["start"] == bar["start"]:
                break
            if bar["interval"] == "1m" and not bar["final"]:
                ran[bar["symbol"]] = bar
    assert (before["open"], True) == (bar["open"], before["trades"] <= bar["trades"])
    assert 0.0 <= before["coverage"] <= 1.0
