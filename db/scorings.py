"""How far models were applied to the minutes of each instrument: a place in its log of bars."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from db.claims import Cursor, decode_head
from db.errors import translated
from db.queries import load
from market.ticks import Place

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("scorings")


class News(msgspec.Struct, frozen=True):
    """The log told at ``offset`` of the minute that starts at ``start``: it is new, or corrected."""

    offset: int
    start: int


class Standing(msgspec.Struct, frozen=True):
    """How far live is with an instrument: its cursor, in that version of its shard's state."""

    shard: int
    version: int
    cursor: Cursor


class Reign(msgspec.Struct, frozen=True):
    """A model decides for minutes that end in (from_ts, to_ts]; without ``to_ts`` still."""

    model_id: int
    version: int
    from_ts: int
    to_ts: int | None


class Ends(msgspec.Struct, frozen=True):
    """The first and the last trade of a minute, and when the last one was received."""

    first: Place
    last: Place
    received_at: int


async def due(connection: "Connection") -> list[int]:
    """Return the instruments whose log tells of minutes that are not scored."""
    with translated("looking for minutes to score"):
        return [row["instrument_id"] for row in await connection.fetch(_sql.due)]


async def lock(connection: "Connection", instrument_id: int) -> int | None:
    """Return up to which offset an instrument is scored, held to the end; None while another has it."""
    with translated("claiming an instrument to score"):
        offset: int | None = await connection.fetchval(_sql.lock, instrument_id)
    return offset


async def news(connection: "Connection", instrument_id: int, offset: int, at_most: int) -> list[News]:
    """Return what the log says of minutes after ``offset``, in its order."""
    with translated("reading the log of minutes"):
        return [News(*row) for row in await connection.fetch(_sql.news, instrument_id, offset, at_most)]


async def standing(connection: "Connection", instrument_id: int) -> Standing | None:
    """Return how far live is with an instrument; None before its first claim."""
    with translated("reading how far live is"):
        row = await connection.fetchrow(_sql.head, instrument_id)
    cursor = decode_head(row["head"]).cursors.get(instrument_id) if row else None
    return Standing(row["shard"], row["version"], cursor) if row and cursor else None


async def reigns(connection: "Connection", instrument_id: int, from_ts: int, to_ts: int) -> list[Reign]:
    """Return the models that decide for minutes that end in (from_ts, to_ts]."""
    with translated("reading which models decide"):
        rows = await connection.fetch(_sql.eras, instrument_id, from_ts, to_ts)
    return [Reign(*row) for row in rows]


async def ends(connection: "Connection", instrument_id: int, starts: Sequence[int]) -> dict[int, Ends]:
    """Return, by their start, the ends of minutes that have trades."""
    with translated("reading the ends of minutes"):
        rows = await connection.fetch(_sql.ends, instrument_id, starts)
    return {
        start: Ends(Place(first_ts, first_id), Place(last_ts, last_id), received_at)
        for start, first_ts, first_id, last_ts, last_id, received_at in rows
    }


async def waits(connection: "Connection", instrument_id: int) -> bool:
    """Tell whether something scored is not told yet."""
    with translated("looking for scores not told"):
        waiting: bool = await connection.fetchval(_sql.waits, instrument_id)
    return waiting


async def take_again(connection: "Connection", instrument_id: int) -> list[tuple[int, int]]:
    """Return the stretches that live could not tell, to be scored in this transaction."""
    with translated("reading what is to be scored again"):
        rows = await connection.fetch(_sql.take_again, instrument_id)
    return [(row["from_ts"], row["to_ts"]) for row in rows]


async def unscored_from(connection: "Connection", instrument_id: int) -> int | None:
    """Return from when on what models tell is not certain yet; None: all is scored and told."""
    with translated("looking for what is not scored"):
        from_ts: int | None = await connection.fetchval(_sql.unscored_from, instrument_id)
    return from_ts


async def move(connection: "Connection", instrument_id: int, offset: int) -> None:
    """Note that everything up to ``offset`` is scored; in the transaction that hands it over."""
    with translated("noting what is scored"):
        await connection.execute(_sql.move, instrument_id, offset)
