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
