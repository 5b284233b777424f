"""Which of a venue's contiguous ids are not stored."""

from typing import TYPE_CHECKING, Final

import msgspec

from db.errors import translated
from db.queries import load
from market.times import SECOND

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("holes")

_LOWEST: Final = 0
"""Ids below it are ours, of trades that came without any: they neither bound a hole nor fill one."""
_HIGHEST: Final = 2**63 - 1
_SLACK: Final = 10 * SECOND
"""How far the order of times may differ from that of ids."""


class Edges(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look: between two trades, or what is known of them; times in microseconds."""

    exchange_id: int
    instrument_id: int
    from_ts: int
    to_ts: int
    after_id: int | None
    before_id: int | None


class Hole(msgspec.Struct, frozen=True):
    """Ids are missing between these two trades, of which at least the times are known."""

    after_id: int
    after_ts: int
    before_id: int
    before_ts: int


class Stored(msgspec.Struct, frozen=True):
    """A trade that is stored."""

    trade_id: int
    ts: int


async def first(
    connection: "Connection", exchange_id: int, instrument_id: int, from_ts: int
) -> Stored | None:
    """Return an instrument's first trade at or after a time, if there is one that has an id."""
    with translated("looking for a trade"):
        row = await connection.fetchrow(_sql.first, exchange_id, instrument_id, from_ts)
    return _numbered(Stored(*row)) if row else None


async def last(connection: "Connection", exchange_id: int, instrument_id: int, to_ts: int) -> Stored | None:
    """Return an instrument's last trade before a time, if there is one that has an id."""
    with translated("looking for a trade"):
        row = await connection.fetchrow(_sql.last, exchange_id, instrument_id, to_ts)
    return _numbered(Stored(*row)) if row else None


async def holes(connection: "Connection", edges: Edges, at_most: int) -> list[Hole]:
    """Return the holes between the edges, the first ``at_most``.

    Without a ``before_id`` what lies at or after ``to_ts`` is not looked at.
    """
    known = [
        (trade_id, ts)
        for trade_id, ts in ((edges.after_id, edges.from_ts), (edges.before_id, edges.to_ts))
        if trade_id is not None
    ]
    with translated("looking for holes"):
        rows = await connection.fetch(
            _sql.holes,
            edges.exchange_id,
            edges.instrument_id,
            edges.from_ts - (0 if edges.after_id is None else _SLACK),
            edges.to_ts + (0 if edges.before_id is None else _SLACK),
            _LOWEST if edges.after_id is None else edges.after_id,
            _HIGHEST if edges.before_id is None else edges.before_id,
            [trade_id for trade_id, _ in known],
            [ts for _, ts in known],
            at_most,
        )
    return [Hole(*row) for row in rows]


def _numbered(stored: Stored) -> Stored | None:
    """Return a neighbour; beyond one without an id nobody looks, as a whole file may lie there."""
    return stored if stored.trade_id >= _LOWEST else None
