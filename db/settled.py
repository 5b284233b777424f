"""Which part of an instrument's past nobody is going to change any more."""

from typing import TYPE_CHECKING, Final

import msgspec

from db.claims import decode_head
from db.errors import translated
from db.queries import load
from market.times import MINUTE

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("settled")

_AT_REST: Final = MINUTE
"""How long ago live must have left a time behind: until then its proof may still be written."""


class Settled(msgspec.Struct, frozen=True):
    """What is settled: all before ``until``, but for the stretches that are not; one may have no end."""

    until: int
    unsettled: list[tuple[int, int | None]]

    def holds(self, from_ts: int, to_ts: int) -> bool:
        """Tell whether [from_ts, to_ts) stays as it is."""
        return to_ts <= self.until and not any(
            begin < to_ts and (end is None or end > from_ts) for begin, end in self.unsettled
        )


async def read(connection: "Connection", instrument_id: int) -> Settled:
    """Return what is settled of an instrument's past; read it before what is to be kept."""
    with translated("reading what is settled"):
        rows = await connection.fetch(_sql.unsettled, instrument_id)
    stretches = [(from_ts, to_ts) for from_ts, to_ts in rows]
    return Settled(await until(connection, instrument_id) - _AT_REST, stretches)


async def until(connection: "Connection", instrument_id: int) -> int:
    """Return until when live leaves an instrument's bars alone, 0 before it has begun with it."""
    with translated("reading how far live is"):
        head = await connection.fetchval(_sql.head, instrument_id)
    cursor = decode_head(head).cursors.get(instrument_id) if head else None
    return cursor.settled_ts if cursor else 0
