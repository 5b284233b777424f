"""What every venue's history shares: stretches, statuses, rows that cannot be stored."""

import pytest

from ingest.venues.histories import history
from ingest.venues.history import Answer, Stretch, judge
from market.errors import DecodeError, FeedError, RateLimitedError, VenueRefusedError, VenueUnavailableError
from market.instruments import Market
from market.trades import Side, Trade

SECOND = 1_000_000
FROM, TO = 1_700_000_000 * SECOND, 1_700_000_010 * SECOND


def trade(trade_id: int, ts: int) -> Trade:
    return Trade(7, ts, trade_id, 1.0, 1.0, Side.BUY, ts)


def stretch(after_id: int | None = None, before_id: int | None = None) -> Stretch:
    return Stretch(
        instrument_id=7, venue_symbol="X", from_ts=FROM, to_ts=TO, after_id=after_id, before_id=before_id
    )


@pytest.mark.parametrize(
    ("bounds", "held"),
    [
        ((None, None), {2, 3}),
        ((2, None), {3}),
        ((None, 3), {2}),
        ((0, 9), {1, 2, 3, 4}),
    ],
)
def test_an_id_says_more_than_the_time_beside_it(
    bounds: tuple[int | None, int | None], held: set[int]
) -> None:
    tape = [trade(1, FROM - 1), trade(2, FROM), trade(3, TO - 1), trade(4, TO)]
    assert held == {each.trade_id for each in tape if stretch(*bounds).holds(each)}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(429, b"{}", "7"), RateLimitedError),
        (Answer(418, b"{}"), RateLimitedError),
        (Answer(500, b""), VenueUnavailableError),
        (Answer(503, b"\xff"), VenueUnavailableError),
        (Answer(400, b'{"code":-1121,"msg":"Invalid symbol."}'), VenueRefusedError),
        (Answer(451, b""), VenueUnavailableError),
        (Answer(403, b""), VenueUnavailableError),
        (Answer(302, b""), VenueRefusedError),
    ],
)
def test_a_status_says_whether_to_come_back(answer: Answer, error: type[FeedError]) -> None:
    with pytest.raises(error, match=str(answer.status)):
        judge(answer)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(429, b"", "7"), 7),
        (Answer(429, b""), 10),
        (Answer(418, b""), 120),
        (Answer(429, b"", "Wed, 21 Oct 2026 07:28:00 GMT"), 10),
    ],
)
def test_how_long_to_wait_is_what_the_venue_says_or_a_usual_time(answer: Answer, seconds: float) -> None:
    with pytest.raises(RateLimitedError) as caught:
        judge(answer)
    assert seconds == caught.value.retry_after_seconds


def test_krakens_first_protocol_has_no_road_back() -> None:
    assert history("kraken", Market.SPOT, "v1") is None
    assert history("kraken", Market.SPOT, "v2") is not None
    assert history("kraken", Market.SPOT) is not None


UNREADABLE = [b"", b"<html>", b"\xff", b'"\xff"', b"[" * 100_000, b'{"a":' * 100_000]


@pytest.mark.parametrize("exchange", ["binance", "coinbase", "kraken"])
@pytest.mark.parametrize(
    "body",
    [
        *UNREADABLE,
        b'{"error":["\xff"]}',
        b'{"error":[],"result":{"\xff":[],"last":"1"}}',
        b'{"error":[],"result":{"X":[],"last":"\xff"}}',
        b'{"error":[],"result":' + b"[" * 100_000,
        b'{"error":[],"result":{"X":' + b"[" * 100_000,
    ],
)
def test_a_body_that_cannot_be_read_is_no_page(exchange: str, body: bytes) -> None:
    found = history(exchange, Market.SPOT)
    assert found is not None
    found.judge(Answer(200, body))
    with pytest.raises(DecodeError, match=exchange):
        found.page(stretch(), "", body, TO)


@pytest.mark.parametrize("exchange", ["binance", "coinbase", "kraken"])
def test_a_row_that_cannot_be_read_is_rejected_alone(exchange: str) -> None:
    found, row = history(exchange, Market.SPOT), b'{"id":"\xff"}'
    assert found is not None
    listed = b"[" + row + b"]"
    body = b'{"error":[],"result":{"X":' + listed + b',"last":"1"}}' if exchange == "kraken" else listed
    page = found.page(stretch(), "", body, TO)
    assert [row] == [each.payload for each in page.rejections]
