"""How long ticks are kept, and days that are older: archived if asked, and dropped."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from db import retention
from db.connections import connected
from db.instruments import listed
from db.partitions import day_of
from db.retention import OldDay
from db.settings import RetentionSettings
from market.times import DAY, from_iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.connections import Connection

SESSION: Final = {"statement_timeout": "600s", "idle_in_transaction_session_timeout": "600s"}


def before(settings: RetentionSettings, now: int) -> Mapping[str, date]:
    """Return by table the first day that is kept, of those that are not kept for ever."""
    kept = {"trades": settings.trades_days, "quotes": settings.quotes_days, "depths": settings.depths_days}
    return {table: day_of(now - days * DAY) for table, days in kept.items() if days}


async def retain(
    url: str, settings: RetentionSettings, now: int, export_dir: Path | None = None
) -> "Sequence[OldDay]":
    """Drop what is older than it is kept; where there is a folder, only what is in its files by then."""
    folder = export_dir or settings.export_dir
    async with connected(url, "heliograph retention", SESSION) as connection:

        async def archive(day: OldDay) -> None:
            if folder is not None:
                async with connected(url, "heliograph retention export", SESSION) as reading:
                    await _archive(reading, day, folder)

        return await retention.drop(connection, before(settings, now), archive)


async def _archive(connection: "Connection", day: OldDay, folder: Path) -> None:
    from workers.exporting import Plan, days

    from_ts = from_iso(day.day.isoformat())
    plan = Plan(day.table, from_ts, from_ts + DAY, "parquet", folder, overwrite=True)
    for each in await listed(connection):
        async for _ in days(connection, each, plan):
            pass
