"""The stores go away and come back in the middle of a tape; every role lives through it."""

import pytest

from heliograph.roles import SCHEDULER, WORKER_BACKFILL, WORKER_LIVE
from tests.acceptance import evidence
from tests.acceptance.house import KINDS, House
from tests.acceptance.processes import Venue
from tests.acceptance.subscriber import Subscriber, subscribed

pytestmark = pytest.mark.slow

TAPE = (
    "binance", "--generate", "--symbols", "BTC/USDT,ETH/USDT,SOL/USDT", "--rate", "60",
    "--seconds", "180", "--speed", "20",
)  # fmt: skip

ASKED = {
    "trades": {"exchange": "binance"},
    "bars": {"exchange": "binance", "symbol": "BTC/USDT", "interval": "1s"},
}


async def test_every_role_survives_restarts_of_postgresql_and_nothing_is_lost(house: House) -> None:
    async with subscribed(await house.api()) as subscriber:
        venue = await house.venue(*TAPE)
        await house.start(WORKER_LIVE, WORKER_BACKFILL, SCHEDULER)
        await house.ingest(venue)
        pids = {process.pid for process in house.running}
        for _ in range(2):
            await _more(house, subscriber)
            house.restart_postgres()
        assert not await venue.finished()
        await _complete(house, venue, subscriber)
    assert pids == {process.pid for process in house.running if process.status is None}


async def test_every_publication_is_delivered_once_while_valkey_goes_and_comes(house: House) -> None:
    url = await house.api()
    async with subscribed(url) as subscriber:
        venue = await house.venue(*TAPE)
        await house.start(WORKER_LIVE)
        await house.ingest(venue)
        await _more(house, subscriber)
        house.valkey.stop()
        await _more(house, subscriber)
        for path in ("instruments", "trades", "bars", "signals"):
            answer = await house.http.get(f"{url}/v1/{path}", params=ASKED.get(path))
            assert 200 == answer.status_code, answer.text
            assert answer.json()["data"] != []
        house.valkey.start()
        await _more(house, subscriber)
        assert not await venue.finished()
        await _complete(house, venue, subscriber)


async def _more(house: House, subscriber: Subscriber) -> None:
    """Return when the subscriber has a good many more publications."""
    wanted = subscriber.count + 50

    async def came() -> bool:
        return subscriber.count >= wanted

    await house.until(came)


async def _complete(house: House, venue: Venue, subscriber: Subscriber) -> None:
    """See that everything that the venue offered is stored, folded, and delivered, once."""
    await house.settled(venue)
    await house.delivered(subscriber)
    tallies = await house.tallies()
    assert await house.in_store() == {kind: tallies[kind]["stored"] for kind in KINDS}
    assert (await venue.status())["offered"]["trades"] == tallies["trades"]["stored"]
    async with house.connected() as connection:
        await evidence.assert_as_undisturbed(connection)
        assert await evidence.log(connection) == subscriber.frames
        assert [] == await evidence.repeated(connection)
    assert evidence.counted(subscriber.frames)["signal"] > 0
