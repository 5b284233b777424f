"""What each chore does."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from db import gaps, schedules, statistics, storage, trainings
from db.connections import connected
from db.partitions import day_of, days_ahead, ensure_days
from db.processes import forget_old
from db.settings import RetentionSettings
from db.sockets import forget_old as forget_old_sockets
from db.trained_models import forget_old as forget_old_models
from db.trainings import History
from market.errors import ArchiveError
from market.times import DAY, floor
from runtime.clock import Clock
from workers import chores
from workers.chores import Chore, Outcome
from workers.nightly import Nightly
from workers.retaining import retain
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from asyncpg import Connection, Record

Work = Callable[[int | None], Awaitable[Outcome]]
"""A chore's work, told since when it was tried and interrupted, if it was."""

_NIGHTS: Final = 7
"""So many days before yesterday are looked at for what was missed."""

_EVER: Final = 0


class Housekeeping:
    """The works of all chores, each over a connection of its own."""

    def __init__(
        self, url: str, settings: WorkerSettings, clock: Clock, nightly: Nightly, kept: RetentionSettings
    ) -> None:
        self._url = url
        self._settings = settings
        self._clock = clock
        self._nightly = nightly
        self._kept = kept
        self.works: Final[Mapping[Chore, Work]] = {
            chores.PARTITIONS: self.make_partitions,
            chores.TRAIN: self.ask_for_trainings,
            chores.HEAL: self.heal,
            chores.STATISTICS: self.refresh_statistics,
            chores.FORGET: self.forget,
            chores.PACK: self.pack,
            chores.RETAIN: self.retain,
            chores.VERIFY: self.verify,
        }

    async def make_partitions(self, _since: int | None = None) -> Outcome:
        """Have partitions for today and the days ahead."""
        days = days_ahead(self._clock(), self._settings.partitions_ahead_days)
        async with self._connected("partitions") as connection:
            await ensure_days(connection, days)
        return Outcome(f"there are partitions until {days[-1]}")

    async def ask_for_trainings(self, _since: int | None = None) -> Outcome:
        """Have models trained where there is enough history, and none was asked for lately."""
        async with self._connected("train") as connection:
            histories = await trainings.histories(connection, self._settings.train_days)
            due = [history for history in histories if self._due(history)]
            for history in due:
                await trainings.enqueue(connection, history)
        return Outcome(f"{len(due)} trainings were asked for")

    async def heal(self, _since: int | None = None) -> Outcome:
        """Have gaps healed that stand, and that nobody is to heal any more."""
        async with self._connected("heal") as connection:
            asked = await gaps.heal_again(connection)
        return Outcome(f"{asked} gaps were asked for again")

    async def refresh_statistics(self, _since: int | None = None) -> Outcome:
        """Have the planner know how the partitioned tables are filled."""
        async with self._connected("statistics") as connection:
            tables = await statistics.refresh(connection)
        return Outcome(f"{tables} tables were sampled")

    async def forget(self, _since: int | None = None) -> Outcome:
        """Drop what processes told that ended long ago, and runs and models that nobody asks for."""
        async with self._connected("forget") as connection:
            await forget_old(connection)
            await forget_old_sockets(connection)
            await forget_old_models(connection)
            await schedules.forget_old(connection)
        return Outcome("")

    async def pack(self, _since: int | None = None) -> Outcome:
        """Have days take no more room than they need once they are closed; yesterday may still be healed."""
        async with self._connected("pack") as connection:
            packed = await storage.pack(connection, day_of(self._clock() - DAY))
        saved = sum(each.before_bytes - each.after_bytes for each in packed)
        return Outcome(f"{len(packed)} indexes were written anew, {saved / 2**20:.1f} MiB are free")

    async def retain(self, _since: int | None = None) -> Outcome:
        """Drop days of ticks that are older than they are kept."""
        try:
            dropped = await retain(self._url, self._kept, self._clock())
        except ArchiveError as error:
            return Outcome(str(error), failed=True)
        if dropped is None:
            return Outcome("somebody else drops old days just now")
        freed = sum(each.bytes for each in dropped)
        names = ", ".join(each.name for each in dropped)
        return Outcome(
            f"dropped {names}: {freed / 2**20:.1f} MiB are free" if dropped else "nothing is too old"
        )

    async def verify(self, since: int | None = None) -> Outcome:
        """Verify the day before, but for what was ``since`` a run that was interrupted.

        And of the days of a week before it the instruments that no night has verified.
        """
        yesterday = floor(self._clock(), DAY) - DAY
        missed = [(day, _EVER) for day in range(yesterday - _NIGHTS * DAY, yesterday, DAY)]
        told, failed = [], False
        for day, seen_since in [*missed, (yesterday, since)]:
            night = await self._nightly.run(day, seen_since)
            failed |= night.failed
            if night.verified or night.failed or day == yesterday:
                told.append(f"{day_of(day)}: {night.detail}")
        return Outcome("; ".join(told), failed=failed)

    def _due(self, history: History) -> bool:
        asked = history.asked_seconds_ago
        lately = asked is not None and asked < self._settings.train_after_seconds
        return history.minutes >= self._settings.train_least_minutes and not (history.waits or lately)

    def _connected(self, chore: str) -> "AbstractAsyncContextManager[Connection[Record]]":
        return connected(self._url, f"heliograph scheduler {chore}")
