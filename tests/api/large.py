"""A database as large as a busy fortnight leaves it, for plans: small tables are always read whole."""

from pathlib import Path

import asyncpg

from db.connections import connected
from db.instruments import Listed, register
from db.partitions import days_ahead, ensure_days
from market.instruments import spot
from market.times import DAY

DAYS = 14
T = 1_793_491_200_000_000
"""2026-11-01T00:00:00Z."""

END = T + DAYS * DAY
SYMBOLS = ("SOL", "BTC", "ETH", "XRP")

_FILL = Path(__file__).with_suffix(".sql")


async def fill(url: str) -> list[Listed]:
    """Fill a migrated database; return its instruments."""
    instruments = [spot("kraken", base, "USD", f"{base}USD") for base in SYMBOLS]
    async with connected(url, "fill") as connection:
        listed = await register(connection, instruments)
        await ensure_days(connection, days_ahead(T, DAYS))
        await connection.execute(_FILL.read_text())
        await connection.execute("VACUUM ANALYZE")
    return [listed[instrument.key] for instrument in instruments]


async def large_tables(url: str) -> set[str]:
    """Return the tables, and partitions, of which reading the whole is a mistake."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT relname FROM pg_class"
            " WHERE relkind = 'r' AND reltuples > 5000 AND relnamespace = 'public'::regnamespace"
        )
        return {row["relname"] for row in rows}
    finally:
        await connection.close()
