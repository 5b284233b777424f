import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import InvalidInputError
from market.signal_ids import SignalId, parse

symbols = st.from_regex(r"[A-Z0-9.]{2,8}/[A-Z]{3,5}(:[A-Z]{3,5}(-[0-9]{6})?)?", fullmatch=True)


def test_an_id_can_be_read_and_stands_in_an_address_as_it_is() -> None:
    signal_id = SignalId("binance", "BTC/USDT:USDT", "pressure", 2, 1_723_161_255_000_000)
    assert "binance:BTC~USDT:USDT:pressure:2:1723161255000000" == str(signal_id)


@given(symbols, st.integers(1, 32767), st.integers(0, 2**53))
def test_an_id_names_one_signal(symbol: str, version: int, ts: int) -> None:
    signal_id = SignalId("kraken", symbol, "rsi", version, ts)
    assert signal_id == parse(str(signal_id))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kraken",
        "kraken:SOL~USD:rsi",
        "kraken:rsi:2:17",
        "kraken:A~B:rsi:2:x",
        "kraken:A~B:\0:2:17",
        "kraken:A~B:rsi:32768:17",
        f"kraken:A~B:rsi:2:{10**30}",
    ],
)
def test_what_is_no_id_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInputError, match="such as kraken:SOL~USD:rsi:2:"):
        parse(text)
