"""New code takes a shard over from old code: what it did not fold before begins anew, and is repaired."""

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from market.bars import Bar
from market.times import SECOND
from market.trades import Trade
from tests.workers.market import (
    BEGAN,
    Market,
    claim_all,
    new_claimer,
    settle,
    tape,
)
from workers.claiming import Claimer
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.kinds.momentum import Momentum
from workers.verifying import Verifier

pytestmark = pytest.mark.slow


class Newer(Momentum, frozen=True):
    """Momentum as a later version."""

    version: ClassVar[int] = 99


class Numb(Momentum, frozen=True):
    """Momentum that kept something else, and did not count the change."""

    state_type: ClassVar[type] = int

    def start(self) -> Any:  # noqa: ANN401 - another state
        return 0

    def step(self, state: Any, _bar: Bar, /) -> tuple[Any, None]:  # noqa: ANN401 - another state
        return state + 1, None

    def measure(self, _state: object, _bar: Bar, /) -> None:
        return None


async def feed(market: Market, claimer: Claimer, trades: Sequence[Trade]) -> None:
    async with market.writing() as writer, market.working() as connection:
        for start in range(0, len(trades), 500):
            await writer.store(trades[start : start + 500])
            await claim_all(claimer, connection)


@pytest.mark.parametrize(
    ("old", "new"), [(Momentum(), Newer()), (Numb(), Momentum())], ids=["another version", "another state"]
)
async def test_a_kind_that_begins_anew_is_as_if_it_had_always_been(
    market: Market, old: Momentum, new: Momentum
) -> None:
    trades = tape(market.ids[0], 24_000)
    before, after = [Folder([kind, *KINDS[1:]]) for kind in (old, new)]
    clock = iter(range(BEGAN, BEGAN + 10**15, 10 * SECOND))
    await feed(market, new_claimer(lambda: next(clock), before), trades[:12_000])
    claimer = new_claimer(lambda: next(clock), after)
    await feed(market, claimer, trades[12_000:12_500])
    async with market.working() as connection:
        await settle(market, claimer, connection, after)
    await feed(market, claimer, trades[12_500:])
    since = trades[12_000].ts
    async with market.working() as connection:
        await settle(market, claimer, connection, after)
        made = await Verifier(connection, after).verify(market.listed[0], since, trades[-1].ts)
    assert () == made.differences
    told = await market.connection.fetch(TOLD, new.version, since)
    whole = [each.signal for each in after.fold(after.start(), trades).signals]
    expected = [(each.ts, each.warm) for each in whole if each.kind == "momentum" and each.ts > since]
    assert expected == [tuple(row) for row in told]


TOLD = """
SELECT ts, warm FROM signals WHERE kind = 'momentum' AND version = $1 AND ts > $2 ORDER BY ts
"""
