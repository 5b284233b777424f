"""Shared budgets, and each process's share of them while Redis is down."""

import asyncio
from collections.abc import Callable
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from bus.budgets import opened
from heliograph.embedded.valkey import Valkey
from ingest.outbound.budgets import Budgets, Lane, LocalBudgets, Shared
from ingest.venues.reach import Limit
from market.errors import RateLimitedError
from tests.ingest.freely import Nowhere

SECOND = 1_000_000
SLOW = Limit("venue", 4, 1 / 3600)
"""Four at once, then one an hour."""


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def affordable(budgets: Budgets, lane: Lane = Lane.LIVE, limit: Limit = SLOW) -> int:
    """Ask until the budget is used up; return how often that was."""
    for number in range(100):
        try:
            await budgets.afford(limit, 1, lane)
        except RateLimitedError:
            return number
    return 100


def budgets_of(shared: Shared, clock: Callable[[], float], peers: int = 1) -> Budgets:
    async def count() -> int:
        return peers

    return Budgets(shared, count, clock)


@given(
    asked=st.lists(st.tuples(st.integers(0, 2 * SECOND), st.integers(1, SECOND)), max_size=50),
    span=st.integers(SECOND, 4 * SECOND),
)
def test_no_window_of_time_sees_more_than_the_burst_and_what_came_back(
    asked: list[tuple[int, int]], span: int
) -> None:
    now = [10 * SECOND]
    budgets = LocalBudgets(lambda: now[0])
    taken: list[tuple[int, int]] = []
    for pause, cost in asked:
        now[0] += pause
        if not budgets.take("venue", cost, span):
            taken.append((now[0], cost))
    for index, (begin, _) in enumerate(taken):
        for end in range(index, len(taken)):
            spent = sum(cost for _, cost in taken[index : end + 1])
            assert spent <= span + taken[end][0] - begin


async def test_history_leaves_half_of_a_burst_to_what_is_live(redis_url: str) -> None:
    async with opened(redis_url) as shared:
        budgets = budgets_of(shared, Time())
        assert (2, 2) == (await affordable(budgets, Lane.HISTORY), await affordable(budgets, Lane.LIVE))


async def test_two_processes_share_one_budget(redis_url: str) -> None:
    async with opened(redis_url) as one, opened(redis_url) as other:
        first, second = budgets_of(one, Time()), budgets_of(other, Time())
        assert (4, 0) == (await affordable(first), await affordable(second))


async def test_a_rest_that_the_venue_asked_for_holds_for_all(redis_url: str) -> None:
    async with opened(redis_url) as one, opened(redis_url) as other:
        first, second = budgets_of(one, Time()), budgets_of(other, Time())
        await first.rest(SLOW, 60)
        assert (0, 0) == (await affordable(first), await affordable(second))


async def test_a_short_wait_is_waited_for(redis_url: str) -> None:
    quick = Limit("quick", 1, 50)
    async with opened(redis_url) as shared:
        budgets = budgets_of(shared, monotonic)
        for _ in range(3):
            await budgets.afford(quick, 1, Lane.LIVE)
    [ledger] = budgets.ledgers()
    assert 0.01 < ledger.waited_seconds < 1


async def test_what_is_in_use_of_a_budget_comes_back_with_time() -> None:
    time = Time()
    budgets = budgets_of(Nowhere(), time)
    limit = Limit("venue", 10, 2)
    for weight in (3, 4):
        await budgets.afford(limit, weight, Lane.LIVE)
    assert [("venue", 10, 7.0, 0)] == [
        (each.name, each.limit, each.used, each.waits) for each in budgets.ledgers()
    ]
    time.now += 2
    assert [3.0] == [each.used for each in budgets.ledgers()]
    await budgets.rest(limit, 60)
    with pytest.raises(RateLimitedError):
        await budgets.afford(limit, 1, Lane.LIVE)
    assert [(10.0, 1)] == [(each.used, each.waits) for each in budgets.ledgers()]


async def test_without_redis_the_shares_of_all_processes_add_up_to_the_budget() -> None:
    time = Time()
    everyone = [budgets_of(Nowhere(), time, peers=3) for _ in range(3)]
    assert [1, 1, 1] == [await affordable(each) for each in everyone]


async def test_without_redis_a_rest_holds_for_the_process() -> None:
    time = Time()
    budgets = budgets_of(Nowhere(), time)
    await budgets.rest(SLOW, 60)
    assert 0 == await affordable(budgets)


@pytest.mark.slow
async def test_a_rest_that_was_asked_for_while_redis_was_down_holds_when_it_is_back(
    valkey_server: Valkey,
) -> None:
    time = Time()
    async with opened(valkey_server.url) as shared, opened(valkey_server.url) as other:
        budgets = budgets_of(shared, time)
        await budgets.afford(SLOW, 1, Lane.LIVE)
        await asyncio.to_thread(valkey_server.stop)
        assert 0 == await affordable(budgets)
        await budgets.rest(SLOW, 3600)
        await asyncio.to_thread(valkey_server.start)
        time.now += 20
        for each in (budgets, budgets_of(other, Time())):
            with pytest.raises(RateLimitedError) as caught:
                await each.afford(SLOW, 1, Lane.LIVE)
            assert 7000 < caught.value.retry_after_seconds < 7200


async def test_what_redis_forgot_it_is_told_again(redis_url: str) -> None:
    """Its restart may pass unnoticed, and a cache that is full forgets what it likes."""
    async with opened(redis_url) as one, opened(redis_url) as other, Redis.from_url(redis_url) as redis:
        first, second = budgets_of(one, Time()), budgets_of(other, Time())
        assert 4 == await affordable(first)
        await redis.flushdb()
        assert (0, 0) == (await affordable(first), await affordable(second))
        await first.rest(SLOW, 60)
        await redis.flushdb()
        assert (0, 0) == (await affordable(first), await affordable(second))


@pytest.mark.slow
async def test_budgets_go_on_alone_and_come_back_empty(valkey_server: Valkey) -> None:
    time = Time()
    async with opened(valkey_server.url) as shared:
        budgets = budgets_of(shared, time)
        await budgets.afford(SLOW, 1, Lane.LIVE)
        await asyncio.to_thread(valkey_server.stop)
        assert 0 == await affordable(budgets)
        await asyncio.to_thread(valkey_server.start)
        time.now += 10
        assert 4 == await affordable(budgets, limit=Limit("another", 4, 1 / 3600))
