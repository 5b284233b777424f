"""The whole walk over a venue's history, as the simulated venue answers it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.venues.histories import history
from ingest.venues.history import Answer, Stretch
from ingest.venues.registry import venue
from market.instruments import Market
from runtime.clock import now
from sim import rest
from sim.ledger import Fill, Ledger
from sim.rest.rest import address_of

BEGAN = 1_700_000_000_000_000_000
SPACING = 250_000_000
TRADES = 2600
VENUES = ("binance", "coinbase", "kraken")
REQUESTS_AT_MOST = 60


def ledger_of(symbol: str, lacking: set[int]) -> Ledger:
    """Trades numbered from 1, every fourth at the time of the one before it."""
    ledger = Ledger([symbol])
    fills = [
        Fill(n, BEGAN + (n - (n % 4 == 0)) * SPACING + n % 1000, "100.5", "0.25", "buy")
        for n in range(1, TRADES + 1)
    ]
    ledger.record(symbol, fills)
    trades = ledger.of(symbol)
    assert trades is not None
    for number in lacking:
        trades.forget(number)
    return ledger


def walk(exchange: str, ledger: Ledger, stretch: Stretch) -> list[int]:
    """Return the ids found, once each, in their order."""
    road, server = history(exchange, Market.SPOT), rest.named(exchange)
    assert road is not None
    found: set[int] = set()
    position = ""
    for _ in range(REQUESTS_AT_MOST):
        answered = server.answer(address_of(road.request(stretch, position).path), ledger, now())
        assert answered is not None
        road.judge(Answer(int(answered.status), answered.body))
        page = road.page(stretch, position, answered.body, now())
        found.update(trade.trade_id for trade in page.trades)
        if page.complete:
            return sorted(found)
        position = page.position
    raise AssertionError(position)


def stretch_of(exchange: str, after: int | None, before: int | None, first: int, last: int) -> Stretch:
    """Return the stretch between ids, or between the times of two trades where there are none."""
    return Stretch(
        instrument_id=7,
        venue_symbol=venue(exchange).instrument("BTC/USD").venue_symbol,
        from_ts=(BEGAN + (after or first) * SPACING) // 1000,
        to_ts=(BEGAN + (before or last) * SPACING) // 1000 + 1,
        after_id=after,
        before_id=before,
    )


@pytest.mark.parametrize("exchange", VENUES)
@settings(max_examples=15)
@given(
    ends=st.tuples(st.integers(1, TRADES), st.integers(1, TRADES)).map(sorted),
    lacking=st.sets(st.integers(1, TRADES), max_size=30),
)
def test_between_two_ids_everything_is_found_that_is_remembered(
    exchange: str, ends: list[int], lacking: set[int]
) -> None:
    after, before = ends
    ledger = ledger_of(venue(exchange).instrument("BTC/USD").venue_symbol, lacking)
    found = walk(exchange, ledger, stretch_of(exchange, after, before, 0, 0))
    assert [n for n in range(after + 1, before) if n not in lacking] == found


@pytest.mark.parametrize("exchange", VENUES)
def test_an_open_end_is_walked_to_its_time(exchange: str) -> None:
    ledger = ledger_of(venue(exchange).instrument("BTC/USD").venue_symbol, set())
    found = walk(exchange, ledger, stretch_of(exchange, 100, None, 0, 1202))
    assert list(range(101, 1203)) == found


@pytest.mark.parametrize("exchange", VENUES)
def test_an_open_end_at_the_end_of_the_tape_is_complete(exchange: str) -> None:
    ledger = ledger_of(venue(exchange).instrument("BTC/USD").venue_symbol, set())
    assert [TRADES] == walk(exchange, ledger, stretch_of(exchange, TRADES - 1, None, 0, TRADES + 99))
    assert [] == walk(exchange, ledger, stretch_of(exchange, TRADES, None, 0, TRADES + 99))


@pytest.mark.parametrize("exchange", VENUES)
def test_without_any_id_times_are_the_ends(exchange: str) -> None:
    ledger = ledger_of(venue(exchange).instrument("BTC/USD").venue_symbol, set())
    assert list(range(901, 1803)) == walk(exchange, ledger, stretch_of(exchange, None, None, 901, 1802))
