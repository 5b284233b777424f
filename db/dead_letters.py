"""What could not be processed, kept whole."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("dead_letters")


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A frame, a tick, or a fold's input (``source``), with the reason why it was not processed."""

    source: str
    exchange: str
    reason: str
    payload: bytes
    code_version: str
    instrument_id: int | None = None


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as it is kept; ``stopped_from`` says since when its kind is stopped, if it still is."""

    dead_letter_id: int
    source: str
    exchange: str
    symbol: str | None
    kind: str | None
    reason: str
    code_version: str
    created_at: int
    stopped_from: int | None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters are meant: those that match all that is said; ``reason`` is a part of theirs."""

    ids: Sequence[int] | None = None
    source: str | None = None
    exchange: str | None = None
    symbol: str | None = None
    kind: str | None = None
    reason: str | None = None
    before: int | None = None

    @property
    def says_nothing(self) -> bool:
        """Tell whether every letter matches."""
        return self == Filter()


async def add(connection: "Connection", letters: Sequence[DeadLetter]) -> None:
    """Keep dead letters; in a transaction, together with what else it writes."""
    with translated("keeping dead letters"):
        await connection.execute(
            _sql.add,
            [letter.source for letter in letters],
            [letter.exchange for letter in letters],
            [letter.instrument_id for letter in letters],
            [letter.reason for letter in letters],
            [letter.payload for letter in letters],
            [letter.code_version for letter in letters],
        )


async def matching(connection: "Connection", wanted: Filter, at_most: int | None = None) -> list[Letter]:
    """Return the letters that match, the newest first."""
    with translated("reading dead letters"):
        rows = await connection.fetch(
            _sql.matching,
            wanted.ids,
            wanted.source,
            wanted.exchange,
            wanted.symbol,
            wanted.kind,
            wanted.reason,
            wanted.before,
            at_most,
        )
    return [Letter(**dict(row)) for row in rows]


async def payload(connection: "Connection", dead_letter_id: int) -> bytes:
    """Return what came, whole; empty when there is no such letter."""
    with translated("reading a dead letter"):
        found: bytes | None = await connection.fetchval(_sql.payload, dead_letter_id)
    return found or b""


async def requeue(connection: "Connection", ids: Sequence[int]) -> list[int]:
    """Have the folds of these letters repaired that are stopped, forget the letters, and return their ids."""
    with translated("requeueing dead letters"):
        return [row["dead_letter_id"] for row in await connection.fetch(_sql.requeue, list(ids))]


async def drop(connection: "Connection", ids: Sequence[int]) -> list[int]:
    """Forget these letters, but for those of kinds that are stopped, and return the ids of the forgotten."""
    with translated("dropping dead letters"):
        return [row["dead_letter_id"] for row in await connection.fetch(_sql.drop, list(ids))]
