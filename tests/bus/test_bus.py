"""The bus: heard by who listens, missed by who does not, and never in anybody's way."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from bus import publishing, subjects
from bus.subscribing import Heard, Subscriber
from heliograph.embedded.valkey import Valkey
from market.channels import Family
from market.errors import BusUnavailableError
from market.publications import Latest, Publication

NOBODY = "redis://127.0.0.1:1/0"
PUBLICATION = Publication(7, Family.BARS, 3, "correction", '{"close":1.5}', 1_723_161_255_000_000, revises=2)
LATEST = Latest(7, Family.QUOTES, 1_723_161_255_000_000, 12, 40, '{"bid_price":1.5}')


async def next_of(heard: AsyncIterator[Heard]) -> Heard:
    return await asyncio.wait_for(anext(heard), 30)


async def test_messages_arrive_as_they_were_said(redis_url: str) -> None:
    listening = Subscriber(redis_url, [subjects.WAKE, subjects.PUBLICATIONS, subjects.LATEST]).listen()
    async with publishing.opened(redis_url) as bus, aclosing(listening):
        assert (await next_of(listening)).connected
        await bus.wake([3, 5])
        await bus.publish([PUBLICATION])
        await bus.latest([LATEST])
        assert [3, 5] == subjects.decode_wake((await next_of(listening)).data)
        assert [PUBLICATION] == subjects.decode_publications((await next_of(listening)).data)
        assert [LATEST] == subjects.decode_latest((await next_of(listening)).data)


async def test_a_quiet_line_is_not_lost(redis_url: str) -> None:
    listening = Subscriber(redis_url, [subjects.WAKE], silence_seconds=0.05).listen()
    async with publishing.opened(redis_url) as bus, aclosing(listening):
        assert (await next_of(listening)).connected
        heard = asyncio.ensure_future(next_of(listening))
        done, _ = await asyncio.wait({heard}, timeout=0.5)
        assert not done
        await bus.wake([4])
        assert [4] == subjects.decode_wake((await heard).data)


@pytest.mark.slow
async def test_a_redis_that_hangs_is_a_loss(valkey_server: Valkey) -> None:
    listening = Subscriber(valkey_server.url, [subjects.WAKE], silence_seconds=0.2).listen()
    process = valkey_server.process
    assert process
    async with aclosing(listening):
        assert (await next_of(listening)).connected
        process.send_signal(signal.SIGSTOP)
        assert not (await next_of(listening)).connected
        process.send_signal(signal.SIGCONT)
        while not (await next_of(listening)).connected:
            pass


async def test_publishing_to_nobody_says_that_everything_goes_on() -> None:
    async with publishing.opened(NOBODY) as bus:
        with pytest.raises(BusUnavailableError, match="goes on through PostgreSQL"):
            await bus.wake([1])


@pytest.mark.slow
async def test_a_listener_is_told_of_the_loss_and_of_the_return(valkey_server: Valkey) -> None:
    listening = Subscriber(valkey_server.url, [subjects.WAKE]).listen()
    async with aclosing(listening):
        assert (await next_of(listening)).connected
        valkey_server.stop()
        assert not (await next_of(listening)).connected
        valkey_server.start()
        while not (heard := await next_of(listening)).connected:
            assert not heard.subject
        async with publishing.opened(valkey_server.url) as bus:
            await bus.wake([9])
        assert [9] == subjects.decode_wake((await next_of(listening)).data)
