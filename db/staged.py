"""What was computed aside, for the live worker that holds the shard to compare, write, and tell."""

from typing import TYPE_CHECKING, Final

import msgspec

from db.claims import Due
from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("staged")

REPAIR: Final = "repair"
SCORE: Final = "score"
RESCORE: Final = "rescore"
"""What live hands back: no result, but a stretch that is to be scored again."""


class NewStaged(msgspec.Struct, frozen=True, kw_only=True):
    """What came of computing [from_ts, to_ts) of an instrument, beside ``version`` of its shard's state."""

    shard: int
    instrument_id: int
    purpose: str
    version: int
    from_ts: int
    to_ts: int
    body: bytes


class Staged(NewStaged, frozen=True, kw_only=True):
    """The same, as it waits."""

    staged_id: int


async def add(connection: "Connection", new: NewStaged) -> None:
    """Hand over what was computed; in the transaction that forgets what it was computed for."""
    with translated("staging"):
        await connection.execute(
            _sql.add,
            new.shard,
            new.instrument_id,
            new.purpose,
            new.version,
            new.from_ts,
            new.to_ts,
            new.body,
        )


async def waiting(connection: "Connection") -> list[Due]:
    """Return the shards for which something is staged, the one that has waited longest first."""
    with translated("looking for what is staged"):
        return [Due(*row) for row in await connection.fetch(_sql.waiting)]


async def next_of(connection: "Connection", shard: int) -> Staged | None:
    """Return what was staged first for a locked shard."""
    with translated("reading what is staged"):
        row = await connection.fetchrow(_sql.next, shard)
    return Staged(**dict(row)) if row else None


async def remove(connection: "Connection", each: Staged) -> None:
    """Forget what is told, or came too late."""
    with translated("removing what was staged"):
        await connection.execute(_sql.remove, each.staged_id)
