"""Trades whose times two roads tell a little apart: stored once, under the time that came first.

The key of a trade has its time, so the key alone does not keep the second one out. Whoever writes such
trades looks for their ids first, under a lock: the socket's writers share it, a page of history has it
alone.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from db.queries import load
from market.trades import Trade

if TYPE_CHECKING:
    from db.connections import Connection
    from db.instruments import Listed

_sql = load("near")

_LOCK_CLASS: Final = 0x484B4559
"""'HKEY'; below it, one an instrument."""


async def keep(connection: "Connection", instrument_id: int) -> None:
    """Be the only one to write trades of an instrument, until the transaction's end."""
    await connection.execute(_sql.keep, _LOCK_CLASS, instrument_id)


async def unknown(
    connection: "Connection",
    trades: Sequence[Trade],
    places: "Mapping[int, Listed]",
    tolerances: Mapping[str, int],
) -> Sequence[Trade]:
    """Return the trades that do not stand already under a time that is near.

    ``tolerances`` are the microseconds that may lie between, by exchange; where there are none all trades
    are returned, and nothing is asked.
    """
    near = [trade for trade in trades if places[trade.instrument_id].instrument.exchange in tolerances]
    if not near:
        return trades
    await connection.execute(_sql.share, _LOCK_CLASS, list({trade.instrument_id for trade in near}))
    listed = [places[trade.instrument_id] for trade in near]
    around = max(tolerances.values())
    rows = await connection.fetch(
        _sql.known,
        [each.exchange_id for each in listed],
        [each.instrument_id for each in listed],
        [trade.ts for trade in near],
        [trade.trade_id for trade in near],
        [tolerances[each.instrument.exchange] for each in listed],
        min(trade.ts for trade in near) - around,
        max(trade.ts for trade in near) + around,
    )
    known = set(map(tuple, rows))
    return [trade for trade in trades if (trade.instrument_id, trade.ts, trade.trade_id) not in known]
