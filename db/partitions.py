"""Day partitions of the hot tables, made before anything is written into them."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Final

from db.errors import translated
from db.queries import load
from market.times import DAY, to_datetime

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("partitions")

HOT: Final = ("trades", "quotes", "depths")
"""Partitioned by day, in the order in which every transaction writes them."""


def day_of(ts: int) -> date:
    """Return the UTC day that contains ``ts``."""
    return to_datetime(ts).date()


def days_ahead(now: int, days: int) -> list[date]:
    """Return today and the days that follow it."""
    return [day_of(now + ahead * DAY) for ahead in range(days + 1)]


async def ensure_days(connection: "Connection", days: Iterable[date]) -> None:
    """Make the partitions of these days where they are missing, safely beside others who do the same.

    Call it on a connection that is not in a transaction: the lock it takes is short, and
    readers and writers of other days are not held up (LIKE + ATTACH, not PARTITION OF).
    """
    with translated("making day partitions"):
        for day in sorted(set(days)):
            for table in HOT:
                await connection.execute(_sql.ensure_day, table, day)


async def existing_days(connection: "Connection", table: str) -> list[date]:
    """Return the days for which ``table`` has a partition."""
    with translated("listing partitions"):
        return [row["day"] for row in await connection.fetch(_sql.existing_days, table)]
