import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.venues.binance import Binance
from ingest.venues.coinbase import Coinbase
from ingest.venues.kraken import Kraken
from ingest.venues.venue import Venue
from market.errors import InvalidInputError, UnknownVenueError
from sim.generator import GeneratedTape, Plan
from sim.messages import Message, understood
from sim.offered import Offered, count
from sim.profiles import Phase, steady
from sim.protocols import named
from sim.recordings import Frame

START = 1_763_726_400_000_000
VENUES = {
    "binance": ("BTC/USDT", "ETH/USDT"),
    "coinbase": ("BTC/USD", "ETH/USD"),
    "kraken": ("BTC/USD", "ETH/USD"),
}
ADAPTERS: dict[str, Venue] = {"binance": Binance(), "coinbase": Coinbase(), "kraken": Kraken()}
every_venue = pytest.mark.parametrize("venue", VENUES)


def tape(venue: str, start: int = START, **plan: Any) -> GeneratedTape:
    usual = {"symbols": VENUES[venue], "venue": venue, "seconds": 20.0}
    return GeneratedTape(Plan(**{**usual, **plan}), lambda: start)


def generated(venue: str, start: int = START, **plan: Any) -> list[Message]:
    return list(tape(venue, start, **plan).frames())


def fills(messages: list[Message], symbol: str) -> list[Any]:
    return [fill for m in messages if m.topic and m.topic.symbol == symbol for fill in m.fills]


def symbols(venue: str) -> tuple[str, ...]:
    return tape(venue).contents.venue_symbols


@every_venue
def test_the_same_plan_and_start_give_the_same_frames(venue: str) -> None:
    assert generated(venue) == generated(venue)
    assert generated(venue) != generated(venue, seed=8)
    assert generated(venue) != generated(venue, start=START + 1_000_000)


@pytest.mark.slow
@every_venue
def test_the_rate_is_near_what_was_asked(venue: str) -> None:
    ticks = sum(sum(m.offered) for m in generated(venue, seconds=100.0))
    assert 180 < ticks / 100 < 220


