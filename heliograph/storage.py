"""``heliograph storage``: what the database takes, by table, index, and day, and how long there is room."""

import asyncio
import json
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

from db import storage
from db.connections import connected
from db.partitions import HOT, day_of
from db.storage import Relation, Storage
from heliograph.tables import print_table
from heliograph.whereabouts import database_url
from market.times import DAY, HOUR
from runtime.clock import now

_DAYS_SHOWN: Final = 14
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
_THOUSAND: Final = 1024


class Options(NamedTuple):
    """Whose storage, and how it is told; ``room_gib`` stands for the free room where it cannot be seen."""

    data_dir: Path | None
    fresh: bool
    room_gib: float | None
    as_json: bool


class Measured(NamedTuple):
    """What was found, and what a day more takes, as the last ones did."""

    storage: Storage
    at: int
    room_bytes: int | None

    @property
    def bytes_a_day(self) -> float:
        """Return what ticks of today take until midnight at their rate, or took yesterday; with all else.

        What is computed of ticks is taken to grow with them, as it did so far.
        """
        ticks = sum(each.total_bytes for each in self.storage.relations if each.day)
        today = self._of_day(day_of(self.at)) * DAY / max(self.at % DAY, 1)
        a_day = today if self.at % DAY >= HOUR else max(today, self._of_day(day_of(self.at - DAY)))
        everything = sum(each.total_bytes for each in self.storage.relations)
        return a_day * everything / ticks if ticks else 0.0

    @property
    def days_left(self) -> float | None:
        """Return for how many days there is room."""
        if self.room_bytes is None or not self.bytes_a_day:
            return None
        return self.room_bytes / self.bytes_a_day

    def _of_day(self, day: date) -> int:
        return sum(each.total_bytes for each in self.storage.relations if each.day == day and each.rows)


def show(options: Options) -> None:
    """Print what everything takes."""
    found = asyncio.run(_measure(options))
    if options.as_json:
        sys.stdout.write(json.dumps(fields(found), indent=2) + "\n")
        return
    print_table([("table", "rows", "takes", "a row", "of it rows", "indexes"), *_tables(found.storage)])
    sys.stdout.write("\n")
    print_table([("index", "takes", "a row"), *_indexes(found.storage)])
    sys.stdout.write("\n")
    print_table([("day", "ticks", "takes", *(f"a {name[:-1]}" for name in HOT)), *_days(found.storage)])
    sys.stdout.write(f"\n{_room(found)}\n")


async def _measure(options: Options) -> Measured:
    url = database_url(options.data_dir)
    async with connected(url, "heliograph storage") as connection:
        await storage.sample(connection, anew=options.fresh)
        found = await storage.read(connection)
        folder = await storage.folder(connection)
    room = None if options.room_gib is None else int(options.room_gib * _THOUSAND**3)
    return Measured(found, now(), _free(folder) if room is None else room)


def _free(folder: str | None) -> int | None:
    """Return the room beside the database, where that is on this machine and may be looked at."""
    try:
        return shutil.disk_usage(folder).free if folder else None
    except OSError:
        return None


def fields(found: Measured) -> dict[str, Any]:
    """Return everything as JSON has it."""
    days = _by(found.storage.relations, lambda each: each.day)
    return {
        "database_bytes": found.storage.database_bytes,
        "bytes_a_day": round(found.bytes_a_day),
        "free_bytes": found.room_bytes,
        "days_left": None if found.days_left is None else round(found.days_left, 1),
        "tables": [
            {"table": name, **_sum(each)} for name, each in _by(found.storage.relations, _table).items()
        ],
        "indexes": [
            {"table": each.table, "index": each.index, "bytes": each.bytes} for each in found.storage.indexes
        ],
        "days": [
            {"day": str(day), "table": name, **_sum(part)}
            for day, each in sorted(days.items(), key=lambda item: str(item[0]))
            if day
            for name, part in _by(each, _table).items()
        ],
    }


def _table(relation: Relation) -> str:
    return relation.table


def _by(relations: Iterable[Relation], key: Any) -> dict[Any, list[Relation]]:  # noqa: ANN401 - any key
    found: defaultdict[Any, list[Relation]] = defaultdict(list)
    for each in relations:
        found[key(each)].append(each)
    return found


def _sum(relations: Sequence[Relation]) -> dict[str, float | None]:
    """Return the sums; what a row takes is told of relations whose rows were counted."""
    counted = [each for each in relations if each.rows]
    rows = sum(each.rows for each in counted)
    return {
        "rows": rows,
        "bytes": sum(each.total_bytes for each in relations),
        "bytes_a_row": _share(sum(each.total_bytes for each in counted), rows),
        "heap_bytes_a_row": _share(sum(each.heap_bytes for each in counted), rows),
        "index_bytes_a_row": _share(sum(each.index_bytes for each in counted), rows),
    }


def _share(taken: int, rows: int) -> float | None:
    return round(taken / rows, 1) if rows else None


def _tables(found: Storage) -> list[tuple[str, ...]]:
    summed = {name: _sum(each) for name, each in _by(found.relations, _table).items()}
    largest = sorted(summed.items(), key=lambda item: -(item[1]["bytes"] or 0))
    names = ("bytes_a_row", "heap_bytes_a_row", "index_bytes_a_row")
    return [
        (name, _count(each["rows"]), size(each["bytes"] or 0), *(_bytes(each[part]) for part in names))
        for name, each in largest
        if each["rows"]
    ]


def _indexes(found: Storage) -> list[tuple[str, ...]]:
    rows = {name: _sum(each)["rows"] or 0 for name, each in _by(found.relations, _table).items()}
    largest = sorted(found.indexes, key=lambda each: -each.bytes)
    return [
        (each.index, size(each.bytes), _bytes(_share(each.bytes, int(rows.get(each.table, 0)))))
        for each in largest
        if rows.get(each.table)
    ]


def _days(found: Storage) -> list[tuple[str, ...]]:
    days: Mapping[date | None, list[Relation]] = _by(found.relations, lambda each: each.day)
    filled = sorted(day for day, each in days.items() if day and any(part.rows for part in each))
    return [
        (
            str(day),
            _count(sum(each.rows for each in days[day])),
            size(sum(each.total_bytes for each in days[day])),
            *(_bytes(_sum(_by(days[day], _table).get(name, []))["bytes_a_row"]) for name in HOT),
        )
        for day in filled[-_DAYS_SHOWN:]
    ]


def _room(found: Measured) -> str:
    said = (
        f"the database takes {size(found.storage.database_bytes)}, and {size(found.bytes_a_day)} more a day"
    )
    if found.room_bytes is None:
        return f"{said}; what room it has cannot be seen from here: --room-gib says it"
    left = "" if found.days_left is None else f", for {found.days_left:,.0f} days at this rate"
    return f"{said}; there is room for {size(found.room_bytes)}{left}"


def size(taken: float) -> str:
    """Return bytes as people read them."""
    for unit in _UNITS[:-1]:
        if taken < _THOUSAND:
            return f"{taken:.0f} {unit}" if unit == "B" else f"{taken:.1f} {unit}"
        taken /= _THOUSAND
    return f"{taken:.1f} {_UNITS[-1]}"


def _count(rows: float | None) -> str:
    return f"{rows or 0:,.0f}"


def _bytes(each: float | None) -> str:
    return "-" if each is None else f"{each:.1f}"
