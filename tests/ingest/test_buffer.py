import asyncio

from ingest.buffer import Arrival, Buffer
from ingest.venues.venue import QUOTES, Decoded


def arrival(ticks: int) -> Arrival:
    return Arrival("binance", Decoded(repeated={QUOTES: ticks}))


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
