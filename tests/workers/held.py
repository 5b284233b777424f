"""A connection that stops before a statement of its own, until somebody lets it go on or cuts it off."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast

from db.ticks import TickWriter
from market.trades import Trade
from workers.claiming import Claimer

if TYPE_CHECKING:
    import asyncpg

    from db.connections import Connection

PATIENCE_SECONDS = 30.0
"""Nobody waits so long for anybody's lock."""

_STATEMENTS = frozenset(
    {"copy_to_table", "copy_records_to_table", "execute", "executemany", "fetch", "fetchrow", "fetchval"}
)


class Held:
    """Speaks for a connection; ``stop_before`` says before which of the statements to come it stops."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._real = connection
        self._left: int | None = None
        self._go = asyncio.Event()
        self.stopped = asyncio.Event()
        self.pid = connection.get_server_pid()

    @property
    def connection(self) -> "Connection":
        return cast("Connection", self)

    def stop_before(self, statements: int | None) -> None:
        self._left = statements
        self._go.clear()
        self.stopped.clear()

    def go(self) -> None:
        self._left = None
        self._go.set()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the driver has it
        found = getattr(self._real, name)
        return self._held(found) if name in _STATEMENTS else found

    def _held(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def called(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - the same
            if self._left is not None:
                self._left -= 1
                if self._left < 0:
                    self.stopped.set()
                    await self._go.wait()
            return await call(*arguments, **named)

        return called


class Process:
    """A writer, a live worker, or a backfill worker: a connection, and what it is in the middle of."""

    def __init__(self, held: Held, claimer: Claimer) -> None:
        self.held = held
        self.claimer = claimer
        self.writer: TickWriter | None = None
        self.doing: asyncio.Task[Any] | None = None
        self.storing: list[Trade] = []

    async def begin(self, work: Coroutine[Any, Any, Any], stop_before: int | None) -> bool:
        """Do the work until it is done or stopped; tell whether it is done."""
        self.held.stop_before(stop_before)
        self.doing = asyncio.create_task(work)
        stopped = asyncio.create_task(self.held.stopped.wait())
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.wait({self.doing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        return self.doing.done()

    async def end(self) -> None:
        """Go on to the end."""
        assert self.doing is not None
        self.held.go()
        async with asyncio.timeout(PATIENCE_SECONDS):
            doing, self.doing = self.doing, None
            await doing
