"""How each connection to a venue does."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from db.errors import translated
from db.queries import load

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("feeds")


class FeedState(msgspec.Struct, frozen=True, kw_only=True):
    """One connection: ``state`` is connecting, subscribing, live, refused, waiting, or stopped."""

    exchange: str
    url: str
    state: str
    symbols: tuple[str, ...]
    last_frame_at: int | None
    detail: str
    updated_at: int = 0


async def upsert(connection: "Connection", feeds: Sequence[FeedState]) -> None:
    """Write how these connections do now; PostgreSQL's clock gives ``updated_at``."""
    with translated("writing feeds"):
        await connection.execute(
            _sql.upsert,
            [feed.exchange for feed in feeds],
            [feed.url for feed in feeds],
            [feed.state for feed in feeds],
            [" ".join(feed.symbols) for feed in feeds],
            [feed.last_frame_at for feed in feeds],
            [feed.detail for feed in feeds],
        )


async def feeds(connection: "Connection") -> list[FeedState]:
    """Return every connection that was ever made, as it was last told."""
    with translated("reading feeds"):
        rows = await connection.fetch(_sql.all_feeds)
    return [FeedState(**{**dict(row), "symbols": tuple(row["symbols"])}) for row in rows]
