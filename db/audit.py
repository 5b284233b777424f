"""Who changed what: written by PostgreSQL in the transaction of each change, for who says who they are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("audit")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A change of one row: ``noun`` is its table, ``change`` insert, update, or delete.

    Or of a day of ticks that was dropped (``drop``), or a database that was restored (``restore``).
    """

    audit_id: int
    at: int
    actor: str
    noun: str
    change: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def act_as(connection: "Connection", actor: str, *, in_transaction: bool = False) -> None:
    """Have what this connection changes from now on written down as changed by ``actor``.

    ``in_transaction``: until the end of the transaction that is open, as befits a connection of a pool.
    """
    with translated("saying who changes something"):
        await connection.execute(_sql.act_as, actor, in_transaction)


async def note(
    connection: "Connection",
    noun: str,
    change: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down what no row of an audited table stands for, in the transaction that does it."""
    with translated("writing down a change"):
        await connection.execute(_sql.note, noun, change, _encoded(before), _encoded(after))


async def is_kept(connection: "Connection") -> bool:
    """Tell whether the database has an audit log: backups of long ago have none."""
    with translated("looking for the audit log"):
        kept: bool = await connection.fetchval(_sql.is_kept)
    return kept


async def entries(connection: "Connection", noun: str | None, limit: int) -> list[Entry]:
    """Return the newest changes, the newest first."""
    with translated("reading the audit log"):
        rows = await connection.fetch(_sql.entries, noun, limit)
    return [_entry(dict(row)) for row in rows]


def _entry(columns: dict[str, Any]) -> Entry:
    before, after = (_decoded(columns.pop(side)) for side in ("before", "after"))
    return Entry(before=before, after=after, **columns)


def _encoded(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else msgspec.json.encode(values).decode()


def _decoded(text: str | None) -> dict[str, Any] | None:
    return None if text is None else msgspec.json.decode(text, type=dict[str, Any])
