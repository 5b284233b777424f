"""Whoever walks the pages of a history while it grows sees each row once, and all that stood before."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.connections import connected
from market.times import MINUTE
from tests.api.peers import Served, Worker
from tests.api.ticks import T, add_bars, add_depths, add_quotes, add_signals, add_trades, unpartitioned

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed

Place = tuple[int, int]
"""A small time, and what tells rows of that time apart."""


class Noun(NamedTuple):
    """How rows of a noun are written, and found again in an answer."""

    table: str
    add: Callable[["Connection", "Listed", Sequence[Place]], Awaitable[None]]
    place: Callable[[dict[str, Any]], tuple[str, ...]]


async def _trades(connection: "Connection", listed: "Listed", places: Sequence[Place]) -> None:
    await add_trades(connection, listed, *((T + ts, number) for ts, number in places))


async def _quotes(connection: "Connection", listed: "Listed", places: Sequence[Place]) -> None:
    await add_quotes(connection, listed, *((T + ts, number) for ts, number in places))


async def _depths(connection: "Connection", listed: "Listed", places: Sequence[Place]) -> None:
    await add_depths(connection, listed, *((T + ts, number) for ts, number in places))


async def _signals(connection: "Connection", listed: "Listed", places: Sequence[Place]) -> None:
    await add_signals(connection, listed, *((f"kind_{number}", T + ts) for ts, number in places))


async def _bars(connection: "Connection", listed: "Listed", places: Sequence[Place]) -> None:
    await add_bars(connection, listed, *(T + (5 * ts + number) * MINUTE for ts, number in places))


NOUNS = {
    "trades": Noun("trades", _trades, lambda row: (row["symbol"], row["ts"], row["trade_id"])),
    "quotes": Noun("quotes", _quotes, lambda row: (row["symbol"], row["ts"], row["update_id"])),
    "depth": Noun("depths", _depths, lambda row: (row["symbol"], row["ts"], row["update_id"])),
    "signals": Noun("signals", _signals, lambda row: (row["symbol"], row["ts"], row["kind"])),
    "bars": Noun("bars", _bars, lambda row: (row["symbol"], row["start"])),
}

ROWS = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.tuples(st.integers(0, 4), st.integers(0, 4))),
    unique=True,
    max_size=40,
)
"""Of which instrument, and where: few times, so that many rows are of one instant."""


class Growth(NamedTuple):
    """Rows that stand before a walk, and batches that come between its pages: at once, or a page later."""

    before: list[tuple[int, Place]]
    batches: list[tuple[list[tuple[int, Place]], bool]]


@st.composite
def growths(draw: st.DrawFn) -> Growth:
    rows = draw(ROWS)
    ends = sorted(draw(st.lists(st.integers(0, len(rows)), min_size=1, max_size=5)))
    pieces = [rows[begin:end] for begin, end in zip(ends, [*ends[1:], len(rows)], strict=True)]
    return Growth(rows[: ends[0]], [(piece, draw(st.booleans())) for piece in pieces])


class Walk:
    """A walk over the pages of one noun, and who writes meanwhile."""

    def __init__(self, served: Served, noun: str, asked: dict[str, Any]) -> None:
        self.served = served
        self.noun = noun
        self.asked = asked
        self.seen: list[tuple[str, ...]] = []
        self.more = True
        self._cursor: dict[str, str] = {}

    @classmethod
    async def whole(cls, served: Served, noun: str, asked: dict[str, Any]) -> list[tuple[str, ...]]:
        """Return what one page shows that holds everything."""
        walk = cls(served, noun, {**asked, "limit": 500})
        await walk.step()
        assert not walk.more
        return walk.seen

    async def step(self) -> None:
        fresh = {"Cache-Control": "no-cache"}
        response = await self.served.http.get(
            f"/v1/{self.noun}", params={**self.asked, **self._cursor}, headers=fresh
        )
        page = response.json()
        assert page["data"] or not self._cursor, "more was promised"
        self.seen += [NOUNS[self.noun].place(row) for row in page["data"]]
        self.more = page["has_more"]
        assert (page["next"] is not None) is self.more
        self._cursor = {"cursor": page["next"]}


async def write(
    connection: "Connection", noun: str, listed: Sequence["Listed"], rows: Sequence[tuple[int, Place]]
) -> None:
    for number, each in enumerate(listed):
        await NOUNS[noun].add(connection, each, [place for whose, place in rows if whose == number])


@pytest.fixture
async def writer(postgres_url: str) -> AsyncIterator["Connection"]:
    async with connected(postgres_url, "writer") as connection:
        await unpartitioned(connection)
        yield connection


@pytest.mark.slow
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("noun", NOUNS)
@settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(growth=growths(), limit=st.integers(1, 7), symbol=st.sampled_from(["SOL/USD", "*"]))
async def test_a_walk_during_inserts_sees_nothing_twice_and_all_that_was_committed_before_it(
    served: Served,
    worker: Worker,
    writer: "Connection",
    *,
    noun: str,
    order: str,
    growth: Growth,
    limit: int,
    symbol: str,
) -> None:
    listed = await worker.instruments("SOL/USD", "BTC/USD")
    asked = {"exchange": "kraken", "symbol": symbol, "order": order}
    await writer.execute(f"TRUNCATE {NOUNS[noun].table}")
    await write(writer, noun, listed, growth.before)
    before = await Walk.whole(served, noun, asked)
    walk = Walk(served, noun, {**asked, "limit": limit})
    batches = iter(growth.batches)
    while walk.more:
        rows, held = next(batches, ([], False))
        async with writer.transaction():
            await write(writer, noun, listed, rows)
            if held:
                await walk.step()
        if walk.more:
            await walk.step()
    after = await Walk.whole(served, noun, asked)
    assert len(walk.seen) == len(set(walk.seen)), "something came twice"
    assert set(before) <= set(walk.seen) <= set(after)
    positions = [after.index(place) for place in walk.seen]
    assert positions == sorted(positions)
