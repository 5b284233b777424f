"""``heliograph retention``: how long ticks are kept, what is older, and its end."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from db import retention
from db.connections import connected
from db.retention import OldDay
from db.settings import RetentionSettings
from heliograph.changing import actor
from heliograph.storage import size
from heliograph.tables import print_table
from heliograph.whereabouts import database_url
from market.errors import StoreBusyError
from runtime.clock import now
from workers.retaining import before, retain


class Options(NamedTuple):
    """Whose days, and what becomes of them."""

    data_dir: Path | None
    export_dir: Path | None
    dry_run: bool
    as_json: bool


def show(options: Options) -> None:
    """Print how long ticks are kept, and which days are older."""
    kept = before(RetentionSettings(), now())
    if not options.as_json:
        sys.stdout.write("".join(f"{line}\n" for line in _rules(kept)))
    _tell(asyncio.run(_due(options, kept)), "is to be dropped", options)


def apply(options: Options) -> None:
    """Drop the days that are older, and print which."""
    if options.dry_run:
        _tell(asyncio.run(_due(options, before(RetentionSettings(), now()))), "would be dropped", options)
        return
    url = database_url(options.data_dir)
    dropped = asyncio.run(
        retain(url, RetentionSettings(), now(), options.export_dir, actor=actor("retention"))
    )
    if dropped is None:
        message = "somebody else drops old days just now (the scheduler does every day): try again later"
        raise StoreBusyError(message)
    _tell(dropped, "dropped", options)


async def _due(options: Options, kept: Mapping[str, date]) -> list[OldDay]:
    async with connected(database_url(options.data_dir), "heliograph retention") as connection:
        return await retention.due(connection, kept)


def _rules(kept: Mapping[str, date]) -> list[str]:
    return [
        f"{table} are kept {f'from {kept[table]} on' if table in kept else 'for ever'} "
        f"(HELIOGRAPH_RETENTION_{table.upper()}_DAYS)"
        for table in ("trades", "quotes", "depths")
    ]


def _tell(days: Sequence[OldDay], becomes: str, options: Options) -> None:
    if options.as_json:
        told = [
            {
                "table": each.table,
                "day": str(each.day),
                "rows": each.rows,
                "bytes": each.bytes,
                "held": each.held,
            }
            for each in days
        ]
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    if days:
        rows = [
            (each.name, f"{each.rows:,}", size(each.bytes), f"kept: {each.held}" if each.held else becomes)
            for each in days
        ]
        print_table([("day", "rows", "takes", "becomes"), *rows])
    going = [each for each in days if not each.held]
    sys.stdout.write(f"{len(going)} days, {size(sum(each.bytes for each in going))}, {becomes}\n")
