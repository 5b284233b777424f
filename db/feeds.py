"""Subscriptions as they are wanted: rows that running ingesters follow within seconds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from db.errors import translated
from db.queries import load
from market.addresses import demand_addresses
from market.errors import SaturatedError, UnknownFeedError
from market.nearest import suggestion

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("feeds")

CHANNEL = "heliograph_feeds"
"""Notified of whenever ingesters have something to look at."""

ACTIVE = "active"
PAUSED = "paused"


class FeedName(NamedTuple):
    """What is unique of a feed."""

    exchange: str
    symbol: str

    def __str__(self) -> str:
        """Return ``kraken:SOL/USD``."""
        return f"{self.exchange}:{self.symbol}"


class WantedFeed(msgspec.Struct, frozen=True, kw_only=True):
    """A feed as it is asked for; what is None is the venue's own."""

    exchange: str
    symbol: str
    protocol: str | None = None
    stream_url: str | None = None
    rest_url: str | None = None

    @property
    def name(self) -> FeedName:
        """Return what is unique of it."""
        return FeedName(self.exchange, self.symbol)


class FeedRow(WantedFeed, frozen=True, kw_only=True):
    """A feed as it is: ``state`` is active, paused, or closed with a ``reason``.

    ``process`` and ``socket`` tell who listens and how that does; None where nobody does.
    """

    feed_id: int
    state: str
    reason: str
    added_at: int
    changed_at: int
    process: str | None = None
    socket: str | None = None
    last_frame_at: int | None = None


class Change(NamedTuple):
    """What became of a feed: added, changed, unchanged, removed, paused, or resumed."""

    feed: FeedRow
    change: str


async def feeds(connection: "Connection") -> list[FeedRow]:
    """Return every feed, with who listens to it."""
    with translated("reading feeds"):
        return [FeedRow(**dict(row)) for row in await connection.fetch(_sql.all_feeds)]


async def offer(connection: "Connection", wanted: Sequence[WantedFeed]) -> None:
    """Have these feeds, under these addresses. A paused one stays paused, a closed one is tried again."""
    with translated("adding feeds"):
        await connection.executemany(
            _sql.offer,
            [(feed.exchange, feed.symbol, feed.protocol, feed.stream_url, feed.rest_url) for feed in wanted],
        )
        await connection.execute(_sql.notify, CHANNEL)


async def add(connection: "Connection", wanted: Sequence[WantedFeed]) -> list[Change]:
    """Have these feeds listened to.

    Raises InvalidInputError for an address that can be none, and SaturatedError while no ingester could
    take them.
    """
    for feed in wanted:
        demand_addresses(feed.stream_url, feed.rest_url)
    await _take_turns(connection)
    before = _by_name(await feeds(connection))
    if any(feed.name not in before for feed in wanted):
        await _demand_room(connection)
    await offer(connection, wanted)
    after = _by_name(await feeds(connection))
    return [
        Change(after[feed.name], _what_became(before.get(feed.name), after[feed.name])) for feed in wanted
    ]


async def remove(connection: "Connection", names: Sequence[FeedName]) -> list[Change]:
    """Have these feeds no more; raises UnknownFeedError. What was stored stays."""
    known = await _known(connection, names)
    await _execute(connection, _sql.remove, names)
    return [Change(known[name], "removed") for name in names]


async def pause(connection: "Connection", names: Sequence[FeedName]) -> list[Change]:
    """Stop listening to these feeds until they are resumed; raises UnknownFeedError."""
    return await _become(connection, names, PAUSED, "paused")


async def resume(connection: "Connection", names: Sequence[FeedName]) -> list[Change]:
    """Listen again to feeds that were paused or closed; raises UnknownFeedError."""
    return await _become(connection, names, ACTIVE, "resumed")


async def close(connection: "Connection", feed_id: int, reason: str) -> None:
    """Give up an active feed that its venue does not have."""
    with translated("closing a feed"):
        await connection.execute(_sql.close, feed_id, reason)


async def clear(connection: "Connection") -> None:
    """Have no feeds: those of a simulated venue end with it."""
    with translated("clearing feeds"):
        await connection.execute(_sql.clear)


async def _become(
    connection: "Connection", names: Sequence[FeedName], state: str, change: str
) -> list[Change]:
    known = await _known(connection, names)
    await _execute(connection, _sql.become, names, state)
    after = _by_name(await feeds(connection))
    return [Change(after[name], "unchanged" if known[name].state == state else change) for name in names]


async def _execute(connection: "Connection", statement: str, names: Sequence[FeedName], *more: str) -> None:
    with translated("changing feeds"):
        exchanges, symbols = [name.exchange for name in names], [name.symbol for name in names]
        await connection.execute(statement, exchanges, symbols, *more)
        await connection.execute(_sql.notify, CHANNEL)


async def _known(connection: "Connection", names: Sequence[FeedName]) -> Mapping[FeedName, FeedRow]:
    await _take_turns(connection)
    known = _by_name(await feeds(connection))
    for name in names:
        if name not in known:
            near = suggestion(str(name), map(str, known)) or "`heliograph feeds list` shows those that are"
            message = f"there is no feed {name}; {near}"
            raise UnknownFeedError(message)
    return known


async def _take_turns(connection: "Connection") -> None:
    with translated("waiting for who changes feeds"):
        await connection.execute(_sql.take_turns)


async def _demand_room(connection: "Connection") -> None:
    with translated("looking for room"):
        saturated: bool | None = await connection.fetchval(_sql.saturated)
    if saturated:
        message = (
            "new feeds are refused: every running ingester has a full buffer, PostgreSQL being slow; "
            "try again later, or start another ingester"
        )
        raise SaturatedError(message)


def _by_name(rows: Sequence[FeedRow]) -> dict[FeedName, FeedRow]:
    return {row.name: row for row in rows}


def _what_became(before: FeedRow | None, after: FeedRow) -> str:
    if before is None:
        return "added"
    return "unchanged" if before.changed_at == after.changed_at else "changed"
