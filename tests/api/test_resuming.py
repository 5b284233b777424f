"""Coming back: by a moment, to a log that was restored, and in any number at once."""

from collections.abc import AsyncIterator

import pytest

from api.settings import ApiSettings
from market.times import SECOND, to_iso
from tests.api.peers import Peer, Served, Worker, serving

SOL = "signals:kraken:SOL/USD"
BTC = "signals:kraken:BTC/USD"
T = 1_733_270_400 * SECOND


async def commit_at(worker: Worker, instrument_id: int, first: int, *seconds: int) -> None:
    """Commit publications from this offset on, at these seconds."""
    for offset, second in enumerate(seconds, first):
        await worker.connection.execute(
            "INSERT INTO publications VALUES ($1, 'signals', $2, 'signal', NULL, 'rsi', $3, '{}', $3)",
            instrument_id,
            offset,
            T + second * SECOND,
        )


async def test_a_moment_resumes_with_all_that_was_published_then_or_later(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await commit_at(worker, sol.instrument_id, 1, 0, 10, 20, 20)
    async with served.stream() as peer:
        answer = await peer.subscribe({"channel": SOL, "since": to_iso(T + 10 * SECOND)}, epoch="another")
        assert [{"channel": SOL, "offset": 4, "recovered": True}] == answer["results"]
        assert [2, 3, 4] == await peer.offsets(3)
        assert {"op": "caught_up", "channel": SOL, "offset": 4} == await peer.hear("caught_up")
        await worker.publish(sol, 5)
        assert [5] == await peer.offsets(1)


async def test_a_wildcard_resumes_by_a_moment_each_stream_at_its_own_offset(
    served: Served, worker: Worker
) -> None:
    [sol, btc] = await worker.instruments("SOL/USD", "BTC/USD")
    await commit_at(worker, sol.instrument_id, 1, 0, 10, 20)
    await commit_at(worker, btc.instrument_id, 1, 5)
    async with served.stream() as peer:
        answer = await peer.subscribe({"channel": "signals:*:*", "since": str(T // SECOND + 5)})
        told = [await peer.hear("signal", "caught_up") for _ in range(5)]
    assert ({SOL: 3, BTC: 1}, True) == (answer["results"][0]["offsets"], answer["results"][0]["recovered"])
    expected = {("signal", SOL, 2), ("signal", SOL, 3), ("signal", BTC, 1)}
    expected |= {("caught_up", SOL, 3), ("caught_up", BTC, 1)}
    assert expected == {(each["op"], each["channel"], each["offset"]) for each in told}


async def test_a_moment_to_come_resumes_with_what_comes_next(served: Served, worker: Worker) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await commit_at(worker, sol.instrument_id, 1, 0)
    async with served.stream() as peer:
        await peer.subscribe({"channel": SOL, "since": "2099-01-01T00:00:00Z"})
        assert {"op": "caught_up", "channel": SOL, "offset": 1} == await peer.hear()
        await worker.publish(sol, 2)
        assert [2] == await peer.offsets(1)


async def test_a_moment_before_what_is_left_of_the_log_recovers_nothing(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await commit_at(worker, sol.instrument_id, 5, 10, 20)
    async with served.stream() as peer:
        answer = await peer.subscribe({"channel": SOL, "since": to_iso(T)})
    lost = {"channel": SOL, "offset": 6, "recovered": False, "missing": {SOL: [1, 6]}}
    assert [lost] == answer["results"]


async def test_subscribers_of_a_log_that_was_replaced_come_back_and_are_told(
    served: Served, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with served.stream() as peer:
        epoch = (await peer.subscribe({"channel": SOL}))["epoch"]
        await worker.publish(sol, 1, 2)
        assert [1, 2] == await peer.offsets(2)
        await worker.connection.execute('DELETE FROM publications WHERE "offset" > 1')
        await worker.connection.execute("UPDATE installation SET epoch = 'restored'")
        await peer.socket.wait_closed()
    assert 4003 == peer.socket.close_code
    async with served.stream() as again:
        answer = await again.subscribe({"channel": SOL, "after": 2}, epoch=epoch)
        lost = {"channel": SOL, "offset": 1, "recovered": False, "missing": {SOL: [1, 1]}}
        assert ([lost], True) == (answer["results"], answer["epoch"] != epoch)
        await worker.publish(sol, 2)
        assert [2] == await again.offsets(1)


@pytest.fixture
async def patient(postgres_url: str, redis_url: str) -> AsyncIterator[Served]:
    settings = ApiSettings(port=0, subscriptions_per_second=2, subscriptions_at_once=1)
    async with serving(settings, postgres_url, redis_url) as served:
        yield served


@pytest.mark.slow
async def test_who_asks_for_too_much_waits_and_is_sent_what_comes_meanwhile(
    patient: Served, worker: Worker
) -> None:
    [sol, _] = await worker.instruments("SOL/USD", "BTC/USD")
    async with patient.stream() as peer:
        await peer.subscribe({"channel": SOL})
        await peer.say(op="subscribe", id=2, channels=[{"channel": BTC}])
        await worker.publish(sol, 1)
        assert ["signal", "subscribed"] == [(await peer.hear())["op"] for _ in range(2)]


async def test_many_who_come_back_at_once_are_read_to_in_turns(
    postgres_url: str, redis_url: str, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    await worker.commit(sol, *range(1, 101))
    settings = ApiSettings(port=0, database_connections=2, page_publications=10)
    async with serving(settings, postgres_url, redis_url) as served:
        peers = [served.stream() for _ in range(20)]
        opened: list[Peer] = [await each.__aenter__() for each in peers]
        for peer in opened:
            await peer.say(op="subscribe", id=1, channels=[{"channel": SOL, "after": 0}])
        for peer in opened:
            assert "subscribed" == (await peer.hear())["op"]
            assert list(range(1, 101)) == await peer.offsets(100)
        for each in peers:
            await each.__aexit__(None, None, None)
