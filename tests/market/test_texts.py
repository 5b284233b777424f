"""The JSON that subscribers receive."""

import msgspec

from market.bars import Bar
from market.channels import Family
from market.gaps import TRADES, Cause, Gap, GapState
from market.signals import Delivery, Direction, Journey, Signal
from market.texts import Name, bar_text, gap_change, signal_text
from market.ticks import Place
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
        first=Place(TS - SECOND, 2**60 + 1),
        last=Place(TS - 1, 2**60 + 7),
        parameters={"fast": 12},
        parameters_version=3,
    )
    journey = Journey(TS + 1_000, TS + 5_500, TS + 6_000, TS + 8_000)
    delivery = Delivery(0.75, TS + 5_500, TS + 9_000, "0.1.0", journey)
    assert {
        "id": f"kraken:SOL~USD:momentum:1:{TS}",
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
        "first": {"ts": "2024-08-08T23:54:14.000000Z", "id": "1152921504606846977"},
        "last": {"ts": "2024-08-08T23:54:14.999999Z", "id": "1152921504606846983"},
        "parameters": {"fast": 12},
        "parameters_version": 3,
        "code_version": "0.1.0",
        "warm": True,
        "coverage": 0.75,
        "received_at": "2024-08-08T23:54:15.005500Z",
        "committed_at": "2024-08-08T23:54:15.009000Z",
        "latency_ms": {
            "venue_to_received": 4.5,
            "received_to_committed": 0.5,
            "committed_to_claimed": 2.0,
            "claimed_to_computed": 1.0,
        },
    } == msgspec.json.decode(signal_text(NAME, signal, delivery))


def test_a_bar_keeps_every_digit_of_a_double() -> None:
    bar = Bar(SECOND, TS, 0.1, 0.3, 0.1, 0.30000000000000004, 1e-08, 2.0, 1.0, 1.0, 3)
    told = msgspec.json.decode(bar_text(NAME, bar, 0.5, "live"))
    assert (0.30000000000000004, 1e-08, "1s", True, 0.5) == (
        told["close"],
        told["volume"],
        told["interval"],
        told["final"],
        told["coverage"],
    )


def test_a_gap_says_what_is_missing_and_what_became_of_it() -> None:
    gap = Gap(
        gap_id=3,
        instrument_id=7,
        kind=TRADES,
        cause=Cause.RECONNECT,
        state=GapState.HEALING,
        from_ts=TS,
        to_ts=TS + SECOND,
        after_id=9_007_199_254_740_993,
        before_id=None,
        job_id=1,
        opened_at=TS + 2 * SECOND,
        closed_at=None,
        detail="",
    )
    told = gap_change(NAME, gap, TS + 5)
    assert (7, Family.COVERAGE, TS + 5, 3, 1) == (
        told.instrument_id,
        told.family,
        told.ts,
        told.id,
        told.count,
    )
    assert {
        "exchange": "kraken",
        "symbol": "SOL/USD",
        "gap_id": 3,
        "kind": "trades",
        "cause": "reconnect",
        "state": "healing",
        "from_ts": "2024-08-08T23:54:15.000000Z",
        "to_ts": "2024-08-08T23:54:16.000000Z",
        "after_id": "9007199254740993",
        "before_id": None,
        "opened_at": "2024-08-08T23:54:17.000000Z",
        "closed_at": None,
        "detail": "",
    } == msgspec.json.decode(told.data)
