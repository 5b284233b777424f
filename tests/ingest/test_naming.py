import pytest

from ingest.naming import instrument_named
from market.errors import ConfigurationError, InvalidInputError, UnknownVenueError


def test_what_a_venue_can_have_is_named_in_our_words_and_in_its_own() -> None:
    named = instrument_named("coinbase", "SOL/USD")
    assert ("coinbase:SOL/USD", "SOL-USD") == (named.key, named.venue_symbol)
    assert "XBT/USD" == instrument_named("kraken", "BTC/USD", "v1").venue_symbol


@pytest.mark.parametrize("symbol", ["SOLUSD", "sol/usd", "SOL-USD", "sol_usd", "Sol USD", "SOL/USD:USD"])
def test_the_symbol_that_was_meant_is_asked_for(symbol: str) -> None:
    with pytest.raises(InvalidInputError, match=r"did you mean SOL/USD\?"):
        instrument_named("kraken", symbol)


@pytest.mark.parametrize("symbol", ["", "SOL", "SOL/", "SOL/USD:EUR"])
def test_where_nothing_can_have_been_meant_nothing_is_asked(symbol: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        instrument_named("kraken", symbol)
    assert "did you mean" not in str(refused.value)


def test_the_venue_that_was_meant_is_asked_for() -> None:
    with pytest.raises(UnknownVenueError, match=r"did you mean binance\?"):
        instrument_named("Binanc", "BTC/USDT")
    with pytest.raises(UnknownVenueError, match=r"there are: binance, coinbase, kraken$"):
        instrument_named("mtgox", "BTC/USD")
    with pytest.raises(ConfigurationError, match="'v9'"):
        instrument_named("kraken", "BTC/USD", "v9")
