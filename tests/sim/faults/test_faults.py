import json
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.times import SECOND
from sim.faults import FAULTS, KINDS
from sim.faults.fault import Circumstances, Fault
from sim.faults.orders import Order
from sim.messages import Message, understood
from sim.protocols import named
from sim.recordings import Frame

BINANCE = named("binance")


def message(number: int, symbol: str = "bnbbtc", feed: str = "trade") -> Message:
    data = {"e": feed, "t": number, "T": 1, "p": "1.0", "q": "2.0", "m": True, "U": number, "u": number}
    text = json.dumps({"stream": f"{symbol}@{feed}", "data": data})
    return understood(BINANCE, Frame(number, text.encode()))


def fault(kind: str, seconds: float | None = None, **parameters: Any) -> Fault:
    order = Order(kind, parameters=parameters)
    return KINDS[kind](order.understood(), Circumstances(Random(7), seconds))


def sent(by: Fault, messages: Iterable[Message], now: int = 0) -> list[Message]:
    return [*(out for each in messages for out in by.passed(each, now)), *by.left()]


def numbers(messages: Iterable[Message]) -> list[int]:
    return [each.recorded_at for each in messages]


MANY = [message(number) for number in range(200)]


def test_every_kind_has_a_name_of_its_own() -> None:
    assert len(FAULTS) == len(KINDS)


def test_dropped_frames_are_missing_and_the_others_keep_their_order() -> None:
    drop = fault("drop", share=0.2)
    left = numbers(sent(drop, MANY))
    assert left == sorted(left)
    assert 200 - len(left) == drop.touched > 0


def test_the_same_seed_strikes_the_same_frames() -> None:
    assert numbers(sent(fault("drop"), MANY)) == numbers(sent(fault("drop"), MANY))


def test_duplicates_follow_the_frame_that_they_repeat() -> None:
    duplicate = fault("duplicate", share=0.2)
    told = numbers(sent(duplicate, MANY))
    assert told == sorted(told)
    assert (set(numbers(MANY)), duplicate.touched) == (set(told), len(told) - 200)


@given(st.floats(0, 1), st.integers(1, 50), st.integers(0, 100))
def test_reordering_loses_nothing_and_moves_by_no_more_than_was_said(
    share: float, places: int, length: int
) -> None:
    told = numbers(sent(fault("reorder", share=share, places=places), MANY[:length]))
    assert list(range(length)) == sorted(told)
    assert all(abs(place - number) <= places for place, number in enumerate(told))


def test_what_is_delayed_comes_in_order_when_it_is_due() -> None:
    delay = fault("delay", by_seconds=2)
    assert [] == [out for each in MANY[:3] for out in delay.passed(each, each.recorded_at * SECOND)]
    assert [] == list(delay.released(SECOND))
    assert [0, 1] == numbers(delay.released(3 * SECOND))
    assert [2] == numbers(delay.left())


def test_a_mute_symbol_says_nothing_while_others_speak() -> None:
    others = [message(number, "ethbtc") for number in range(5)]
    assert others == sent(fault("mute", symbol="BNB/BTC"), [*MANY, *others])


def test_a_mute_feed_of_a_symbol_leaves_its_other_feeds() -> None:
    depths = [message(number, feed="depth") for number in range(5)]
    assert depths == sent(fault("mute", symbol="BNBBTC", feed="trades"), [*MANY, *depths])


@pytest.mark.parametrize(
    ("seconds", "parameters", "missing"),
    [(None, {}, 25), (None, {"count": 3}, 3), (5.0, {}, 200), (5.0, {"count": 3}, 3)],
)
def test_a_gap_is_a_run_of_trades(seconds: float | None, parameters: dict[str, Any], missing: int) -> None:
    gap = fault("gap", seconds, **parameters)
    assert MANY[missing:] == sent(gap, MANY)
    assert (missing, missing < 200) == (gap.touched, gap.done)


def test_a_gap_is_of_trades_alone() -> None:
    depths = [message(number, feed="depth") for number in range(5)]
    assert depths == sent(fault("gap"), depths)


@pytest.mark.parametrize("kind", ["malformed", "truncated"])
def test_a_frame_that_cannot_be_read_goes_to_those_who_would_have_got_it(kind: str) -> None:
    first, *others = sent(fault(kind), MANY)
    assert others == MANY[1:]
    assert (False, MANY[0].topic, 0) == (first.readable, first.topic, sum(first.offered))
    with pytest.raises(json.JSONDecodeError):
        json.loads(first.text)


@pytest.mark.parametrize(
    ("venue", "frames", "wrong"),
    [
        (
            "binance",
            [b'{"stream":"bnbbtc@depth","data":{"e":"depthUpdate","U":157,"u":160,"pu":149}}'],
            b'{"stream":"bnbbtc@depth","data":{"e":"depthUpdate","U":1157,"u":1160,"pu":1149}}',
        ),
        (
            "kraken",
            [b'{"channel":"book","type":"update","data":[{"symbol":"X/USD","checksum":974942666}]}'],
            b'{"channel":"book","type":"update","data":[{"symbol":"X/USD","checksum":974943666}]}',
        ),
        (
            "kraken",
            [b'[0,{"a":[],"c":"974942666"},"book-10","XBT/USD"]'],
            b'[0,{"a":[],"c":"974943666"},"book-10","XBT/USD"]',
        ),
    ],
)
def test_a_wrong_checksum_is_the_only_change(venue: str, frames: Sequence[bytes], wrong: bytes) -> None:
    messages = [understood(named(venue), Frame(0, text)) for text in frames]
    (first,) = sent(fault("checksum"), messages)
    assert (wrong, messages[0].offered) == (first.text, first.offered)


def test_a_coinbase_book_has_no_checksum_to_be_wrong() -> None:
    text = b'{"type":"l2update","product_id":"BTC-USD","changes":[["buy","10101.8","0.162567"]]}'
    update = understood(named("coinbase"), Frame(0, text))
    assert [update] == sent(fault("checksum"), [update])


def test_history_forgets_its_share_of_the_symbol_alone() -> None:
    short = fault("short_history", symbol="BNB/BTC", share=0.5)
    forgotten = [short.forgets("BNBBTC") for _ in range(100)]
    assert 25 < sum(forgotten) == short.touched < 75
    assert not any(short.forgets("ETHBTC") for _ in range(100))
