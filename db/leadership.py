"""Who of several processes does what must be done once: the holder of an advisory lock."""

from typing import TYPE_CHECKING

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("leadership")

SCHEDULER = 0x53434845
"""The lock of the scheduler: 'SCHE'."""


async def try_lead(connection: "Connection", lock: int) -> bool:
    """Take the lock if nobody has it; it is held until the connection ends."""
    with translated("electing a leader"):
        leads: bool = await connection.fetchval(_sql.try_lead, lock)
    return leads
