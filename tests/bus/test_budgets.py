"""Budgets that processes share, in a real Valkey."""

import asyncio

import pytest
from redis.asyncio import Redis

from bus.budgets import SharedBudgets, opened
from heliograph.embedded.valkey import Valkey
from market.errors import BusUnavailableError

HOUR = 3_600_000_000


async def test_a_budget_gives_its_burst_and_then_says_when_to_come_back(redis_url: str) -> None:
    async with opened(redis_url) as budgets:
        waits = [await budgets.take("venue", HOUR, 3 * HOUR) for _ in range(4)]
    assert [0, 0, 0] == waits[:3]
    assert 0 < waits[3] <= HOUR


async def test_processes_that_ask_together_get_no_more_than_one_burst(redis_url: str) -> None:
    async def ask(budgets: SharedBudgets) -> list[int]:
        return [await budgets.take("venue", HOUR, 20 * HOUR) for _ in range(20)]

    async with opened(redis_url) as one, opened(redis_url) as other:
        waits = [wait for each in await asyncio.gather(ask(one), ask(other)) for wait in each]
    assert 20 == waits.count(0)


async def test_what_weighs_more_than_a_burst_passes_when_the_budget_is_whole(redis_url: str) -> None:
    async with opened(redis_url) as budgets:
        assert [0, True] == [await budgets.take("venue", HOUR, 1), await budgets.take("venue", 1, 1) > 0]


async def test_a_rest_holds_for_all_and_never_shortens_a_longer_one(redis_url: str) -> None:
    async with opened(redis_url) as one, opened(redis_url) as other:
        await one.rest("venue", 2 * HOUR)
        await other.rest("venue", HOUR)
        assert HOUR < await other.take("venue", 1, 0) <= 2 * HOUR + 1


async def test_what_a_process_knows_of_a_budget_holds_for_all(redis_url: str) -> None:
    async with opened(redis_url) as one, opened(redis_url) as other:
        assert HOUR < await one.take("venue", HOUR, HOUR, known=2 * HOUR) <= 2 * HOUR
        assert HOUR < await other.take("venue", HOUR, HOUR) <= 2 * HOUR
        assert 0 == await other.take("venue", HOUR, 4 * HOUR, known=HOUR)


async def test_budgets_are_apart_by_name_and_forgotten_when_whole(redis_url: str) -> None:
    async with opened(redis_url) as budgets:
        await budgets.rest("venue", 2 * HOUR)
        assert 0 == await budgets.take("other", HOUR, HOUR)
    async with Redis.from_url(redis_url) as redis:
        left = [await redis.pttl(f"heliograph.budget.{name}") for name in ("venue", "other")]
    assert all(0 < each <= 2 * HOUR // 1000 + 1 for each in left)


async def test_without_redis_it_says_so(valkey_server: Valkey) -> None:
    async with opened(valkey_server.url) as budgets:
        await asyncio.to_thread(valkey_server.stop)
        with pytest.raises(BusUnavailableError, match="taking from the budget venue"):
            await budgets.take("venue", 1, 1)
        with pytest.raises(BusUnavailableError, match="resting the budget venue"):
            await budgets.rest("venue", 1)
