import asyncio

from db.connections import connected
from db.instruments import listed, register
from market.instruments import Instrument, shard_of, spot, swap

BTC = spot("binance", "BTC", "USDT", "BTCUSDT")
PERPETUAL = swap("binance", "BTC", "USDT", "BTCUSDT")
SOL = spot("kraken", "SOL", "USD", "SOL/USD")
SHARDS = 8


async def test_instruments_are_listed_once_and_keep_their_ids(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        first = await register(connection, [BTC, PERPETUAL])
        second = await register(connection, [SOL, BTC])
        assert first[BTC.key] == second[BTC.key]
        assert {BTC.key, SOL.key} == set(second)
        assert [BTC, PERPETUAL, SOL] == [entry.instrument for entry in await listed(connection)]


async def test_the_shard_is_a_stable_hash_of_the_name(postgres_url: str) -> None:
    async with connected(postgres_url, "test") as connection:
        entries = await register(connection, [BTC, SOL])
    assert {key: shard_of(key, SHARDS) for key in entries} == {key: e.shard for key, e in entries.items()}


async def test_two_ingesters_may_list_the_same_at_the_same_time(postgres_url: str) -> None:
    async def list_all(instruments: list[Instrument]) -> dict[str, int]:
        async with connected(postgres_url, "test") as connection:
            entries = await register(connection, instruments)
        return {key: entry.instrument_id for key, entry in entries.items()}

    one, other = await asyncio.gather(list_all([BTC, SOL, PERPETUAL]), list_all([PERPETUAL, SOL, BTC]))
    assert one == other
