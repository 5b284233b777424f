"""A page of trades over REST: cached beside a bare route that has the bytes, uncached beside pgbench."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlencode

import httpx

from bench import loading, markets, stores
from bench.effort import Effort
from bench.markets import Market
from bench.processes import answering, held_to_one_core, line, module, running
from bench.reports import Report, report
from bench.rounds import Contestant, Figures, alternate
from bench.tapes import INSTRUMENTS, cut
from db.connections import connected
from db.ticks import Ticks, TickWriter
from db.writers import enlist
from heliograph.ports import any_free
from market.times import SECOND, to_iso

_ROWS: Final = 100
_COMMIT: Final = 10_000
_HOST: Final = "127.0.0.1"
_LUA: Final = """
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", string.format("{path}", n % 1000000))
end
"""
_STATEMENT: Final = """
\\set n random(1, 999999)
SELECT instrument_id, ts, trade_id, price, size, side, received_at FROM trades
WHERE exchange_id = {exchange_id} AND instrument_id = {instrument_id}
AND ts >= timestamptz '{second}' + :n * interval '1 microsecond'
ORDER BY ts, instrument_id, trade_id LIMIT {limit}
"""
UNLIMITED: Final = {
    "HELIOGRAPH_API_REQUESTS_PER_SECOND": "100000",
    "HELIOGRAPH_API_REQUESTS_AT_ONCE": "100000",
    "HELIOGRAPH_API_CONNECTIONS_PER_ADDRESS": "100000",
}
"""All requests come from one address here."""


async def measure(url: str, effort: Effort) -> Report:
    """Measure on a copy of the empty database at ``url``; a round of each takes ``effort.seconds`` / 3."""
    market = await markets.opened(url, effort.ticks)
    seconds = effort.seconds / 3
    with TemporaryDirectory(prefix="heliograph-bench-") as name:
        folder = Path(name)
        async with stores.copied(url) as filled:
            await _store(filled, market)
            contestants: dict[str, Contestant] = {
                "bare Starlette route": partial(_bare, filled, market, seconds, folder),
                "cached": partial(_cached, filled, market, seconds),
                "pgbench, the same rows": partial(_pgbench, filled, market, seconds, folder),
                "uncached": partial(_uncached, filled, market, seconds, folder),
            }
            measured = await alternate(contestants, Effort(seconds=0.0, least_rounds=effort.least_rounds))
    limits = {"cached": "bare Starlette route", "uncached": "pgbench, the same rows"}
    told = f"{_ROWS} trades a page, {loading.CONNECTIONS} connections; {market.source}"
    return report("rest", told, measured, limits)


async def _store(url: str, market: Market) -> None:
    async with connected(url, "bench writer") as connection:
        writer = TickWriter(connection, await enlist(connection))
        for batch in cut(market.tape, _COMMIT):
            await writer.write(Ticks(trades=batch), market.places)
        await connection.execute("ANALYZE trades")


def _path(from_: str) -> str:
    asked = {"exchange": "binance", "symbol": INSTRUMENTS[0].symbol, "limit": str(_ROWS)}
    return f"/v1/trades?{urlencode(asked)}&from={from_}"


def _second(market: Market) -> str:
    """Return the second before the tape begins, without a zone."""
    return to_iso(market.tape[0].ts // SECOND * SECOND - SECOND).removesuffix("Z").partition(".")[0]


async def _cached(url: str, market: Market, seconds: float) -> Figures:
    async with _served(url) as address:
        return await loading.wrk(f"{address}{_path(f'{_second(market)}Z')}", seconds)


async def _uncached(url: str, market: Market, seconds: float, folder: Path) -> Figures:
    """Ask for the same rows by ranges that nobody asked for before."""
    script = folder / "uncached.lua"
    escaped = _path("").replace("%", "%%")
    script.write_text(_LUA.format(path=f"{escaped}{_second(market)}.%06dZ"))
    async with _served(url) as address:
        return await loading.wrk(address, seconds, script)


async def _pgbench(url: str, market: Market, seconds: float, folder: Path) -> Figures:
    instrument_id, place = next(iter(market.places.items()))
    statement = _STATEMENT.format(
        exchange_id=place.exchange_id, instrument_id=instrument_id, second=f"{_second(market)}Z", limit=_ROWS
    )
    return await loading.pgbench(url, seconds, statement, folder)


async def _bare(url: str, market: Market, seconds: float, folder: Path) -> Figures:
    """Serve from memory the bytes that we answer."""
    body = folder / "body.json"
    if not body.exists():
        async with _served(url) as address, httpx.AsyncClient() as client:
            body.write_bytes((await client.get(f"{address}{_path(f'{_second(market)}Z')}")).content)
    async with running(*module("bench.bare_rest", str(body))) as server:
        held_to_one_core(server.pid)
        return await loading.wrk(await line(server), seconds)


@asynccontextmanager
async def _served(url: str) -> AsyncIterator[str]:
    """Serve a database as it is; give the address of the API, which is held to one core."""
    port = any_free(_HOST)
    with stores.valkey() as redis_url:
        given = {
            "HELIOGRAPH_DATABASE_URL": url,
            "HELIOGRAPH_REDIS_URL": redis_url,
            "HELIOGRAPH_API_PORT": str(port),
            **UNLIMITED,
        }
        async with running(*module("heliograph", "api"), environment=given) as server:
            await answering(f"http://{_HOST}:{port}/health/live")
            held_to_one_core(server.pid)
            yield f"http://{_HOST}:{port}"
