"""What was decided once for a database."""

from typing import TYPE_CHECKING

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("installation")


async def cursor_key(connection: "Connection") -> bytes:
    """Return the key under which cursors are signed."""
    with translated("reading the key of cursors"):
        key: bytes = await connection.fetchval(_sql.cursor_key)
    return key
