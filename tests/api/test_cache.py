"""Answers out of Redis, by single flights, around a breaker."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from api import cache
from api.breaker import Breaker
from api.cache import Answer, Cache, Outcome
from api.settings import ApiSettings
from market.errors import StoreUnavailableError
from runtime.metrics import Metrics
from tests.api.peers import FAR_AWAY


class Source:
    """Counts how often it was asked, and answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.let = asyncio.Event()

    async def __call__(self) -> bytes:
        self.asked += 1
        await self.let.wait()
        return b"answer %d" % self.asked


@pytest.fixture
async def answers(redis_url: str) -> AsyncIterator[Cache]:
    async with cache.opened(redis_url, ApiSettings(), Metrics()) as answers:
        yield answers


async def test_questions_at_one_time_are_one_read(answers: Cache) -> None:
    source = Source()
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(answers.read("k", source)) for _ in range(20)]
        source.let.set()
    assert ({Answer(b"answer 1", Outcome.MISS)}, 1) == ({task.result() for task in asking}, source.asked)
    assert Answer(b"answer 1", Outcome.HIT) == await answers.read("k", source)


async def test_the_others_are_answered_when_who_asked_first_goes(answers: Cache) -> None:
    source = Source()
    first = asyncio.create_task(answers.read("k", source))
    second = asyncio.create_task(answers.read("k", source))
    await asyncio.sleep(0)
    first.cancel()
    source.let.set()
    assert b"answer 1" == (await second).body


async def test_an_error_is_everybodys_and_is_not_kept(answers: Cache) -> None:
    async def fail() -> bytes:
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
    assert [Answer(b"answer 1", Outcome.BYPASS), Answer(b"answer 2", Outcome.BYPASS)] == both


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
