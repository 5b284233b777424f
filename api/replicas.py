"""How the replica does that history is read from."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from api import database
from api.schemas import Row
from api.state import State
from db import overview
from market.errors import StoreError
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection

_WITHIN_SECONDS: Final = 2.0
_LAG_ALARM_SECONDS: Final = 10.0


class Replica(Row):
    """Where history is read; `lag_seconds` behind the database, null when either does not answer."""

    answers: bool
    lag_seconds: float | None


async def examine(here: State) -> Replica | None:
    """Return how the replica stands; None without one."""
    history = here["history"]
    if not isinstance(history, database.Replica):
        return None
    try:
        async with asyncio.timeout(_WITHIN_SECONDS):
            expected = await _newest_beat(here["database"].connection())
            found = await _newest_beat(history.own())
    except (StoreError, TimeoutError):
        return Replica(answers=False, lag_seconds=None)  # which is the finding
    return Replica(answers=True, lag_seconds=max(expected - found, 0) / SECOND)


async def _newest_beat(lent: "AbstractAsyncContextManager[Connection]") -> int:
    async with lent as connection:
        return await overview.newest_beat(connection) or 0


def problems(replica: Replica | None) -> Iterator[str]:
    """Say what is amiss with it."""
    if replica is None:
        return
    if not replica.answers:
        yield "the replica does not answer: history is read from the database itself"
    elif replica.lag_seconds is not None and replica.lag_seconds > _LAG_ALARM_SECONDS:
        yield f"the replica that history is read from is {replica.lag_seconds:.0f} s behind"
