"""Redis and PostgreSQL stop and start under a served API."""

import asyncio
from contextlib import AsyncExitStack

from api.settings import ApiSettings
from bus import publishing
from db.connections import connected
from heliograph.embedded.postgres import Postgres
from heliograph.embedded.valkey import Valkey
from tests.api.peers import FAR_AWAY, Served, Worker, serving, until

SOL = "signals:kraken:SOL/USD"


async def outcome(served: Served) -> str:
    answer: str = (await served.http.get("/v1/instruments")).headers["X-Cache"]
    return answer


async def test_a_stopped_redis_costs_no_signal_and_no_answer(
    settings: ApiSettings, postgres_url: str, valkey_server: Valkey
) -> None:
    async with (
        connected(postgres_url, "test") as connection,
        publishing.opened(valkey_server.url) as bus,
        serving(settings, postgres_url, valkey_server.url) as served,
        served.stream() as peer,
    ):
        worker = Worker(connection, bus)
        [sol] = await worker.instruments("SOL/USD")
        await peer.subscribe({"channel": SOL})
        await worker.publish(sol, 1)
        before = [await outcome(served), await outcome(served)]
        await asyncio.to_thread(valkey_server.stop)
        await worker.commit(sol, 2, 3)
        assert [1, 2, 3] == await peer.offsets(3)
        without = await outcome(served)
        await asyncio.to_thread(valkey_server.start)
        await until(lambda: served.state["hub"].bus_connected)
        await worker.publish(sol, 4)
        assert [4] == await peer.offsets(1)
    assert (["miss", "hit"], "bypass") == (before, without)


async def test_a_restarted_postgres_is_found_again(settings: ApiSettings, postgres_server: Postgres) -> None:
    async with serving(settings, postgres_server.url, FAR_AWAY) as served, served.stream() as peer:
        async with connected(postgres_server.url, "test") as connection, publishing.opened(FAR_AWAY) as bus:
            [sol] = await Worker(connection, bus).instruments("SOL/USD")
            await peer.subscribe({"channel": SOL})
        await asyncio.to_thread(postgres_server.stop)
        down = await served.http.get("/health")
        refused = await served.http.get("/v1/signals", headers={"Cache-Control": "no-cache"})
        unanswered = await peer.subscribe({"channel": "signals:*:*"})
        await asyncio.to_thread(postgres_server.start)
        async with connected(postgres_server.url, "test") as connection, publishing.opened(FAR_AWAY) as bus:
            await Worker(connection, bus).commit(sol, 1, 2)
        assert [1, 2] == await peer.offsets(2)
        up = await served.http.get("/health/ready")
    assert (503, "down") == (down.status_code, down.json()["status"])
    assert (503, 1009, 200) == (refused.status_code, unanswered["code"], up.status_code)


async def test_subscribers_are_asked_to_come_back_when_the_server_ends(
    settings: ApiSettings, postgres_url: str
) -> None:
    async with AsyncExitStack() as stack:
        async with serving(settings, postgres_url, FAR_AWAY) as served:
            peer = await stack.enter_async_context(served.stream())
            await peer.subscribe({"channel": "signals:*:*"})
        await peer.socket.wait_closed()
    assert 4000 == peer.socket.close_code
