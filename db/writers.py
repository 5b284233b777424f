"""Who writes ticks: a small number that one connection holds, and sequence numbers that only grow."""

from itertools import count
from typing import TYPE_CHECKING, Final

import msgspec

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("writers")

_LOCK_CLASS: Final = 0x48574954
"""The class of the writers' advisory locks: 'HWIT'."""

_EPOCH_BITS: Final = 32


class Writer(msgspec.Struct, frozen=True):
    """A slot, held while its connection lives, and the number that its batches begin at."""

    slot: int
    first_seq: int


async def enlist(connection: "Connection") -> Writer:
    """Take the lowest free slot for as long as ``connection`` lives."""
    with translated("taking a writer's slot"):
        slot = 0
        for slot in count():
            if await connection.fetchval(_sql.try_slot, _LOCK_CLASS, slot):
                break
        await connection.execute(_sql.list_writer, slot)
        epoch: int = await connection.fetchval(_sql.next_epoch)
    return Writer(slot, epoch << _EPOCH_BITS)
