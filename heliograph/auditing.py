"""``heliograph audit``: who changed what, and when."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from db import audit
from db.audit import Entry
from db.connections import connected
from heliograph.tables import print_table
from heliograph.whereabouts import database_url
from market.times import to_iso

_COLUMNS = ("at", "who", "what", "change", "before", "after")


def show(noun: str | None, limit: int, data_dir: Path | None, *, as_json: bool) -> None:
    """Print the newest changes."""
    found = asyncio.run(_read(noun, limit, data_dir))
    if as_json:
        sys.stdout.write(json.dumps([_fields(each) for each in found], indent=2) + "\n")
    elif found:
        print_table([_COLUMNS, *map(_cells, found)])
    else:
        sys.stdout.write("nobody changed anything yet\n")


async def _read(noun: str | None, limit: int, data_dir: Path | None) -> list[Entry]:
    async with connected(database_url(data_dir), "heliograph audit") as connection:
        return await audit.entries(connection, noun, limit)


def _fields(entry: Entry) -> dict[str, Any]:
    return {**msgspec.to_builtins(entry), "at": to_iso(entry.at)}


def _cells(entry: Entry) -> tuple[str, ...]:
    before, after = entry.before or {}, entry.after or {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        to_iso(entry.at),
        entry.actor,
        entry.noun,
        entry.change,
        *(_told({name: side[name] for name in names if name in side}) for side in (before, after)),
    )


def _told(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items() if value is not None) or "-"
