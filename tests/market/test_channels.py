"""Names of streams."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.channels import Channel, Family, parse
from market.errors import InvalidInputError

PARTS = st.just("*") | st.text(st.characters(exclude_characters=":*", codec="ascii"), min_size=1)
NAMED = [family for family in Family if family is not Family.RUNNING]
CHANNELS = st.builds(Channel, st.sampled_from(NAMED), PARTS, PARTS)


@given(CHANNELS)
def test_a_channel_is_read_as_it_was_written(channel: Channel) -> None:
    assert channel == parse(str(channel))


def test_a_symbol_may_contain_a_colon() -> None:
    expected = Channel(Family.BARS, "binance", "BTC/USDT:USDT")
    assert expected == parse("bars:binance:BTC/USDT:USDT")


def test_bars_that_run_are_called_bars_and_are_not_what_is_meant_by_that() -> None:
    running = Channel(Family.RUNNING, "kraken", "SOL/USD")
    assert "bars:kraken:SOL/USD" == str(running)
    assert not parse(str(running)).matches(running)
    with pytest.raises(InvalidInputError):
        parse("running bars:kraken:SOL/USD")


def test_one_asterisk_stands_for_all() -> None:
    assert parse("coverage:*:*") == parse("coverage:*")


@pytest.mark.parametrize(
    "name", ["", "signals", "signals:kraken", "news:kraken:SOL/USD", "signals::SOL/USD", "signals:kraken:"]
)
def test_what_names_no_stream_is_refused_with_what_would(name: str) -> None:
    with pytest.raises(InvalidInputError, match="FAMILY:EXCHANGE:SYMBOL"):
        parse(name)


@pytest.mark.parametrize("name", ["signals:*:SOL*", "signals:kra*:SOL/USD", "signals:**:*"])
def test_a_part_of_a_name_has_no_wildcard(name: str) -> None:
    with pytest.raises(InvalidInputError, match="not for a part of one"):
        parse(name)


@pytest.mark.parametrize(
    "name", ["signals:kraken:SOL/USD", "signals:*:SOL/USD", "signals:kraken:*", "signals:*:*"]
)
def test_a_wildcard_stands_for_any_exchange_or_symbol(name: str) -> None:
    assert parse(name).matches(parse("signals:kraken:SOL/USD"))


@pytest.mark.parametrize("name", ["bars:kraken:SOL/USD", "signals:coinbase:*", "signals:*:BTC/USD"])
def test_other_streams_do_not_match(name: str) -> None:
    assert not parse(name).matches(parse("signals:kraken:SOL/USD"))


def test_only_signals_and_bars_are_logged() -> None:
    assert {Family.SIGNALS, Family.BARS} == {family for family in Family if family.logged}
