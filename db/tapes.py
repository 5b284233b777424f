"""Read parts of tapes in their order: what a claim folds."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from db.errors import translated
from db.queries import load
from market.depths import Depth
from market.quotes import Quote
from market.ticks import Kind, TapeKey
from market.trades import Trade
from market.watermarks import Watermark

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

Tick = Trade | Quote | Depth | Watermark

_sql = load("tapes")
_LOWEST = -(2**63)
_HIGHEST = 2**63 - 1


class Part(msgspec.Struct, frozen=True):
    """A part of one instrument's tape: after ``after``, up to and with ``to``, only these kinds."""

    exchange_id: int
    instrument_id: int
    after: TapeKey
    to: TapeKey
    kinds: frozenset[Kind]


async def read_parts(connection: "Connection", parts: Sequence[Part]) -> dict[int, list[Tick]]:
    """Return the ticks of each part by instrument_id, in the order of the tape."""
    ticks: dict[int, list[Tick]] = {part.instrument_id: [] for part in parts}
    with translated("reading ticks"):
        for kind in Kind:
            wanted = [part for part in parts if kind in part.kinds]
            if wanted:
                for tick in await _read(connection, kind, wanted):
                    ticks[tick.instrument_id].append(tick)
    for part in parts:
        if len(part.kinds) > 1:
            ticks[part.instrument_id].sort(key=attrgetter("tape_key"))
    return ticks


class Newest(NamedTuple):
    """The times of the last of those ticks that bars and values end with; None where there is none."""

    trade: int | None
    watermark: int | None
    depth: int | None


async def second_before(
    connection: "Connection", exchange_id: int, instrument_id: int, ts: int, seconds: int
) -> int | None:
    """Return the start of the so many-th newest second before ``ts`` with a trade, or of the oldest."""
    with translated("looking back on a tape"):
        found: int | None = await connection.fetchval(
            _sql.second_before, exchange_id, instrument_id, ts, seconds
        )
    return found


async def depth_before(
    connection: "Connection", exchange_id: int, instrument_id: int, ts: int, depths: int
) -> int | None:
    """Return the time of the so many-th newest depth before ``ts``, or of the oldest, if any."""
    with translated("looking back on a tape"):
        found: int | None = await connection.fetchval(
            _sql.depth_before, exchange_id, instrument_id, ts, depths
        )
    return found


async def newest_before(connection: "Connection", exchange_id: int, instrument_id: int, ts: int) -> Newest:
    """Return when the tape was last told something before ``ts``."""
    with translated("looking back on a tape"):
        [row] = await connection.fetch(_sql.newest_before, exchange_id, instrument_id, ts)
    return Newest(*row)


async def count(connection: "Connection", part: Part, at_most: int) -> int:
    """Return how many ticks a part has, about; of each kind no more than ``at_most`` are counted."""
    with translated("counting ticks"):
        found: int = await connection.fetchval(
            _sql.count_after, part.exchange_id, part.instrument_id, part.after.ts, part.to.ts, at_most
        )
    return found


async def _read(connection: "Connection", kind: Kind, parts: Sequence[Part]) -> Iterable[Tick]:
    rows = await connection.fetch(
        getattr(_sql, _TABLES[kind]),
        [part.exchange_id for part in parts],
        [part.instrument_id for part in parts],
        [part.after.ts for part in parts],
        [_last_id_at(part.after, kind) for part in parts],
        [part.to.ts for part in parts],
        [_last_id_at(part.to, kind) for part in parts],
        min(part.after.ts for part in parts),
        max(part.to.ts for part in parts),
    )
    make = _MAKERS[kind]
    return [make(row) for row in rows]


def _last_id_at(place: TapeKey, kind: Kind) -> int:
    """Return the greatest id of ``kind`` at ``place.ts`` that lies at or before ``place``."""
    if kind == place.kind:
        return place.id
    return _HIGHEST if kind < place.kind else _LOWEST


def _depth(row: "Record") -> Depth:
    instrument_id, ts, update_id, bids, bid_sizes, asks, ask_sizes, received_at = row
    return Depth(
        instrument_id,
        ts,
        update_id,
        tuple(bids),
        tuple(bid_sizes),
        tuple(asks),
        tuple(ask_sizes),
        received_at,
    )


_TABLES = {
    Kind.DEPTH: "depths",
    Kind.QUOTE: "quotes",
    Kind.TRADE: "trades",
    Kind.WATERMARK: "watermarks",
}
_MAKERS: "dict[Kind, Callable[[Record], Tick]]" = {
    Kind.DEPTH: _depth,
    Kind.QUOTE: lambda row: Quote(*row),
    Kind.TRADE: lambda row: Trade(*row),
    Kind.WATERMARK: lambda row: Watermark(*row),
}
