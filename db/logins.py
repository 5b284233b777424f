"""Database roles that programs log in as: none owns anything, and none writes what is another's.

The owner of the tables migrates, keeps house (``heliograph scheduler``), and is who operators are.
"""

from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("logins")

_MAKING: Final = 0x48524F4C
"""'HROL': the advisory lock of who makes them."""


class Login(NamedTuple):
    """A role, how many connections it may have, and which tables it writes; it reads all.

    One that ``watches`` sees what others' sessions do, too: how old their snapshots are.
    """

    name: str
    connections: int
    """All together leave some of the hundred that a server usually has to its owner."""

    writes: frozenset[str]
    watches: bool = False


_HEALED: Final = frozenset({"trades", "gaps", "proofs", "dropped_days", "chunks", "jobs", "dead_letters"})
_TOLD: Final = frozenset({"bars", "bars_1h", "signals", "indicators", "publications", "scorings"})

INGEST: Final = Login(
    "heliograph_ingest",
    24,
    _HEALED
    | {"quotes", "depths", "watermarks", "batches", "writers", "commits"}
    | {"exchanges", "instruments", "feeds", "sockets", "processes"},
)
WORKER: Final = Login(
    "heliograph_worker",
    28,
    _TOLD
    | {"shards", "batches", "states", "checkpoints", "staged"}
    | {"dirty", "dead_letters", "quarantines", "processes"},
)
BACKFILL: Final = Login(
    "heliograph_backfill",
    16,
    _HEALED | _TOLD | {"dirty", "quarantines", "staged", "trained_models", "processes"},
)
API: Final = Login(
    "heliograph_api",
    24,
    frozenset({"feeds", "chunks", "jobs", "dirty", "processes", "audit_log"}),
    watches=True,
)
LOGINS: Final = (INGEST, WORKER, BACKFILL, API)


async def make(connection: "Connection") -> None:
    """Make all, or mend them: each with its rights and no others; raises StoreError where we may not."""
    with translated("making database roles"):
        async with connection.transaction():
            await connection.execute(_sql.lock, _MAKING)
            statements = await _statements(connection)
            if await connection.fetchval(_sql.is_superuser):
                statements += _watching()
            for statement in statements:
                await connection.execute(statement)


async def script(connection: "Connection") -> list[str]:
    """Return what ``make`` would do, for who owns the server."""
    with translated("writing the script of database roles"):
        return await _statements(connection) + _watching()


async def may_make(connection: "Connection") -> bool:
    """Tell whether we may create roles."""
    with translated("looking whether roles may be created"):
        may: bool = await connection.fetchval(_sql.may_create)
    return may


async def lacking(connection: "Connection") -> list[str]:
    """Return what is missing, a line a role: that it does not exist, or which tables it cannot write."""
    wanted = [(login.name, table) for login in LOGINS for table in sorted(login.writes)]
    with translated("looking at database roles"):
        rows = await connection.fetch(_sql.lacking, *map(list, zip(*wanted, strict=True)))
    return [row[0] for row in rows]


def address_of(url: str, login: Login) -> str:
    """Return the address under which a program of ``login`` finds the database of ``url``."""
    split = urlsplit(url)
    host = split.netloc.rpartition("@")[2]
    return urlunsplit(split._replace(netloc=f"{login.name}@{host}"))


async def _statements(connection: "Connection") -> list[str]:
    found: list[str] = []
    for login in LOGINS:
        found.append(await connection.fetchval(_sql.made, login.name, login.connections))
        rows = await connection.fetch(_sql.granted, login.name, sorted(login.writes))
        found += [row[0] for row in rows]
    return found


def _watching() -> list[str]:
    return [f"GRANT pg_read_all_stats TO {login.name}" for login in LOGINS if login.watches]
