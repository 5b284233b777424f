"""Statements that took long, logged with their plan, so that the log says what to mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import asyncpg
import structlog

from db.connections import connected
from db.errors import translated
from market.errors import StoreError

if TYPE_CHECKING:
    from asyncpg.connection import LoggedQuery

logger = structlog.get_logger(__name__)

_WAITING: Final = 16
"""Statements that wait for their plan; while there are more, further ones are logged without."""

_CUT_OFF: Final = (asyncpg.QueryCanceledError, TimeoutError)
"""Errors that say that a statement took too long; whatever else failed did not fail for that."""

_PLANNED_WITHIN: Final = {"statement_timeout": "5s", "lock_timeout": "1s"}


class SlowQueries:
    """Asks for the plan aside, on a connection of its own, one at a time; nothing is run again."""

    def __init__(self, url: str, name: str, above_seconds: float) -> None:
        """Log what takes longer than ``above_seconds``."""
        self._url = url
        self._name = name
        self._above_seconds = above_seconds
        self._slow: asyncio.Queue[LoggedQuery] = asyncio.Queue(_WAITING)

    def watch(self, ran: "LoggedQuery") -> None:
        """Note a statement that has ended."""
        slow = ran.exception is None and ran.elapsed >= self._above_seconds
        if not slow and not isinstance(ran.exception, _CUT_OFF):
            return
        try:
            self._slow.put_nowait(ran)
        except asyncio.QueueFull:
            _log(ran, "not asked for: too many wait")

    async def run(self) -> None:
        """Log for ever."""
        while True:
            ran = await self._slow.get()
            try:
                plan = await self._plan(ran)
            except StoreError as error:
                plan = f"not known: {error}"
            _log(ran, plan)

    async def _plan(self, ran: "LoggedQuery") -> str:
        async with connected(self._url, self._name, _PLANNED_WITHIN) as connection:
            with translated("explaining a statement"):
                rows = await connection.fetch(f"EXPLAIN {ran.query}", *ran.args)
        return "\n".join(row[0] for row in rows)


@asynccontextmanager
async def watching(url: str, name: str, above_seconds: float) -> AsyncIterator[SlowQueries]:
    """Watch for as long as the block runs."""
    slow = SlowQueries(url, name, above_seconds)
    running = asyncio.create_task(slow.run())
    try:
        yield slow
    finally:
        running.cancel()


def _log(ran: "LoggedQuery", plan: str) -> None:
    logger.warning(
        "query.slow",
        seconds=round(ran.elapsed, 3),
        statement=ran.query,
        ended="cut off" if ran.exception else "answered",
        plan=plan,
    )
