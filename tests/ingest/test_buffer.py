import asyncio
import tracemalloc
from collections.abc import Callable

import pytest

from ingest.buffer import Arrival, Buffer
from ingest.venues.venue import DEPTHS, QUOTES, Decoded, Rejection
from market.depths import Depth
from market.quotes import Quote
from market.trades import Side, Trade


def arrival(ticks: int) -> Arrival:
    return Arrival("binance", Decoded(repeated={QUOTES: ticks}))


def trade(number: int) -> Arrival:
    ts = number * 1_000_000
    tick = Trade(1, ts, ts + 1, number / 7, number / 11, Side.BUY, ts + 2)
    return Arrival("binance", Decoded(trades=(tick,), watermarks=[]))


def quote(number: int) -> Arrival:
    ts = number * 1_000_000
    tick = Quote(1, ts, ts + 1, number / 7, number / 11, number / 13, number / 17, ts + 2)
    return Arrival("binance", Decoded(quotes=(tick,), watermarks=[]))


def depth(number: int) -> Arrival:
    ts = number * 1_000_000
    sides = [tuple(number / (prime + level) for level in range(10)) for prime in (7, 29, 47, 71)]
    tick = Depth(1, ts, ts + 1, sides[0], sides[1], sides[2], sides[3], ts + 2)
    return Arrival("binance", Decoded(depths=(tick,), watermarks=[]))


def letter(length: int) -> Arrival:
    return Arrival("binance", Decoded(rejections=[Rejection(DEPTHS, "undecodable", b"x" * length)]))


async def test_what_arrived_is_taken_in_its_order_up_to_a_number_of_ticks() -> None:
    buffer = Buffer(100)
    arrivals = [arrival(2), arrival(3), arrival(4)]
    for each in arrivals:
        await buffer.put(each)
    assert arrivals[:2] == await buffer.take(5)
    assert buffer.size == 4
    assert arrivals[2:] == await buffer.take(5)


async def test_put_waits_while_the_buffer_is_full() -> None:
    buffer = Buffer(3)
    await buffer.put(arrival(3))
    assert buffer.full
    waiting = asyncio.create_task(buffer.put(arrival(1)))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert [arrival(3)] == await buffer.take(10)
    await waiting
    assert [arrival(1)] == await buffer.take(10)


async def test_many_that_wait_never_overfill_it_and_nothing_is_lost() -> None:
    buffer = Buffer(2)
    most = 0
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(buffer.put(arrival(1)))
        taken = 0
        while taken < 50:
            most = max(most, buffer.size)
            taken += len(await buffer.take(1))
    assert (50, 0) == (taken, buffer.size)
    assert most <= 2


async def test_take_waits_for_the_first_arrival() -> None:
    buffer = Buffer(10)
    taking = asyncio.create_task(buffer.take(10))
    await asyncio.sleep(0)
    assert not taking.done()
    await buffer.put(arrival(1))
    assert [arrival(1)] == await taking


async def test_a_closed_buffer_is_emptied_and_then_gives_nothing() -> None:
    buffer = Buffer(10)
    await buffer.put(arrival(1))
    buffer.close()
    assert [arrival(1)] == await buffer.take(10)
    assert [] == await buffer.take(10)


async def test_what_is_kept_whole_counts_by_its_bytes() -> None:
    buffer = Buffer(1000, bound_bytes=10_000)
    await buffer.put(letter(20_000))
    assert buffer.full
    waiting = asyncio.create_task(buffer.put(arrival(1)))
    await asyncio.sleep(0)
    assert not waiting.done()
    await buffer.take(1)
    await waiting


async def test_a_read_that_waits_is_counted_and_timed() -> None:
    seconds = iter([10.0, 13.0, 15.0])
    buffer = Buffer(1, time=lambda: next(seconds))
    await buffer.put(arrival(1))
    async with asyncio.TaskGroup() as group:
        group.create_task(buffer.put(arrival(1)))
        await asyncio.sleep(0)
        assert buffer.gauge.paused_seconds == 3.0
        await buffer.take(1)
    assert (1, 5.0) == (buffer.gauge.pauses, buffer.gauge.paused_seconds)


async def test_a_buffer_that_was_full_is_saturated_until_it_is_half_empty() -> None:
    buffer = Buffer(4)
    saturated = []
    for _ in range(4):
        await buffer.put(arrival(1))
        saturated.append(buffer.saturated)
    for _ in range(4):
        await buffer.take(1)
        saturated.append(buffer.saturated)
    assert [False, False, False, True, True, True, False, False] == saturated
    assert (1.0, 0.0) == (buffer.gauge.peak_share, buffer.gauge.share)


@pytest.mark.parametrize("make", [trade, quote, depth, letter])
def test_the_memory_of_what_waits_is_estimated_well(make: Callable[[int], Arrival]) -> None:
    tracemalloc.start()
    try:
        arrivals = [make(1000 + number) for number in range(500)]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.8 < held / sum(each.bytes for each in arrivals) < 1.25
