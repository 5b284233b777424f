"""What is stored must not make work dearer: commits, claims, and pages beside ever more stored trades."""

import time
from contextlib import AsyncExitStack
from typing import Final

import numpy as np

from bench import markets, pairs, stores
from bench.effort import Effort
from bench.markets import Market
from bench.pairs import Pair
from bench.reports import LOST, Report, number, report
from bench.rounds import Contestant, Figures, alternate, percentiles
from db.connections import connected
from db.history import trades
from db.history.windows import Window
from db.partitions import day_of, ensure_days
from market.times import DAY, floor

_TIMES: Final = (20, 200, 1_000)
"""As often as ``effort.ticks`` is stored before: 1, 10, and 50 million as usual."""

_A_DAY: Final = 1_000_000
_STEPS: Final = 100
_PAGES: Final = 400
_ROWS: Final = 100
_SEED: Final = 7
_FILL: Final = """
INSERT INTO trades (exchange_id, side, instrument_id, ts, trade_id, price, size, received_at)
SELECT $1, 1 - 2 * (n % 2), ids[1 + n % cardinality(ids)], at, n,
       60000 + n % 7919 * 0.01, 0.001 * (1 + n % 50), at
FROM (SELECT $2::int[] AS ids) AS known,
     generate_series($3::bigint, $4::bigint) AS n,
     LATERAL (SELECT $5::timestamptz + (n - $3) * $6 * interval '1 microsecond' AS at) AS moment
"""


async def measure(url: str, effort: Effort) -> Report:
    """Measure on copies of the empty database at ``url``, each filled before, in turns."""
    market = await markets.opened(url, effort.ticks)
    sizes = [times * effort.ticks for times in _TIMES]
    async with AsyncExitStack() as stack:
        contestants: dict[str, Contestant] = {}
        for stored in sizes:
            copy = await stack.enter_async_context(stores.copied(url))
            past = await _filled(copy, market, stored)
            pair = await stack.enter_async_context(pairs.paired(copy, market))
            contestants[_name(stored)] = _Place(pair, market, past).round
        measured = await alternate(contestants, effort)
    told = f"{_STEPS} commits of {pairs.COMMIT} ticks, each claimed, and {_PAGES} pages of {_ROWS} trades"
    return report("growth", told, measured, {_name(size): _name(sizes[0]) for size in sizes[1:]})


def _name(stored: int) -> str:
    return f"{number(stored)} stored"


async def _filled(url: str, market: Market, stored: int) -> range:
    """Store so many trades in days before the tape begins; return their times, microseconds."""
    days = -(-stored // _A_DAY)
    begin = floor(market.tape[0].ts, DAY) - days * DAY
    ids = list(market.places)
    exchange_id = market.places[ids[0]].exchange_id
    step = DAY * days // stored
    async with connected(url, "bench filler") as connection:
        await ensure_days(connection, [day_of(begin + day * DAY) for day in range(days + 2)])
        for first in range(0, stored, _A_DAY):
            last = min(first + _A_DAY, stored) - 1
            await connection.execute(_FILL, exchange_id, ids, first, last, begin + first * step, step)
        await connection.execute("VACUUM ANALYZE")
    return range(begin, begin + stored * step)


class _Place:
    """A database that has so much stored, and who works on it."""

    def __init__(self, pair: Pair, market: Market, past: range) -> None:
        self._pair = pair
        self._listed = list(market.places.values())
        self._past = past
        self._chance = np.random.default_rng(_SEED)

    async def round(self) -> Figures:
        """Return what commits, claims, and pages took."""
        for _ in range(_STEPS):
            await self._pair.step()
        ticks, commits, claims = self._pair.taken()
        pages = [await self._page() for _ in range(_PAGES)]
        return {
            "stored/s": ticks / sum(commits),
            **percentiles(claims, "claim "),
            **percentiles(pages, "page "),
            LOST: await self._pair.left(),
        }

    async def _page(self) -> float:
        """Read a page of some instrument's trades, from some moment on; return how many seconds it took."""
        of = self._listed[self._chance.integers(len(self._listed))]
        window = Window(from_ts=self._past[self._chance.integers(len(self._past))], limit=_ROWS)
        ids = [of.instrument_id]
        began = time.perf_counter()
        await trades.read(self._pair.connection, window, exchange_id=of.exchange_id, instrument_ids=ids)
        return time.perf_counter() - began
