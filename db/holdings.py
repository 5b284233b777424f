"""Who listens to which feeds: advisory locks of idle sessions, which vanish with their process.

Four kinds of lock: every ingester's own shared one, by which they are counted; the owner's of a feed; its
heir's, who is about to listen beside the owner; and the heir's word that it does, upon which the owner
stops.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from db.errors import translated
from db.feeds import CHANNEL, WantedFeed
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("holdings")


_END_WITHIN_MS: Final = 2000


class Lock(IntEnum):
    """The classes of these locks, each four letters."""

    PRESENT = 0x48494E47
    """'HING'."""
    OWNER = 0x484F574E
    """'HOWN'."""
    HEIR = 0x48484549
    """'HHEI'."""
    READY = 0x48524459
    """'HRDY'."""


class Holdings(msgspec.Struct, frozen=True):
    """Who is there and who has what, by session; feeds by their id."""

    present: frozenset[int]
    owners: Mapping[int, int]
    heirs: Mapping[int, int]
    ready: Mapping[int, int]


class Session(NamedTuple):
    """A session of PostgreSQL: its number is given again one day, its beginning is not."""

    pid: int
    began_at: int


class Holder:
    """One ingester's locks, for as long as its connection lives. Its methods raise StoreError."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self.session: int = connection.get_server_pid()
        """By which others know us."""

    async def identify(self) -> Session:
        """Return what tells our session from every other."""
        with translated("asking which session is ours"):
            [row] = await self._connection.fetch(_sql.identify)
        return Session(**dict(row))

    async def end(self, lost: Session) -> None:
        """End a session of ours that was lost, with its locks, where PostgreSQL does not know of it yet."""
        with translated("ending a lost session"):
            await self._connection.execute(_sql.end_session, *lost, _END_WITHIN_MS)

    async def join(self) -> None:
        """Be counted."""
        with translated("joining the ingesters"):
            await self._connection.execute(_sql.join, Lock.PRESENT)

    async def leave(self) -> None:
        """Be counted no more, and keep what is held until others take it."""
        with translated("leaving the ingesters"):
            await self._connection.execute(_sql.leave, Lock.PRESENT)

    async def holdings(self) -> Holdings:
        """Return who has what now."""
        with translated("reading who listens"):
            rows = await self._connection.fetch(_sql.held, list(Lock))
        by_lock: dict[int, dict[int, int]] = {lock: {} for lock in Lock}
        for row in rows:
            by_lock[row["class"]][row["key"]] = row["pid"]
        present = frozenset(row["pid"] for row in rows if row["class"] == Lock.PRESENT)
        return Holdings(present, by_lock[Lock.OWNER], by_lock[Lock.HEIR], by_lock[Lock.READY])

    async def wanted(self) -> dict[int, WantedFeed]:
        """Return the feeds that are to be listened to, by id."""
        with translated("reading which feeds are wanted"):
            rows = await self._connection.fetch(_sql.wanted)
        return {row["feed_id"]: WantedFeed(**dict(list(row.items())[1:])) for row in rows}

    async def try_lock(self, lock: Lock, feed_id: int) -> bool:
        """Take a lock unless another has it. It must not be held already."""
        with translated("taking a feed"):
            taken: bool = await self._connection.fetchval(_sql.try_lock, lock, feed_id)
        return taken

    async def unlock(self, lock: Lock, feed_id: int) -> None:
        """Give a lock back."""
        with translated("giving a feed up"):
            await self._connection.execute(_sql.unlock, lock, feed_id)

    async def notify(self) -> None:
        """Have the others look now."""
        with translated("calling the other ingesters"):
            await self._connection.execute(_sql.notify, CHANNEL)
