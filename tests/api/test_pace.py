"""Subscribers that are slower than what they follow."""

from collections.abc import AsyncIterator

import pytest

from api.settings import ApiSettings
from db.publications import Stream
from market.channels import Family
from market.publications import Latest
from tests.api.peers import Served, Worker, serving, until

pytestmark = pytest.mark.slow

SOL = "signals:kraken:SOL/USD"
RECENT = 64
MANY = 4000
BULK = 8000
"""Characters in each publication, so that many of them do not fit into the sockets' buffers."""


async def commit_bulk(worker: Worker, instrument_id: int) -> None:
    data = '{"bulk":"' + "x" * BULK + '"}'
    await worker.connection.execute(
        "INSERT INTO publications SELECT $1, 'signals', n, 'signal', NULL, 'rsi', now(), $3, now()"
        " FROM generate_series(1, $2) AS n",
        instrument_id,
        MANY,
        data,
    )


@pytest.fixture
async def small(postgres_url: str, redis_url: str) -> AsyncIterator[Served]:
    settings = ApiSettings(port=0, recent_publications=RECENT, page_publications=32)
    async with serving(settings, postgres_url, redis_url) as served:
        yield served


async def test_a_subscriber_that_did_not_read_gets_every_offset(small: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    hub = small.state["hub"]
    async with small.stream(max_queue=1) as slow, small.stream() as quick:
        await slow.subscribe({"channel": SOL})
        await quick.subscribe({"channel": SOL})
        await commit_bulk(worker, sol.instrument_id)
        assert list(range(1, MANY + 1)) == await quick.offsets(MANY)
        assert (MANY, RECENT) == (hub.head(Stream(sol.instrument_id, Family.SIGNALS)), len(hub._recent))
        assert all(len(mailbox) <= 1 for mailbox in hub._members)
        assert list(range(1, MANY + 1)) == await slow.offsets(MANY)


async def test_a_stalled_subscriber_is_let_go(postgres_url: str, redis_url: str, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await commit_bulk(worker, sol.instrument_id)
    settings = ApiSettings(port=0, stalled_seconds=0.3)
    async with (
        serving(settings, postgres_url, redis_url) as served,
        served.stream(max_queue=1, close_timeout=0.1) as slow,
    ):
        await slow.subscribe({"channel": SOL, "after": 0})
        await until(lambda: not served.state["hub"]._members)


async def test_latest_values_replace_unsent_ones_and_say_for_how_many_they_stand(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": "quotes:kraken:SOL/USD", "max_rate_ms": 200})
        for n in range(1, 11):
            value = Latest(sol.instrument_id, Family.QUOTES, n, 0, 3, f'{{"n":{n}}}')
            await worker.bus.latest([value])
        conflated, last = 0, 0
        while last < 10:
            frame = await peer.hear("quote")
            conflated, last = conflated + frame["conflated"], frame["data"]["n"]
    assert 30 == conflated


async def test_the_newest_depth_of_each_instrument_is_sent(served: Served, worker: Worker) -> None:
    [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": "depth:kraken:*", "policy": "latest", "max_rate_ms": 0})
        for listed in (sol, btc):
            value = Latest(listed.instrument_id, Family.DEPTH, 1, 7, 2, '{"bids":[[1.5,2.0]],"asks":[]}')
            await worker.bus.latest([value])
        heard = [await peer.hear("depth") for _ in range(2)]
    names = ["depth:kraken:SOL/USD", "depth:kraken:BTC/USD"]
    data = {"bids": [[1.5, 2.0]], "asks": []}
    assert [{"op": "depth", "channel": name, "conflated": 2, "data": data} for name in names] == heard


async def test_running_bars_are_followed_beside_final_ones_each_interval_in_a_slot_of_its_own(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    channel = "bars:kraken:SOL/USD"

    async def show(ts: int, interval: int) -> None:
        data = f'{{"ts":{ts},"interval":{interval}}}'
        await worker.bus.latest([Latest(sol.instrument_id, Family.RUNNING, ts, interval, 1, data)])

    async with served.stream() as peer:
        answer = await peer.subscribe({"channel": channel}, {"channel": channel, "policy": "latest"})
        assert [{"channel": channel, "offset": 0, "recovered": True}, {"channel": channel}] == answer[
            "results"
        ]
        for ts, interval in ((5, 60), (5, 1), (4, 60), (5, 60)):
            await show(ts, interval)
        heard = [await peer.hear("bar") for _ in range(3)]
        await worker.publish(sol, 1, family=Family.BARS)
        final = await peer.hear("bar")
        async with served.stream() as second:
            await second.subscribe({"channel": "bars:*:*", "policy": "latest"})
            greetings = [await second.hear("bar") for _ in range(2)]
        await peer.say(op="unsubscribe", id=2, channels=[channel])
        assert [channel] == (await peer.hear("unsubscribed"))["channels"]
    assert [(5, 60), (5, 1), (5, 60)] == [(f["data"]["ts"], f["data"]["interval"]) for f in heard]
    assert {(channel, 1)} == {(frame["channel"], frame["conflated"]) for frame in heard}
    assert (channel, 1, {"n": 1}) == (final["channel"], final["offset"], final["data"])
    assert {1, 60} == {frame["data"]["interval"] for frame in greetings}


async def test_older_latest_values_are_dropped_and_the_newest_greets(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as first:
        await first.subscribe({"channel": "trades:*:*"})
        for ts in (5, 4, 6):
            await worker.bus.latest([Latest(sol.instrument_id, Family.TRADES, ts, 0, 1, f'{{"ts":{ts}}}')])
        heard = [(await first.hear("trade"))["data"]["ts"] for _ in range(2)]
        async with served.stream() as second:
            await second.say(op="subscribe", id=1, channels=[{"channel": "trades:kraken:SOL/USD"}])
            assert "subscribed" == (await second.hear())["op"]
            greeting = await second.hear("trade")
    assert ([5, 6], {"ts": 6}) == (heard, greeting["data"])
