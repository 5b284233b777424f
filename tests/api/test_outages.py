"""Gaps on the stream: those that stand at once, every change of one, whatever the bus does."""

from typing import Any

import pytest

from api.settings import ApiSettings
from db import gaps
from market.gaps import DEPTHS, Cause, Gap, GapState
from market.texts import Name, gap_change
from tests.api.holes import close, find
from tests.api.peers import FAR_AWAY, Peer, Served, Worker, serving

SOL = "coverage:kraken:SOL/USD"
NAME = Name("kraken", "SOL/USD")


async def say(worker: Worker, gap: Gap) -> None:
    await worker.bus.latest([gap_change(NAME, gap, gap.closed_at or gap.opened_at)])


async def told(peer: Peer, count: int) -> list[tuple[str, int, str]]:
    frames: list[dict[str, Any]] = [await peer.hear("gap") for _ in range(count)]
    return [(each["channel"], each["data"]["gap_id"], each["data"]["state"]) for each in frames]


async def test_who_subscribes_is_told_of_the_gaps_that_stand(served: Served, worker: Worker) -> None:
    [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
    first = await find(worker.connection, sol, 0, 1)
    await close(worker.connection, await find(worker.connection, sol, 2, 3))
    last = await find(worker.connection, sol, 4, 5)
    await find(worker.connection, btc, 4, 5)
    async with served.stream() as peer, served.stream() as another:
        answer = await peer.subscribe({"channel": SOL})
        assert [{"channel": SOL}] == answer["results"]
        expected = [(SOL, first.gap_id, "open"), (SOL, last.gap_id, "open")]
        assert expected == await told(peer, 2)
        await another.subscribe({"channel": SOL, "policy": "latest"})
        assert expected == await told(another, 2)


async def test_every_change_of_a_gap_is_told_once(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await peer.hear("heartbeat")
        gap = await find(worker.connection, sol, 0, 1)
        await say(worker, gap)
        assert [(SOL, gap.gap_id, "open")] == await told(peer, 1)
        await gaps.begin_healing(worker.connection, gap.gap_id)
        [healing] = await gaps.by_id(worker.connection, [gap.gap_id])
        await say(worker, healing)
        assert [(SOL, gap.gap_id, "healing")] == await told(peer, 1)
        closed = await close(worker.connection, healing)
        await say(worker, closed)
        assert [(SOL, gap.gap_id, "closed")] == await told(peer, 1)
        await say(worker, healing)
        await say(worker, closed)
        other = await find(worker.connection, sol, 8, 9)
        await say(worker, other)
        assert [(SOL, other.gap_id, "open")] == await told(peer, 1)


async def test_what_the_bus_lost_is_found_by_looking(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await peer.hear("heartbeat")
        gap = await find(worker.connection, sol, 0, 1)
        assert [(SOL, gap.gap_id, "open")] == await told(peer, 1)
        await close(worker.connection, gap)
        assert [(SOL, gap.gap_id, "closed")] == await told(peer, 1)
        book = await find(
            worker.connection, sol, 2, 3, kind=DEPTHS, cause=Cause.BOOK, state=GapState.UNRECOVERABLE
        )
        assert [(SOL, book.gap_id, "unrecoverable")] == await told(peer, 1)


@pytest.mark.slow
async def test_gaps_are_told_while_redis_is_down(
    settings: ApiSettings, postgres_url: str, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with serving(settings, postgres_url, FAR_AWAY) as served, served.stream() as peer:
        await peer.subscribe({"channel": "coverage:*:*"})
        await peer.hear("heartbeat")
        gap = await find(worker.connection, sol, 0, 1)
        await close(worker.connection, gap)
        while (SOL, gap.gap_id, "closed") not in await told(peer, 1):
            pass


async def test_a_wildcard_is_told_of_instruments_listed_later(served: Served, worker: Worker) -> None:
    async with served.stream() as peer:
        await peer.subscribe({"channel": "coverage:kraken:*"})
        [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
        one, other = await find(worker.connection, sol, 0, 1), await find(worker.connection, btc, 0, 1)
        heard = await told(peer, 2)
    assert {(SOL, one.gap_id, "open"), ("coverage:kraken:BTC/USD", other.gap_id, "open")} == set(heard)


async def test_nothing_of_gaps_follows_an_unsubscribe(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await peer.say(op="unsubscribe", id=2, channels=[SOL])
        assert "unsubscribed" == (await peer.hear())["op"]
        gap = await find(worker.connection, sol, 0, 1)
        await say(worker, gap)
        await close(worker.connection, gap)
        later = await find(worker.connection, sol, 2, 3)
        await peer.subscribe({"channel": SOL})
        assert [(SOL, later.gap_id, "open")] == await told(peer, 1)


async def test_gaps_have_no_offsets_and_are_not_lossless(served: Served, worker: Worker) -> None:
    await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        assert 1006 == (await peer.subscribe({"channel": SOL, "after": 1}))["code"]
        assert 1004 == (await peer.subscribe({"channel": SOL, "policy": "lossless"}))["code"]
