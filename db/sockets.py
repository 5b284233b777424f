"""How each connection to a venue does, as its process tells."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("sockets")


class SocketState(msgspec.Struct, frozen=True, kw_only=True):
    """One connection: ``state`` is connecting, subscribing, live, refused, waiting, or stopped.

    ``number`` tells apart those that one process has to one address.
    """

    exchange: str
    url: str
    number: int = 1
    state: str
    symbols: tuple[str, ...]
    last_frame_at: int | None
    detail: str
    updated_at: int = 0


async def tell(connection: "Connection", process_id: str, sockets: Sequence[SocketState]) -> None:
    """Write how all connections of a process do now; those that it has no more are forgotten."""
    with translated("writing sockets"):
        await connection.execute(
            _sql.tell,
            process_id,
            [socket.exchange for socket in sockets],
            [socket.url for socket in sockets],
            [socket.number for socket in sockets],
            [socket.state for socket in sockets],
            [" ".join(socket.symbols) for socket in sockets],
            [socket.last_frame_at for socket in sockets],
            [socket.detail for socket in sockets],
        )


async def read(connection: "Connection") -> list[SocketState]:
    """Return every connection that is remembered, as it was last told."""
    with translated("reading sockets"):
        rows = await connection.fetch(_sql.all_sockets)
    return [SocketState(**{**dict(row), "symbols": tuple(row["symbols"])}) for row in rows]


async def forget_old(connection: "Connection") -> None:
    """Drop the rows of processes that have told nothing for a day."""
    with translated("forgetting old sockets"):
        await connection.execute(_sql.forget)
