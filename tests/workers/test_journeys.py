from market.batches import Batch, Span
from market.signals import Direction, Signal
from market.ticks import Kind, TapeKey
from workers.folding import DecidedSignal
from workers.journeys import Journeys

T = 1_723_161_255_000_000


def decided_by(key: TapeKey) -> DecidedSignal:
    signal = Signal(
        kind="rsi",
        version=1,
        ts=T,
        direction=Direction.UP,
        strength=0.5,
        confidence=1.0,
        price=1.0,
        evidence={},
        from_ts=T,
        to_ts=T,
    )
    return DecidedSignal(signal, key.ts + 7, key)


def batch(seq: int, stored_at: int, *spans: Span) -> Batch:
    return Batch(0, 1, seq, {5: list(spans)}, stored_at)


def test_a_journey_goes_from_the_venue_to_the_claim() -> None:
    trades = Span(Kind.TRADE, T, 10, T + 5, 12, 3)
    journeys = Journeys([batch(1, T + 50), batch(2, T + 60, trades)], claimed_at=T + 70)
    journey = journeys.of(5, decided_by(TapeKey(T + 5, Kind.TRADE, 11)))
    assert (T + 5, T + 12, T + 60, T + 70) == (
        journey.ts,
        journey.received_at,
        journey.stored_at,
        journey.claimed_at,
    )


def test_a_tick_that_was_claimed_before_does_not_know_when_it_was_committed() -> None:
    depths = Span(Kind.DEPTH, T, 10, T + 5, 12, 3)
    journeys = Journeys([batch(1, T + 50, depths)], claimed_at=T + 70)
    for key in (TapeKey(T + 5, Kind.TRADE, 11), TapeKey(T + 6, Kind.DEPTH, 1)):
        journey = journeys.of(5, decided_by(key))
        assert journey.stored_at is None
        assert {"received_to_committed": None, "committed_to_claimed": None} == {
            leg: taken for leg, taken in journey.latency_ms(T + 80).items() if taken is None
        }
