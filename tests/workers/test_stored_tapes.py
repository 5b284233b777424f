"""A stored tape is read as a listed one is."""

import random
from operator import attrgetter

from market.depths import Depth
from market.ticks import Kind, TapeKey
from market.times import MINUTE, SECOND
from market.watermarks import Watermark
from tests.workers.market import BEGAN, Market, tape
from tests.workers.tapes import ListedTape
from workers.folding import Tick
from workers.memory import place_before
from workers.stored_tapes import StoredTape


async def both(market: Market) -> tuple[StoredTape, ListedTape]:
    """The same tape, stored and listed: trades that come and go, books, venue time."""
    chance = random.Random(1)
    own = market.ids[0]
    trades = [trade for trade in tape(own, 900) if trade.ts // (5 * SECOND) % 3]
    times = sorted({chance.randrange(BEGAN, BEGAN + MINUTE) for _ in range(40)})
    depths = [Depth(own, ts, ts, (9.0,), (1.0,), (11.0,), (1.0,), ts) for ts in times]
    marks = [Watermark(own, BEGAN + second * SECOND, 0) for second in range(30, 60, 7)]
    async with market.writing() as writer:
        await writer.store(trades + tape(market.ids[1], 100), marks, depths)
    ticks: list[Tick] = sorted([*trades, *depths, *marks], key=attrgetter("tape_key"))
    exchange_id = await market.connection.fetchval("SELECT exchange_id FROM exchanges")
    return StoredTape(market.connection, exchange_id, own), ListedTape(ticks)


async def test_a_part_of_a_stored_tape_is_read_in_order(market: Market) -> None:
    stored, listed = await both(market)
    after, to = place_before(BEGAN + 10 * SECOND), TapeKey(BEGAN + 50 * SECOND, Kind.WATERMARK, 0)
    for kinds in (frozenset(Kind), frozenset({Kind.TRADE})):
        found = await stored.read(after, to, kinds)
        assert found
        assert list(await listed.read(after, to, kinds)) == found


async def test_seconds_and_depths_are_counted_backwards(market: Market) -> None:
    stored, listed = await both(market)
    for ts in (BEGAN, BEGAN + 1, BEGAN + 20 * SECOND, BEGAN + 33 * SECOND + 1, BEGAN + MINUTE):
        for number in (1, 2, 7, 500):
            assert await listed.second_before(ts, number) == await stored.second_before(ts, number)
            assert await listed.depth_before(ts, number) == await stored.depth_before(ts, number)