@every_venue
def test_what_is_known_of_a_frame_is_what_its_text_says(venue: str) -> None:
    for message in generated(venue, seconds=5.0):
        read = understood(named(venue), Frame(message.recorded_at, message.text))
        known = [fill._replace(ns=fill.ns // 1000 * 1000) for fill in message.fills]
        assert (read.topic, read.offered, read.readable) == (message.topic, message.offered, message.readable)
        assert list(read.fills) == known
        assert count(venue, json.loads(message.text)) == message.offered


@every_venue
def test_the_decoder_of_the_venue_takes_everything(venue: str) -> None:
    decoder = ADAPTERS[venue].decoder(dict.fromkeys(symbols(venue), 1))
    made = tape(venue)
    for topic in made.contents.topics:
        for message in made.opening(topic):
            assert not decoder.decode(message.text, START).rejections
    for symbol in symbols(venue):
        if book := made.snapshot(symbol):
            decoder.snapshot(symbol, book, START)
    offered = Counter[str]()
    for message in made.frames():
        decoded = decoder.decode(message.text, message.recorded_at)
        assert not decoded.rejections, message.text
        assert not decoded.snapshots_wanted, message.text
        offered.update(trades=len(decoded.trades), quotes=len(decoded.quotes))
        assert len(decoded.depths) <= message.offered.depths
    assert offered["trades"] > 500
    assert offered["quotes"] > 500


@every_venue
def test_trade_ids_are_contiguous_and_grow_across_restarts(venue: str) -> None:
    for symbol in symbols(venue):
        first, second = (fills(generated(venue, start), symbol) for start in (START, START + 20_000_000))
        ids = [fill.trade_id for fill in first]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        assert second[0].trade_id > ids[-1]


@every_venue
def test_event_times_follow_the_clock_and_many_trades_share_one(venue: str) -> None:
    told = [fill.ts for fill in fills(generated(venue, seconds=100.0), symbols(venue)[0])]
    assert told == sorted(told)
    assert START - 1000 <= told[0] < told[-1] <= START + 100_000_000
    assert max(Counter(told).values()) >= 12


def test_kraken_tells_several_orders_in_a_frame_when_there_are_many() -> None:
    busy = generated("kraken", phases=steady(8_000.0), seconds=2.0)
    frames = [m for m in busy if m.fills]
    assert max(len({fill.ns for fill in m.fills}) for m in frames) > 1
    assert sum(len(m.fills) for m in frames) > 2 * len(frames)


def test_what_a_busy_venue_gathers_is_told_in_few_frames_with_one_quote_after_them() -> None:
    usual = generated("kraken", phases=steady(10_000.0), seconds=2.0)
    gathered = generated("kraken", phases=steady(10_000.0), seconds=2.0, gathers_seconds=0.02)
    assert sum(sum(m.offered) for m in gathered) == pytest.approx(sum(sum(m.offered) for m in usual), rel=0.1)
    assert 10 * len(gathered) < len(usual)
    told = Counter(m.topic.feed for m in gathered if m.topic)
    assert told["trade/v2"] == told["ticker/v2"]


@every_venue
def test_frames_are_due_in_their_order(venue: str) -> None:
    assert all(before.recorded_at <= after.recorded_at for before, after in pairwise(generated(venue)))


def test_binance_writes_eight_places() -> None:
    for fill in fills(generated("binance"), "BTCUSDT"):
        assert [8, 8] == [len(text.partition(".")[2]) for text in (fill.price, fill.size)]


def test_quote_ids_grow() -> None:
    ids = [json.loads(m.text)["data"]["u"] for m in generated("binance") if b"btcusdt@bookTicker" in m.text]
    assert all(before < after for before, after in pairwise(ids))


def book_of(levels: list[list[str]]) -> dict[float, float]:
    return {float(price): float(size) for price, size in levels}


def test_updates_follow_each_other_from_one_snapshot_to_the_last() -> None:
    made = tape("binance", symbols=["BTC/USDT"])
    before = json.loads(made.snapshot("BTCUSDT") or b"")
    sides = {"b": book_of(before["bids"]), "a": book_of(before["asks"])}
    last = before["lastUpdateId"]
    for update in (json.loads(frame.text)["data"] for frame in made.frames() if b"@depth" in frame.text):
        assert last + 1 == update["U"] <= update["u"]
        last = update["u"]
        for side, book in sides.items():
            book.update(book_of(update[side]))
    after = json.loads(made.snapshot("BTCUSDT") or b"")
    left = [{price: size for price, size in sides[side].items() if size} for side in ("b", "a")]
    assert left == [book_of(after["bids"]), book_of(after["asks"])]
    assert last == after["lastUpdateId"]


@pytest.mark.slow
@pytest.mark.parametrize("venue", ["coinbase", "kraken"])
@given(joins_at=st.integers(0, 400))
@settings(max_examples=20)
def test_who_joins_at_any_frame_gets_a_book_that_the_updates_continue(venue: str, joins_at: int) -> None:
    made = tape(venue, symbols=["BTC/USD"], seconds=6.0, phases=steady(100.0))
    (symbol,) = made.contents.venue_symbols
    decoder = ADAPTERS[venue].decoder({symbol: 1})
    (books,) = [topic for topic in made.contents.topics if topic.feed in ("level2", "book/v2")]
    for number, message in enumerate(made.frames()):
        if number == joins_at:  # the frame at hand is made, and not sent yet
            (opening,) = made.opening(books)
            assert not decoder.decode(opening.text, START).rejections
        if number >= joins_at and message.topic == books:
            assert not decoder.decode(message.text, START).rejections


@pytest.mark.parametrize("venue", ["coinbase", "kraken"])
def test_the_last_trades_are_told_again_to_who_subscribes(venue: str) -> None:
    made = tape(venue, symbols=["BTC/USD"])
    (trades,) = [topic for topic in made.contents.topics if topic.feed in ("matches", "trade/v2")]
    assert not made.opening(trades)
    told = [fill for message in made.frames() for fill in message.fills]
    (opening,) = made.opening(trades)
    assert opening.offered == Offered(trades=len(opening.fills))
    assert list(opening.fills) == told[-len(opening.fills) :]


@pytest.mark.slow
def test_venues_with_one_epoch_follow_one_price_each_with_its_lag() -> None:
    def prices(venue: str, lag_seconds: float) -> dict[int, float]:
        made = generated(venue, epoch=START - 30_000_000, lag_seconds=lag_seconds, phases=steady(1000.0))
        books = [
            json.loads(m.text) for m in made if m.offered.quotes and m.topic and m.topic.symbol[:3] == "BTC"
        ]
        bids = [float(book["data"]["b"] if venue == "binance" else book["best_bid"]) for book in books]
        times = [m.recorded_at for m in made if m.offered.quotes and m.topic and m.topic.symbol[:3] == "BTC"]
        return {time // 100_000: bid for time, bid in zip(times, bids, strict=True)}

    ahead, behind = prices("binance", 0.0), prices("coinbase", 0.5)
    pairs = [(ahead[tenth - 5], bid) for tenth, bid in behind.items() if tenth - 5 in ahead]
    apart = [abs(one - other) / one for one, other in pairs]
    together = [abs(ahead[tenth] - bid) / bid for tenth, bid in behind.items() if tenth in ahead]
    assert sum(apart) / len(apart) < 0.2 * sum(together) / len(together)


def test_a_profile_is_followed() -> None:
    phases = [Phase(2.0, 200.0), Phase(1.0, 5000.0), Phase(2.0, 200.0)]
    made = generated("binance", phases=phases, seconds=5.0)
    ticks = Counter((m.recorded_at - START) // 1_000_000 for m in made)
    assert 4500 < ticks[2] < 5500
    assert max(ticks[second] for second in (0, 1, 3, 4)) < 400


@every_venue
def test_an_unknown_symbol_has_no_book(venue: str) -> None:
    assert tape(venue).snapshot("XYZUSDT") is None


@pytest.mark.parametrize("given_symbols", [["BTC/USDT:USDT"], ["BTCUSDT"], ["btc/usdt"], [""], []])
def test_what_is_no_spot_symbol_is_refused(given_symbols: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="give spot symbols such as BTC/USDT"):
        GeneratedTape(Plan(symbols=given_symbols))


def test_a_venue_without_words_of_its_own_is_refused() -> None:
    with pytest.raises(UnknownVenueError, match="binance, coinbase, kraken"):
        GeneratedTape(Plan(symbols=["BTC/USDT"], venue="mtgox"))
