"""How long ticks are kept, and days that are older: archived if asked, and dropped."""

import asyncio
from collections.abc import Mapping
from datetime import date
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from db import retention
from db.audit import act_as
from db.connections import connected
from db.instruments import listed
from db.partitions import day_of
from db.retention import DetachedDay, OldDay
from db.settings import RetentionSettings
from market.errors import ArchiveError
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
    url: str, settings: RetentionSettings, now: int, export_dir: Path | None = None, *, actor: str = ""
) -> "Sequence[OldDay] | None":
    """Drop what is older than it is kept; where there is a folder, only what is in its files by then.

    It is written down that ``actor`` did, where somebody did.
    None while somebody else does it; raises ArchiveError when a file cannot be written: the day waits then,
    detached, and the next time begins with it.
    """
    folder = export_dir or settings.export_dir
    async with connected(url, "heliograph retention", SESSION) as connection:
        await act_as(connection, actor)

        async def archive(day: DetachedDay) -> None:
            if folder is not None:
                async with connected(url, "heliograph retention export", SESSION) as reading:
                    await _archive(reading, day, folder)

        return await retention.drop(connection, before(settings, now), archive)


async def _archive(connection: "Connection", day: DetachedDay, folder: Path) -> None:
    """Write a day aside first: files that are there are of the day as it was dropped before, and stay."""
    from workers.exporting import Plan, days, sync_folder

    aside = folder / f".{day.name}"
    from_ts = from_iso(day.day.isoformat())
    plan = Plan(day.table, from_ts, from_ts + DAY, "parquet", aside, overwrite=True)
    try:
        async with retention.stand_in(connection, day):
            for each in await listed(connection):
                async for _ in days(connection, each, plan):
                    pass
        await asyncio.to_thread(_publish, aside, folder)
        await asyncio.to_thread(sync_folder, folder)
    except OSError as error:
        message = f"{day.dropped.name} is not dropped, as it cannot be archived in {folder}: {error}"
        raise ArchiveError(message) from error


def _publish(aside: Path, folder: Path) -> None:
    if not aside.exists():
        folder.mkdir(parents=True, exist_ok=True)
        return
    for file in sorted(aside.iterdir()):
        if file.suffix == ".parquet":
            file.rename(_free(folder / file.name))
        else:
            file.unlink()
    aside.rmdir()


def _free(path: Path) -> Path:
    """Return the path, or the same with the first number that no file has."""
    numbered = (path.with_suffix(f".{number}{path.suffix}") for number in count(2))
    return next(each for each in chain([path], numbered) if not each.exists())
