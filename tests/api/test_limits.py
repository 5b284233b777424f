"""What one address may ask, by the arithmetic alone and in a real Valkey."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.breaker import Breaker
from api.limits import Limit, Limits, LocalLimits
from bus import limits as shared
from market.times import SECOND
from tests.api.peers import FAR_AWAY


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Counted:
    """Limits of this process that count how often they are asked."""

    def __init__(self, clock: Clock) -> None:
        self.limits = LocalLimits(lambda: int(clock() * SECOND))
        self.asked = 0

    async def take(self, name: str, unit: int, burst: int, wanted: int) -> shared.Taken:
        self.asked += 1
        await asyncio.sleep(0)  # as a network does, let others come in between
        return self.limits.take(name, unit, burst, wanted)


def limits(clock: Clock, store: Counted | shared.SharedLimits) -> Limits:
    return Limits(store, Breaker(1.0, clock), clock)


async def allowed(one: Limits, limit: Limit, count: int, address: str = "192.0.2.1") -> int:
    verdicts = await asyncio.gather(*(one.take(limit, address) for _ in range(count)))
    return sum(verdict.allowed for verdict in verdicts)


@given(
    st.integers(1, 40), st.integers(1, 100), st.lists(st.tuples(st.integers(0, 300_000), st.integers(1, 9)))
)
def test_no_more_comes_through_than_the_burst_and_what_came_back(
    burst: int, per_second: int, asked: list[tuple[int, int]]
) -> None:
    now, taken = 0, 0
    unit = SECOND // per_second
    local = LocalLimits(lambda: now)
    for after, wanted in asked:
        now += after
        taken += local.take("one", unit, burst, wanted).number
        assert taken <= burst + now / unit


@given(st.integers(1, 40), st.integers(1, 100))
def test_who_waits_as_long_as_told_is_let_through(burst: int, per_second: int) -> None:
    now = 0
    unit = SECOND // per_second
    local = LocalLimits(lambda: now)
    assert burst == local.take("one", unit, burst, burst + 1).number
    refused = local.take("one", unit, burst, 1)
    now += refused.whole_in - unit * (burst - 1)
    assert (0, 1) == (refused.number, local.take("one", unit, burst, 1).number)


async def test_those_who_come_at_once_get_the_burst_and_no_more() -> None:
    clock = Clock()
    store = Counted(clock)
    assert 100 == await allowed(limits(clock, store), Limit("requests", 10, 100), 300)
    assert store.asked < 300


async def test_most_requests_ask_nobody() -> None:
    clock = Clock()
    store = Counted(clock)
    assert 1000 == await allowed(limits(clock, store), Limit("requests", 10, 5000), 1000)
    assert 10 == store.asked


async def test_a_verdict_says_what_is_left_and_when_to_come_back() -> None:
    clock = Clock()
    one = limits(clock, Counted(clock))
    limit = Limit("requests", 2, 3)
    verdicts = [await one.take(limit, "192.0.2.1") for _ in range(4)]
    assert [(2, 1, 0), (1, 1, 0), (0, 2, 0), (0, 2, 1)] == [
        (verdict.left, verdict.whole_in_seconds, verdict.again_in_seconds) for verdict in verdicts
    ]
    clock.seconds += 0.5
    assert (await one.take(limit, "192.0.2.1")).allowed


async def test_addresses_do_not_take_from_each_other_unless_one_host_has_both() -> None:
    clock = Clock()
    one = limits(clock, Counted(clock))
    limit = Limit("requests", 1, 1)
    addresses = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "::ffff:192.0.2.1", "local")
    assert [1, 1, 1, 0, 0, 1] == [await allowed(one, limit, 1, address) for address in addresses]


async def test_processes_that_share_a_redis_count_together(redis_url: str) -> None:
    clock = Clock()
    limit = Limit("requests", 0.001, 10)
    async with shared.opened(redis_url, 5.0) as first, shared.opened(redis_url, 5.0) as second:
        both = [limits(clock, first), limits(clock, second)]
        assert 10 == sum([await allowed(one, limit, 8, "198.51.100.7") for one in both])


async def test_redis_and_a_process_reckon_alike(redis_url: str) -> None:
    local = LocalLimits(lambda: 0)
    asked = [3, 1, 4, 1, 5]
    async with shared.opened(redis_url, 5.0) as store:
        theirs = [await store.take("alike", 1000 * SECOND, 8, wanted) for wanted in asked]
    ours = [local.take("alike", 1000 * SECOND, 8, wanted) for wanted in asked]
    assert [each.number for each in ours] == [each.number for each in theirs] == [3, 1, 4, 0, 0]
    assert [each.whole_in for each in theirs] == pytest.approx(
        [each.whole_in for each in ours], abs=600 * SECOND
    )


async def test_without_redis_each_process_has_its_own() -> None:
    clock = Clock()
    async with shared.opened(FAR_AWAY, 0.1) as nobody:
        assert 10 == await allowed(limits(clock, nobody), Limit("requests", 1, 10), 20)


async def test_a_limit_above_one_a_microsecond_lets_all_through() -> None:
    clock = Clock()
    assert 100 == await allowed(limits(clock, Counted(clock)), Limit("requests", 10_000_000, 100), 100)
