"""Answers out of Redis, by single flights, around a breaker."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from api import cache
from api.breaker import Breaker
from api.cache import Cache, Outcome, Product
from api.settings import ApiSettings
from bus import publishing
from market.errors import StoreUnavailableError
from runtime.metrics import Metrics
from tests.api.peers import FAR_AWAY


class Source:
    """Counts how often it was asked, and answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.let = asyncio.Event()
        self.came = asyncio.Event()
        self.seconds = 30

    async def __call__(self) -> Product:
        self.asked += 1
        self.came.set()
        await self.let.wait()
        return Product(b"answer %d" % self.asked, self.seconds)


@pytest.fixture
async def answers(redis_url: str) -> AsyncIterator[Cache]:
    async with cache.opened(redis_url, ApiSettings(), Metrics()) as answers:
        yield answers


async def test_questions_at_one_time_are_one_read(answers: Cache) -> None:
    source = Source()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(answers.read("k", source)) for _ in range(20)]
        source.let.set()
    found = {task.result()[::2] for task in asking}
    assert ({(b"answer 1", Outcome.MISS)}, 1) == (found, source.asked)
    assert (b"answer 1", Outcome.HIT) == (await answers.read("k", source))[::2]


async def test_the_others_are_answered_when_who_asked_first_goes(answers: Cache) -> None:
    source = Source()
    first = asyncio.create_task(answers.read("k", source))
    second = asyncio.create_task(answers.read("k", source))
    await asyncio.sleep(0)
    first.cancel()
    source.let.set()
    assert b"answer 1" == (await second).body


async def test_an_error_is_everybodys_and_is_not_kept(answers: Cache) -> None:
    async def fail() -> Product:
        message = "gone"
        raise StoreUnavailableError(message)

    results = await asyncio.gather(answers.read("k", fail), answers.read("k", fail), return_exceptions=True)
    source = Source()
    source.let.set()
    assert [StoreUnavailableError, StoreUnavailableError] == [type(each) for each in results]
    assert Outcome.MISS == (await answers.read("k", source)).outcome


async def test_nothing_is_kept_where_nobody_listens() -> None:
    source = Source()
    source.let.set()
    async with cache.opened(FAR_AWAY, ApiSettings(), Metrics()) as answers:
        both = [await answers.read("k", source), await answers.read("k", source)]
    found = [(each.body, each.outcome) for each in both]
    assert [(b"answer 1", Outcome.BYPASS), (b"answer 2", Outcome.BYPASS)] == found


async def test_what_an_instrument_was_asked_is_asked_again_once_it_is_computed_again(
    answers: Cache, redis_url: str
) -> None:
    source = Source()
    source.let.set()
    source.seconds = 3600
    async with publishing.opened(redis_url) as bus:
        found = [await answers.read("a", source, about="7"), await answers.read("a", source, about="7")]
        await bus.renew([8])
        found.append(await answers.read("a", source, about="7"))
        await bus.renew([7, 9])
        found += [await answers.read("a", source, about="7"), await answers.read("a", source, about="7")]
    expected = [Outcome.MISS, Outcome.HIT, Outcome.HIT, Outcome.MISS, Outcome.HIT]
    assert (expected, b"answer 2") == ([each.outcome for each in found], found[-1].body)


async def test_what_is_of_many_instruments_is_asked_again_once_any_is_computed_again(
    answers: Cache, redis_url: str
) -> None:
    source = Source()
    source.let.set()
    async with publishing.opened(redis_url) as bus:
        found = [await answers.read("k", source), await answers.read("k", source)]
        await bus.renew([8])
        found.append(await answers.read("k", source))
    assert [Outcome.MISS, Outcome.HIT, Outcome.MISS] == [each.outcome for each in found]


async def test_what_is_renewed_while_it_is_read_is_read_again(answers: Cache, redis_url: str) -> None:
    source = Source()
    async with publishing.opened(redis_url) as bus:
        first = asyncio.create_task(answers.read("k", source, about="7"))
        await source.came.wait()
        await bus.renew([7])
        source.let.set()
        assert Outcome.MISS == (await first).outcome
        assert Outcome.MISS == (await answers.read("k", source, about="7")).outcome


async def test_what_is_settled_is_kept_long_here_but_asked_after_soon_by_others(
    answers: Cache, redis_url: str
) -> None:
    source = Source()
    source.let.set()
    source.seconds = 3600
    first, second = await answers.read("k", source), await answers.read("k", source)
    async with Redis.from_url(redis_url) as redis:
        left = [await redis.ttl(name) for name in await redis.keys("heliograph:answers:*")]
    assert (30, 30) == (first.max_age, second.max_age)
    assert 3000 < max(left) <= 3600


async def test_what_somebody_else_wrote_is_written_over(answers: Cache, redis_url: str) -> None:
    source = Source()
    source.let.set()
    await answers.read("k", source)
    async with Redis.from_url(redis_url) as redis:
        for name in await redis.keys("heliograph:answers:*"):
            await redis.set(name, b"nonsense")
    found = [await answers.read("k", source), await answers.read("k", source)]
    assert [Outcome.MISS, Outcome.HIT] == [each.outcome for each in found]


def test_a_breaker_rests_then_lets_one_try() -> None:
    seconds = 0.0
    breaker = Breaker(2.0, lambda: seconds)
    allowed = [breaker.allows()]
    breaker.failed()
    allowed.append(breaker.allows())
    seconds = 2.0
    allowed += [breaker.allows(), breaker.allows()]
    breaker.succeeded()
    allowed.append(breaker.allows())
    assert [True, False, True, False, True] == allowed
