"""The JSON that subscribers receive."""

import msgspec

from market.bars import Bar
from market.signals import Direction, Signal
from market.texts import Name, bar_text, signal_text
from market.times import SECOND

NAME = Name("kraken", "SOL/USD")
TS = 1_723_161_255 * SECOND


def test_a_signal_says_where_it_comes_from_and_when() -> None:
    signal = Signal(
        kind="momentum",
        version=1,
        ts=TS,
        direction=Direction.UP,
        strength=0.25,
        confidence=1.0,
        price=61837.63,
        evidence={"fast": 0.1},
        from_ts=TS - SECOND,
        to_ts=TS,
    )
    assert {
        "exchange": "kraken",
        "symbol": "SOL/USD",
        "kind": "momentum",
        "version": 1,
        "ts": "2024-08-08T23:54:15.000000Z",
        "direction": "up",
        "strength": 0.25,
        "confidence": 1.0,
        "price": 61837.63,
        "evidence": {"fast": 0.1},
        "from_ts": "2024-08-08T23:54:14.000000Z",
        "to_ts": "2024-08-08T23:54:15.000000Z",
        "received_at": "2024-08-08T23:54:15.000007Z",
        "committed_at": "2024-08-08T23:54:15.000009Z",
    } == msgspec.json.decode(signal_text(NAME, signal, TS + 7, TS + 9))


def test_a_bar_keeps_every_digit_of_a_double() -> None:
    bar = Bar(SECOND, TS, 0.1, 0.3, 0.1, 0.30000000000000004, 1e-08, 2.0, 1.0, 1.0, 3)
    told = msgspec.json.decode(bar_text(NAME, bar, "live"))
    assert (0.30000000000000004, 1e-08, "1s", True) == (
        told["close"],
        told["volume"],
        told["interval"],
        told["final"],
    )
