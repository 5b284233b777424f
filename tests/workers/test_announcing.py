"""Publishing beside the claims: in order, bounded, and never in the way."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bus import publishing, subjects
from bus.subscribing import Subscriber
from heliograph.embedded.valkey import Valkey
from market.channels import Family
from market.publications import Latest, Publication
from workers.announcing import Announcer

DEADLINE_SECONDS = 30


def told(offset: int) -> Publication:
    return Publication(1, Family.BARS, offset, "bar", "{}", 0)


@asynccontextmanager
async def announcing(url: str, at_most: int = 1000) -> AsyncIterator[Announcer]:
    async with asyncio.timeout(DEADLINE_SECONDS), publishing.opened(url) as bus:
        announcer = Announcer(bus, at_most)
        async with asyncio.TaskGroup() as group:
            group.create_task(announcer.run())
            yield announcer
            announcer.close()


@asynccontextmanager
async def mute() -> AsyncIterator[str]:
    """A server that takes connections and never answers; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


async def heard(url: str, ready: asyncio.Event, last: int) -> list[int]:
    offsets: list[int] = []
    async for message in Subscriber(url, [subjects.PUBLICATIONS]).listen():
        if message.subject:
            offsets += [each.offset for each in subjects.decode_publications(message.data)]
        elif message.connected:
            ready.set()
        if last in offsets:
            break
    return offsets


async def test_what_is_told_is_heard_in_order_before_the_end(redis_url: str) -> None:
    ready = asyncio.Event()
    hearing = asyncio.create_task(heard(redis_url, ready, last=300))
    await ready.wait()
    async with announcing(redis_url) as announcer:
        for offset in range(1, 301):
            announcer.tell([told(offset)])
            if offset % 7 == 0:
                await asyncio.sleep(0)
    assert list(range(1, 301)) == await hearing
    assert 0 == announcer.unheard


async def test_how_long_publishing_took_is_counted(redis_url: str) -> None:
    async with publishing.opened(redis_url) as bus, asyncio.TaskGroup() as group:
        announcer = Announcer(bus, clock=lambda: 30_000)
        group.create_task(announcer.run())
        announcer.tell([msgspec.structs.replace(told(n), committed_at=n * 10_000) for n in (1, 2)])
        announcer.close()
    assert (2, 0.03, 0) == (announcer.published, announcer.publishing_seconds, announcer.unheard)


async def test_of_latest_values_that_wait_the_newest_is_told(redis_url: str) -> None:
    ready = asyncio.Event()

    async def heard_latest() -> list[Latest]:
        async for message in Subscriber(redis_url, [subjects.LATEST]).listen():
            if message.subject:
                return subjects.decode_latest(message.data)
            ready.set()
        return []

    hearing = asyncio.create_task(heard_latest())
    await ready.wait()
    values = [Latest(1, Family.RUNNING, ts, interval, 1, "{}") for ts in (1, 2) for interval in (60, 300)]
    async with announcing(redis_url) as announcer:
        announcer.tell([], values[:2])
        announcer.tell([], values[2:])
    assert values[2:] == await hearing


@pytest.mark.slow
async def test_behind_a_bus_that_hangs_no_more_waits_than_allowed() -> None:
    async with mute() as url, announcing(url, at_most=100) as announcer:
        for offset in range(250):
            announcer.tell([told(offset)])
            assert len(announcer._waiting) <= 100
        assert 202 == announcer.unheard
    assert 250 == announcer.unheard


@pytest.mark.slow
async def test_a_bus_that_goes_and_comes_back_is_logged_twice(valkey_server: Valkey) -> None:
    with capture_logs() as logs:
        async with announcing(valkey_server.url) as announcer:
            await asyncio.to_thread(valkey_server.stop)
            for offset in range(3):
                announcer.tell([told(offset)])
                await until(partial(unheard, announcer, offset + 1))
            await asyncio.to_thread(valkey_server.start)
            announcer.tell([told(3)])
            await until(lambda: len(logs) > 1)
    assert ["bus.unavailable", "bus.available"] == [log["event"] for log in logs]
    assert 3 == announcer.unheard


@pytest.mark.slow
async def test_what_is_kept_is_dropped_also_when_redis_comes_later(valkey_server: Valkey) -> None:
    with capture_logs() as logs:
        async with announcing(valkey_server.url) as announcer:
            await asyncio.to_thread(valkey_server.stop)
            announcer.renew(7)
            await until(lambda: len(logs) > 0)
            await asyncio.to_thread(valkey_server.start)
            await until(lambda: len(logs) > 1)
    async with Redis.from_url(valkey_server.url) as redis:
        words = await redis.hgetall(subjects.GENERATIONS)
    assert {b"7", subjects.ANY.encode()} == set(words)


def unheard(announcer: Announcer, at_least: int) -> bool:
    return announcer.unheard >= at_least


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - it is another's, and tells nobody
        await asyncio.sleep(0.001)
