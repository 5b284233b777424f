"""A tape in memory, read as a stored one is."""

from bisect import bisect_right
from collections.abc import Sequence

from db.tapes import Newest
from market.depths import Depth
from market.ticks import Kind, TapeKey
from market.times import SECOND, floor
from market.trades import Trade
from market.watermarks import Watermark
from workers.folding import Tick


class ListedTape:
    """Reads from a list of ticks in order."""

    def __init__(self, ticks: Sequence[Tick]) -> None:
        self._ticks = ticks
        self._keys = [tick.tape_key for tick in ticks]

    async def read(self, after: TapeKey, to: TapeKey, kinds: frozenset[Kind]) -> Sequence[Tick]:
        part = self._ticks[bisect_right(self._keys, after) : bisect_right(self._keys, to)]
        return [tick for tick in part if tick.tape_key.kind in kinds]

    async def second_before(self, ts: int, seconds: int) -> int:
        return _before(
            [floor(tick.ts, SECOND) for tick in self._ticks if isinstance(tick, Trade)], ts, seconds
        )

    async def depth_before(self, ts: int, depths: int) -> int:
        return _before([tick.ts for tick in self._ticks if isinstance(tick, Depth)], ts, depths)

    async def newest_before(self, ts: int) -> Newest:
        return Newest(*(self._newest(kind, ts) for kind in (Trade, Watermark, Depth)))

    def _newest(self, kind: type[Tick], ts: int) -> int | None:
        return max((tick.ts for tick in self._ticks if isinstance(tick, kind) and tick.ts < ts), default=None)


def _before(times: Sequence[int], ts: int, number: int) -> int:
    earlier = sorted({each for each in times if each < ts}, reverse=True)[:number]
    return earlier[-1] if earlier else ts
