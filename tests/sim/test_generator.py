import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from market.errors import InvalidInputError
from sim.generator import GeneratedTape
from sim.offered import count

START = 1_763_726_400_000_000


def generated(seed: int = 7, start: int = START, seconds: float = 20.0) -> list[Any]:
    tape = GeneratedTape(seed, ["BTC/USDT", "ETH/USDT"], 200, seconds, lambda: start)
    return [json.loads(frame.text) for frame in tape.frames()]


def trades(messages: list[Any], symbol: str) -> list[Any]:
    return [m["data"] for m in messages if m["stream"] == f"{symbol.lower()}@trade"]


def test_the_same_seed_and_start_give_the_same_frames() -> None:
    assert generated() == generated()
    assert generated() != generated(seed=8)
    assert generated() != generated(start=START + 1_000_000)


def test_the_rate_is_near_what_was_asked() -> None:
    assert 180 < len(generated()) / 20 < 220


def test_every_frame_offers_one_tick_of_the_three_kinds() -> None:
    kinds = Counter(count("binance", message) for message in generated())
    assert {(1, 0, 0), (0, 1, 0), (0, 0, 1)} == set(kinds)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_trade_ids_are_contiguous_and_grow_across_restarts(symbol: str) -> None:
    first, second = (trades(generated(start=start), symbol) for start in (START, START + 20_000_000))
    ids = [trade["t"] for trade in first]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert second[0]["t"] > ids[-1]


def test_event_times_follow_the_clock_and_several_trades_share_one() -> None:
    told = [trade["T"] for trade in trades(generated(), "BTCUSDT")]
    assert told == sorted(told)
    assert START // 1000 <= told[0] < told[-1] <= START // 1000 + 20_000
    assert max(Counter(told).values()) >= 4


def test_prices_are_written_with_eight_places_as_binance_does() -> None:
    for trade in trades(generated(), "BTCUSDT"):
        assert [8, 8] == [len(trade[field].partition(".")[2]) for field in ("p", "q")]


def test_quote_ids_grow() -> None:
    ids = [m["data"]["u"] for m in generated() if m["stream"] == "btcusdt@bookTicker"]
    assert all(before < after for before, after in pairwise(ids))


def book_of(levels: list[list[str]]) -> dict[float, float]:
    return {float(price): float(size) for price, size in levels}


def test_updates_follow_each_other_from_one_snapshot_to_the_last() -> None:
    tape = GeneratedTape(7, ["BTC/USDT"], 100, 10, lambda: START)
    before = json.loads(tape.snapshot("BTCUSDT") or b"")
    sides = {"b": book_of(before["bids"]), "a": book_of(before["asks"])}
    last = before["lastUpdateId"]
    for update in (json.loads(frame.text)["data"] for frame in tape.frames() if b"@depth" in frame.text):
        assert last + 1 == update["U"] <= update["u"]
        last = update["u"]
        for side, book in sides.items():
            book.update(book_of(update[side]))
    after = json.loads(tape.snapshot("BTCUSDT") or b"")
    left = [{price: size for price, size in sides[side].items() if size} for side in ("b", "a")]
    assert left == [book_of(after["bids"]), book_of(after["asks"])]
    assert last == after["lastUpdateId"]


def test_an_unknown_symbol_has_no_book() -> None:
    assert GeneratedTape(7, ["BTC/USDT"], 100, 10, lambda: START).snapshot("ETHUSDT") is None


@pytest.mark.parametrize("symbols", [["BTC/USDT:USDT"], ["BTCUSDT"], ["btc/usdt"], [""], []])
def test_what_is_no_spot_symbol_is_refused(symbols: list[str]) -> None:
    with pytest.raises(InvalidInputError, match="give spot symbols such as BTC/USDT"):
        GeneratedTape(7, symbols, 100)
