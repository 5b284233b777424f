"""Live comes first: what is fetched or imported waits a little while ticks wait for workers."""

import asyncio
from typing import TYPE_CHECKING, Final

from db.claims import oldest_batch_seconds

if TYPE_CHECKING:
    from db.connections import Connection

_FIRST_SECONDS: Final = 0.05
"""And twice as long each time: who asks too often costs live more than he spares it."""

_AT_MOST_SECONDS: Final = 1.0
"""Then a page is stored, however far behind live is: gaps heal also where nobody folds."""


async def yield_to_live(
    connection: "Connection", above_seconds: float, at_most_seconds: float = _AT_MOST_SECONDS
) -> float:
    """Wait while the oldest batch has waited for longer than ``above_seconds``; return how many seconds."""
    yielded, step = 0.0, _FIRST_SECONDS
    while yielded < at_most_seconds and await oldest_batch_seconds(connection) > above_seconds:
        await asyncio.sleep(step)
        yielded += step
        step *= 2
    return yielded
