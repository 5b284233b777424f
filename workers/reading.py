"""How a tape is read, wherever it stands: a stretch at a time, neither few ticks nor too many."""

from collections.abc import Sequence
from typing import Final, Protocol

from db.tapes import Newest
from market.ticks import Kind, TapeKey
from market.times import DAY, MINUTE, SECOND
from workers.folding import Tick

FIRST_READ: Final = MINUTE
_FEW_TICKS: Final = 5_000
_MANY_TICKS: Final = 50_000


class Tape(Protocol):
    """One instrument's tape, wherever it stands."""

    async def read(self, after: TapeKey, to: TapeKey, kinds: frozenset[Kind]) -> Sequence[Tick]:
        """Return its ticks of these kinds after one place, up to and with another, in order."""

    async def second_before(self, ts: int, seconds: int) -> int:
        """Return the start of the so many-th newest second before ``ts`` that has a trade.

        Of a tape that has not so many: of the oldest; of one that has none: ``ts``.
        """

    async def depth_before(self, ts: int, depths: int) -> int:
        """Return the time of the so many-th newest depth before ``ts``; of a shorter tape as above."""

    async def newest_before(self, ts: int) -> Newest:
        """Return when it was last told something before ``ts``."""


def next_step(step: int, ticks: int) -> int:
    """Return how much of the tape to read next, so that it is neither few ticks nor too many."""
    if ticks < _FEW_TICKS:
        return min(2 * step, DAY)
    return max(step // 2, SECOND) if ticks > _MANY_TICKS else step
