"""An instrument's tape as the database has it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from db import tapes
from db.tapes import Newest, Part
from market.ticks import Kind, TapeKey
from workers.folding import Tick

if TYPE_CHECKING:
    from db.connections import Connection


class StoredTape:
    """Reads what is stored by then, each time anew."""

    def __init__(self, connection: "Connection", exchange_id: int, instrument_id: int) -> None:
        self._connection = connection
        self._exchange_id = exchange_id
        self._instrument_id = instrument_id

    async def read(self, after: TapeKey, to: TapeKey, kinds: frozenset[Kind]) -> Sequence[Tick]:
        """Return its ticks of these kinds after one place, up to and with another, in order."""
        part = Part(self._exchange_id, self._instrument_id, after, to, kinds)
        return (await tapes.read_parts(self._connection, [part]))[self._instrument_id]

    async def second_before(self, ts: int, seconds: int) -> int:
        """Return the start of the so many-th newest second before ``ts`` that has a trade."""
        found = await tapes.second_before(
            self._connection, self._exchange_id, self._instrument_id, ts, seconds
        )
        return ts if found is None else found

    async def depth_before(self, ts: int, depths: int) -> int:
        """Return the time of the so many-th newest depth before ``ts``."""
        found = await tapes.depth_before(self._connection, self._exchange_id, self._instrument_id, ts, depths)
        return ts if found is None else found

    async def newest_before(self, ts: int) -> Newest:
        """Return when the tape was last told something before ``ts``."""
        return await tapes.newest_before(self._connection, self._exchange_id, self._instrument_id, ts)
