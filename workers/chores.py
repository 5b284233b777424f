"""What is done by schedule: the one table of chores, and when each is due."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from db.schedules import INTERRUPTED
from market.errors import InvalidInputError
from market.nearest import suggestion
from market.times import to_datetime
from workers.settings import WorkerSettings

if TYPE_CHECKING:
    from db.schedules import LastRun

_TRIES: Final = 3
"""So often is a run begun again that was interrupted; then it waits for its time."""

_A_LITTLE: Final = timedelta(minutes=1)
"""The clocks of a scheduler and of PostgreSQL may differ by so much without a night being done twice."""


class Chore(NamedTuple):
    """What is done every so many seconds, or, without, each night at the hour of verification."""

    name: str
    says: str
    every_seconds: int | None = None


class Outcome(NamedTuple):
    """What came of a run, in words."""

    detail: str
    failed: bool = False


PARTITIONS: Final = Chore("partitions", "Make the partitions of the days ahead.", 3600)
TRAIN: Final = Chore("train", "Ask for trainings of models that are due.", 600)
HEAL: Final = Chore("heal", "Ask again for gaps that nobody heals any more.", 900)
STATISTICS: Final = Chore("statistics", "Tell PostgreSQL's planner how the large tables are filled.", 21_600)
FORGET: Final = Chore("forget", "Drop rows about processes, sockets, models, and runs of long ago.", 86_400)
PACK: Final = Chore("pack", "Write keys of closed days anew that take more room than they need.", 86_400)
RETAIN: Final = Chore("retain", "Drop days of ticks that are older than they are kept.", 86_400)
VERIFY: Final = Chore("verify", "Verify the day before, and what nights have missed.")

TABLE: Final = (PARTITIONS, TRAIN, HEAL, STATISTICS, FORGET, PACK, RETAIN, VERIFY)


def named(name: str) -> Chore:
    """Return the chore of that name; raises InvalidInputError."""
    for chore in TABLE:
        if chore.name == name:
            return chore
    names = [chore.name for chore in TABLE]
    near = suggestion(name, names) or f"there are {', '.join(names)}"
    message = f"there is no chore {name}; {near}"
    raise InvalidInputError(message, where="name")


def trigger(chore: Chore, settings: WorkerSettings) -> BaseTrigger:
    """Return when APScheduler is to begin a chore."""
    if chore.every_seconds is not None:
        return IntervalTrigger(seconds=chore.every_seconds, timezone=UTC)
    return CronTrigger(hour=settings.verify_hour, minute=0, timezone=UTC)


def rhythm(chore: Chore, settings: WorkerSettings) -> str:
    """Say when a chore is done."""
    if chore.every_seconds is None:
        return f"each night at {settings.verify_hour:02}:00 UTC"
    hours, minutes = divmod(chore.every_seconds // 60, 60)
    return f"every {hours} h" if hours else f"every {minutes} min"


def next_run(chore: Chore, last: "LastRun | None", settings: WorkerSettings, now: int) -> datetime:
    """Return when a chore is due, given its last run: at once if its time went by while nobody led.

    So is one that was interrupted, some times; and one that never ran, unless it belongs to the night.
    """
    here = to_datetime(now)
    if last is None or last.began_at is None:
        return here if chore.every_seconds is not None else _night_after(chore, settings, here)
    if last.state == INTERRUPTED and last.interrupted < _TRIES:
        return here
    began = to_datetime(last.began_at)
    if chore.every_seconds is not None:
        return max(here, began + timedelta(seconds=chore.every_seconds))
    return max(here, _night_after(chore, settings, began + _A_LITTLE))


def _night_after(chore: Chore, settings: WorkerSettings, moment: datetime) -> datetime:
    night: datetime = trigger(chore, settings).get_next_fire_time(None, moment)
    return night
