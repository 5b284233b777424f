"""What the roles tell of themselves: their heartbeat rows, shown on the console."""

import asyncio
from collections.abc import Mapping
from typing import Any

from db.connections import connected
from db.processes import ProcessRow, processes
from heliograph.console import Console
from heliograph.roles import ROLES
from heliograph.supervisor import Change, State
from market.errors import StoreError
from market.times import SECOND
from runtime.clock import now

_LOOK_EVERY_SECONDS = 1.0


class Roll:
    """Who runs, by process id: joins what the supervisor sees with what heartbeats tell."""

    def __init__(self, console: Console) -> None:
        """Show everything on ``console``."""
        self._console = console
        self._since = now()
        self._programs: dict[int, str] = {}
        self._ended: dict[int, str] = {}

    def change(self, change: Change) -> None:
        """Note and show that a program started or ended."""
        if change.state is State.STARTED:
            self._programs[change.pid] = change.program
        elif change.state is not State.STOPPING:
            self._ended[change.pid] = self._programs.pop(change.pid, change.program)
        self._console.change(change)

    async def call(self, url: str) -> None:
        """Show for ever what our processes tell."""
        while True:
            try:
                async with connected(url, "heliograph console") as connection:
                    while True:
                        for role in ROLES:
                            self._show(await processes(connection, role.name, self._since))
                        await asyncio.sleep(_LOOK_EVERY_SECONDS)
            except StoreError as error:
                self._console.say(f"PostgreSQL does not answer: {error}")
                await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def total(self, url: str) -> None:
        """Show, once they have ended, what the programs told last."""
        try:
            async with connected(url, "heliograph console") as connection:
                for role in ROLES:
                    for row in await processes(connection, role.name, self._since):
                        if (program := self._ended.get(row.pid)) and (text := summary(row.counters)):
                            self._console.total(program, text)
        except StoreError as error:
            self._console.say(f"PostgreSQL does not tell the totals: {error}")

    def _show(self, rows: list[ProcessRow]) -> None:
        for row in rows:
            program = self._programs.get(row.pid)
            if program is not None:
                self._console.beat(program, (now() - row.seen_at) / SECOND, summary(row.counters))


def summary(counters: Mapping[str, Any]) -> str:
    """Return the totals of a process in one line; an ingester's are summed over its feeds."""
    feeds = counters.get("feeds")
    totals = _over_feeds(feeds) if isinstance(feeds, Mapping) else counters
    return ", ".join(f"{value:,} {name}" for name, value in totals.items() if isinstance(value, int))


def _over_feeds(feeds: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, int]:
    sums = {"stored": 0, "duplicates": 0, "conflated": 0, "rejected": 0}
    for kinds in feeds.values():
        for tally in kinds.values():
            sums["stored"] += tally["stored"]
            sums["duplicates"] += tally["duplicates"]
            sums["conflated"] += tally["conflated"]
            sums["rejected"] += sum(tally["rejected"].values())
    return sums
