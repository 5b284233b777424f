"""Instruments, their shards, and hashes that never change."""

from hypothesis import given
from hypothesis import strategies as st

from market.instruments import Market, shard_of, spot, stable_hash, swap


def test_spot_and_swap_of_one_venue_symbol_are_two_instruments() -> None:
    one, other = spot("binance", "BTC", "USDT", "BTCUSDT"), swap("binance", "BTC", "USDT", "BTCUSDT")
    assert ("binance:BTC/USDT", "binance:BTC/USDT:USDT") == (one.key, other.key)
    assert (Market.SPOT, Market.SWAP) == (one.market, other.market)


@given(st.text(), st.integers(1, 1024))
def test_a_shard_lies_within_the_shards(key: str, shards: int) -> None:
    assert 0 <= shard_of(key, shards) < shards


def test_the_hash_is_the_same_for_ever() -> None:
    """Stored ids are made of it: another hash would store every trade again (`b2sum -l 64`)."""
    assert (-1970711489451281740, 6838673456680359203) == (stable_hash(""), stable_hash("kraken:SOL/USD"))


@given(st.text())
def test_the_hash_fits_a_bigint(text: str) -> None:
    assert -(2**63) <= stable_hash(text) < 2**63
