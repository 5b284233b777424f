"""Instruments at rest: their ids, and the shard that each was given."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from db.errors import translated
from db.queries import load
from market.instruments import Instrument, Market, shard_of

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("instruments")


class Listed(msgspec.Struct, frozen=True):
    """An instrument with the ids that PostgreSQL gave it."""

    instrument_id: int
    exchange_id: int
    shard: int
    instrument: Instrument


async def register(connection: "Connection", instruments: Sequence[Instrument]) -> dict[str, Listed]:
    """List the instruments that are not listed yet; return all of these by key (``kraken:SOL/USD``)."""
    known = await _by_key(connection)
    missing = [instrument for instrument in instruments if instrument.key not in known]
    if missing:
        await _add(connection, missing)
        known = await _by_key(connection)
    return {instrument.key: known[instrument.key] for instrument in instruments}


async def listed(connection: "Connection") -> list[Listed]:
    """Return every instrument, in the order in which they were listed."""
    with translated("reading instruments"):
        return [_row(dict(row)) for row in await connection.fetch(_sql.all_listed)]


async def _by_key(connection: "Connection") -> dict[str, Listed]:
    return {entry.instrument.key: entry for entry in await listed(connection)}


async def _add(connection: "Connection", instruments: Sequence[Instrument]) -> None:
    with translated("listing instruments"):
        shards = await connection.fetchval(_sql.shards)
        for exchange in sorted({instrument.exchange for instrument in instruments}):
            await connection.execute(_sql.list_exchange, exchange)
        rows = [_columns(instrument, shards) for instrument in sorted(instruments, key=_key)]
        await connection.executemany(_sql.list_instrument, rows)


def _key(instrument: Instrument) -> str:
    return instrument.key


def _columns(instrument: Instrument, shards: int) -> tuple[object, ...]:
    return (
        instrument.exchange,
        instrument.symbol,
        instrument.venue_symbol,
        instrument.market,
        instrument.base,
        instrument.quote,
        instrument.contract_size,
        instrument.size_unit,
        shard_of(instrument.key, shards),
    )


def _row(columns: dict[str, Any]) -> Listed:
    ids = (columns.pop("instrument_id"), columns.pop("exchange_id"), columns.pop("shard"))
    market = Market(columns.pop("market"))
    return Listed(*ids, Instrument(market=market, **columns))
