import pytest

from market.errors import UnknownInstrumentError
from sim.symbols import from_binance, from_coinbase, from_kraken


@pytest.mark.parametrize(
    ("venue_symbol", "word"),
    [
        ("BTCUSDT", "BTC/USDT"),
        ("ETHBTC", "ETH/BTC"),
        ("OMGBUSD", "OMG/BUSD"),
        ("BUSDUSD", "BUSD/USD"),
        ("BTCFDUSD", "BTC/FDUSD"),
        ("1INCHUSDT", "1INCH/USDT"),
        ("RUNEEUR", "RUNE/EUR"),
    ],
)
def test_binance_symbols_are_cut_at_a_known_quote_asset(venue_symbol: str, word: str) -> None:
    assert word == from_binance(venue_symbol)


@pytest.mark.parametrize("venue_symbol", ["BTCUSDT_240927", "USDT", "", "BTCXYZ"])
def test_a_binance_symbol_without_one_is_refused_by_name(venue_symbol: str) -> None:
    with pytest.raises(UnknownInstrumentError, match=repr(venue_symbol)):
        from_binance(venue_symbol)


def test_coinbase_joins_with_a_dash() -> None:
    assert from_coinbase("SKL-GBP") == "SKL/GBP"


@pytest.mark.parametrize(
    ("venue_symbol", "word"),
    [("XBT/USD", "BTC/USD"), ("ETH/XBT", "ETH/BTC"), ("XDG/EUR", "DOGE/EUR"), ("XMR/USD", "XMR/USD")],
)
def test_kraken_has_names_of_its_own_for_two_assets(venue_symbol: str, word: str) -> None:
    assert word == from_kraken(venue_symbol)
