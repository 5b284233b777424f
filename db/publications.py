"""Read the stream's log. Workers write it in their claims (db/outcomes.py)."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from db.errors import translated
from db.queries import load
from market.channels import Family
from market.publications import Publication

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("publications")


class Stream(NamedTuple):
    """One series of publications, or of latest values: a family of one instrument."""

    instrument_id: int
    family: Family


class Bounds(NamedTuple):
    """The first and the last offset in the log, 0 and 0 when there is none."""

    first: int
    last: int


async def epoch(connection: "Connection") -> str:
    """Return the name of this log."""
    with translated("reading the log's epoch"):
        name: str = await connection.fetchval(_sql.epoch)
    return name


async def bounds(connection: "Connection", streams: Iterable[Stream]) -> dict[Stream, Bounds]:
    """Return where the log of each stream begins and ends."""
    wanted = list(streams)
    with translated("reading the ends of the log"):
        rows = await connection.fetch(
            _sql.bounds, [s.instrument_id for s in wanted], [s.family for s in wanted]
        )
    return {Stream(i, Family(family)): Bounds(first, last) for i, family, first, last in rows}


async def since(
    connection: "Connection", moments: Mapping[Stream, int], ends: Mapping[Stream, Bounds]
) -> dict[Stream, int]:
    """Return after which offset each stream has what was committed at its moment or later.

    0 where the log begins later than that may have been: whether anything is missing cannot be known.
    """
    with translated("looking for a moment in the log"):
        rows = await connection.fetch(
            _sql.since,
            [stream.instrument_id for stream in moments],
            [stream.family for stream in moments],
            list(moments.values()),
            [ends[stream].first for stream in moments],
            [ends[stream].last for stream in moments],
        )
    return {Stream(i, Family(family)): after for i, family, after in rows}


async def beyond(connection: "Connection", had: Mapping[Stream, int], at_most_each: int) -> list[Publication]:
    """Return what each stream has beyond the offset given, in order within a stream."""
    with translated("reading the log"):
        rows = await connection.fetch(
            _sql.beyond,
            [stream.instrument_id for stream in had],
            [stream.family for stream in had],
            list(had.values()),
            at_most_each,
        )
    return [Publication(i, Family(family), *rest) for i, family, *rest in rows]
