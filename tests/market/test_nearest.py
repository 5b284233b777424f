from market.nearest import suggestion


def test_what_is_near_is_named_in_its_own_case() -> None:
    assert suggestion("sol/usd", ["BTC/USD", "SOL/USD"]) == "did you mean SOL/USD?"
    assert suggestion("BT/USD", ["BTC/USD", "BTC/USDT"]) == "did you mean BTC/USD or BTC/USDT?"
    assert suggestion("krakn", ["binance", "kraken"]) == "did you mean kraken?"


def test_where_nothing_is_near_nothing_is_said() -> None:
    assert not suggestion("mtgox", ["binance", "kraken"])
