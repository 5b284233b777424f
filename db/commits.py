"""Whether a transaction has happened whose COMMIT was not answered: it leaves a row behind."""

from typing import TYPE_CHECKING, Final

import msgspec

from db.errors import translated
from db.queries import load
from market.errors import StoreBusyError

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("commits")

KEPT: Final = 256
"""So many rows of a writer are kept, about: only the newest is ever asked for."""


class Commit(msgspec.Struct, frozen=True):
    """How a transaction is known again: its id, and its row.

    The id alone does not do: a crash forgets what was not written out, and its ids are given again.
    """

    transaction: str
    writer: int
    seq: int


async def leave(connection: "Connection", writer: int, seq: int) -> Commit:
    """Leave the row of this transaction, the last but for COMMIT."""
    if not seq % KEPT:
        await connection.execute(_sql.forget, writer, seq)
    return Commit(await connection.fetchval(_sql.leave, writer, seq), writer, seq)


async def was_committed(connection: "Connection", commit: Commit) -> bool:
    """Tell whether a transaction whose COMMIT was not answered has happened.

    Raises StoreBusyError while it is still running.
    """
    with translated("asking for a transaction's outcome"):
        [row] = await connection.fetch(_sql.outcome, commit.transaction, commit.writer, commit.seq)
    running, left = row
    if running:
        message = f"transaction {commit.transaction} still runs; ask again"
        raise StoreBusyError(message)
    return bool(left)
