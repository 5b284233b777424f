"""What goes wrong at a simulated venue, and how the gaps that come of it heal, told on the console."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from db import gaps
from db.connections import connected
from db.history.gaps import Filters, read
from db.instruments import listed
from heliograph.console import Console
from heliograph.venues import Venue
from market.errors import StoreError
from market.gaps import Gap, GapState
from market.times import SECOND
from runtime.lifecycle import wait_at_most

if TYPE_CHECKING:
    from db.connections import Connection

_LOOK_EVERY_SECONDS = 0.25
_SETTLE_WITHIN_SECONDS = 60.0
_PAGE = 10_000
_UNSETTLED = (GapState.OPEN, GapState.HEALING)


class Recovery:
    """Follows faults and gaps from now on."""

    def __init__(self, database_url: str, venue: Venue, console: Console) -> None:
        """Take the faults from ``venue``, and gaps from the database."""
        self._database_url = database_url
        self._venue = venue
        self._console = console
        self._before = 0
        self._faults: dict[int, str] = {}
        self._gaps: dict[int, Gap] = {}

    @asynccontextmanager
    async def told(self) -> AsyncIterator[None]:
        """Tell what happens while the block runs, and in the end what became of all gaps."""
        async with connected(self._database_url, "heliograph recovery") as connection:
            self._before = await gaps.newest(connection)
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch())
            try:
                yield
            finally:
                watching.cancel()
        states = Counter(gap.state for gap in self._gaps.values())
        counts = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
        self._console.say(f"gaps: {counts or 'none'}")

    async def settled(self, stopping: asyncio.Event) -> None:
        """Wait until nothing heals any more, but not for ever."""
        async with asyncio.timeout(_SETTLE_WITHIN_SECONDS) as limit:
            while await self._unsettled() and not stopping.is_set() and not limit.expired():
                await wait_at_most(stopping, _LOOK_EVERY_SECONDS)

    async def _unsettled(self) -> bool:
        async with connected(self._database_url, "heliograph recovery") as connection:
            await self._look(connection)
        return any(gap.state in _UNSETTLED and gap.job_id is not None for gap in self._gaps.values())

    async def _watch(self) -> None:
        while True:
            try:
                async with connected(self._database_url, "heliograph recovery") as connection:
                    while True:
                        self._tell_faults(await self._venue.faults())
                        await self._look(connection)
                        await asyncio.sleep(_LOOK_EVERY_SECONDS)
            except StoreError as error:
                self._console.say(f"PostgreSQL does not tell of gaps: {error}")
                await asyncio.sleep(_LOOK_EVERY_SECONDS)

    def _tell_faults(self, faults: Iterable[Mapping[str, Any]]) -> None:
        """Say of each fault that it began, and that it is over; an instant one is both at once."""
        for fault in faults:
            number, state = fault["number"], fault["state"]
            before = self._faults.get(number, "waiting")
            self._faults[number] = state
            if before == "waiting" != state:
                self._console.say(f"fault: {fault['kind']} begins at the simulated venue")
            if before != "over" == state:
                self._console.say(f"fault: {fault['kind']} is over, {fault['touched']:,} struck")

    async def _look(self, connection: "Connection") -> None:
        found = await read(connection, Filters(), after=self._before, limit=_PAGE)
        news = [gap for gap in found if gap != self._gaps.get(gap.gap_id)]
        if news:
            names = {each.instrument_id: each.instrument.key for each in await listed(connection)}
            for gap in news:
                self._tell_gap(gap, names[gap.instrument_id])

    def _tell_gap(self, gap: Gap, name: str) -> None:
        before = self._gaps.get(gap.gap_id)
        self._gaps[gap.gap_id] = gap
        if before is None or before.state != gap.state:
            self._console.say(f"gap {gap.gap_id}: {name} {gap.kind}, {_said(gap)}")


def _said(gap: Gap) -> str:
    length = f"{(gap.to_ts - gap.from_ts) / SECOND:.3f} s"
    if gap.before_id is not None and gap.after_id is not None:
        length = f"{gap.before_id - gap.after_id - 1:,} missing in {length}"
    if gap.state is GapState.CLOSED and gap.closed_at is not None:
        return f"{length} healed after {(gap.closed_at - gap.opened_at) / SECOND:.1f} s: {gap.detail}"
    return f"{length} {gap.state} ({gap.cause}){': ' if gap.detail else ''}{gap.detail}"
