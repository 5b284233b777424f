import gzip
import json
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.bars import INTERVALS, Bar
from market.depths import Depth
from market.gaps import TRADES
from market.signals import Direction, Signal
from market.ticks import BEFORE_ALL, Kind, Place
from market.times import HOUR, MINUTE, SECOND, floor
from market.trades import Trade
from market.watermarks import Watermark
from tests.workers.kinds.tapes import START, depth, quote, random_tape, received, told_of, trade, watermark
from workers import stored_states
from workers.folding import Folded, Folder, Tick
from workers.kinds.catalogue import KINDS
from workers.kinds.closes import left_sum
from workers.kinds.flow import Flow
from workers.kinds.fold import AnyFold, Input
from workers.kinds.pressure import Pressure
from workers.snapshots import SNAPSHOT_EVERY, SNAPSHOTS_KEPT

FOLDER = Folder(KINDS)
BARS_ALONE = Folder(())


def folded(ticks: Sequence[Tick], folder: Folder = BARS_ALONE) -> Folded:
    return folder.fold(folder.start(), ticks)


def closed(ticks: Sequence[Tick]) -> list[tuple[int, int]]:
    return [(final.bar.interval, final.bar.start) for final in folded(ticks).bars]


# Bars


def test_a_bar_is_not_final_while_event_time_lies_within_it() -> None:
    assert closed([trade(START), trade(START + SECOND - 1)]) == []


@pytest.mark.parametrize("tick", [trade, watermark])
def test_a_trade_or_a_watermark_closes_what_ended_by_then(tick: Callable[[int], Tick]) -> None:
    final = folded([trade(START), tick(START + SECOND)]).bars
    assert [(bar.bar.start, bar.received_at) for bar in final] == [(START, received(START + SECOND))]


@pytest.mark.parametrize("tick", [quote, depth])
def test_a_book_closes_nothing_because_trades_are_told_later(tick: Callable[[int], Tick]) -> None:
    assert closed([trade(START), tick(START + SECOND), tick(START + MINUTE)]) == []


def test_bars_that_close_at_one_instant_come_shortest_first() -> None:
    assert closed([trade(START + 50 * SECOND), trade(START + HOUR)]) == [
        (SECOND, START + 50 * SECOND),
        (MINUTE, START),
        (5 * MINUTE, START - 4 * MINUTE),
        (HOUR, START - 54 * MINUTE),
    ]


def test_an_interval_without_trades_has_no_bar() -> None:
    quiet = [watermark(START + second * SECOND) for second in range(1, 5)]
    assert closed([trade(START), *quiet, trade(START + 5 * SECOND), watermark(START + 6 * SECOND)]) == [
        (SECOND, START),
        (SECOND, START + 5 * SECOND),
    ]


def test_trades_of_one_instant_are_folded_by_their_ids() -> None:
    ticks: list[Tick] = [
        trade(START, price=10.0, trade_id=1),
        trade(START, price=11.0, trade_id=2),
        watermark(START + SECOND),
    ]
    bar = folded(ticks).bars[0].bar
    assert (bar.open, bar.close) == (10.0, 11.0)


def test_a_longer_bar_is_folded_from_trades_and_not_from_shorter_bars() -> None:
    sizes = (0.1, 0.7, 0.2, 0.3)
    ticks = [trade(START + number * SECOND // 2, size=size) for number, size in enumerate(sizes)]
    minute = folded([*ticks, watermark(START + MINUTE)]).bars[-1].bar
    assert minute.volume == ((0.1 + 0.7) + 0.2) + 0.3 != (0.1 + 0.7) + (0.2 + 0.3)


def test_the_state_holds_the_running_bars() -> None:
    running = folded([trade(START + MINUTE - 1, price=1.0), trade(START + MINUTE, price=2.0)]).state.running
    assert [(bar.interval, bar.open) for bar in running if bar] == [
        (SECOND, 2.0),
        (MINUTE, 2.0),
        (5 * MINUTE, 2.0),
        (HOUR, 1.0),
    ]


def test_the_cursor_is_the_place_of_the_last_tick() -> None:
    assert (
        folded([trade(START, trade_id=4), watermark(START + 1)]).state.cursor == watermark(START + 1).tape_key
    )
    assert folded([]).state == BARS_ALONE.start()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["usdm_btcusdt_20240808.gz", "spot_btcusdt_20240808.gz"])
def test_bars_of_a_recorded_tape_are_those_of_their_definition(recordings: Path, name: str) -> None:
    trades = recorded_trades(recordings / "hftbacktest" / name)
    final = [bar.bar for bar in folded([*trades, watermark(trades[-1].ts + HOUR)]).bars]
    for interval in INTERVALS.values():
        assert [bar for bar in final if bar.interval == interval] == defined_bars(trades, interval)


@pytest.mark.slow
def test_six_recorded_minutes_tell_a_few_signals_of_every_kind_of_bars(recordings: Path) -> None:
    trades = recorded_trades(recordings / "hftbacktest" / "usdm_btcusdt_20240808.gz")
    signals = folded(trades, FOLDER).signals
    assert Counter(each.signal.kind for each in signals) == {
        "momentum": 5,
        "rsi": 8,
        "reversion": 6,
        "flow": 6,
    }


def recorded_trades(path: Path) -> list[Trade]:
    with gzip.open(path, "rt") as lines:
        frames = [json.loads(line.split(" ", 1)[1]) for line in lines]
    found = [frame["data"] for frame in frames if frame.get("stream", "").endswith("@trade")]
    trades = [trade(t["T"] * 1000, float(t["p"]), float(t["q"]), 1 - 2 * t["m"], t["t"]) for t in found]
    return sorted(trades, key=lambda tick: tick.tape_key)


def defined_bars(trades: Sequence[Trade], interval: int) -> list[Bar]:
    bars = []
    for start, group in groupby(trades, key=lambda tick: floor(tick.ts, interval)):
        inside = list(group)
        prices = [tick.price for tick in inside]
        bars.append(
            Bar(
                interval,
                start,
                prices[0],
                max(prices),
                min(prices),
                prices[-1],
                left_sum([tick.size for tick in inside]),
                left_sum([tick.price * tick.size for tick in inside]),
                left_sum([tick.size for tick in inside if tick.side > 0]),
                left_sum([tick.size for tick in inside if tick.side < 0]),
                len(inside),
            )
        )
    return bars


# Signals


def test_a_signal_of_bars_is_received_with_the_tick_that_closed_its_bar() -> None:
    balanced = [trade(START + number * SECOND // 2, side=1 - 2 * (number % 2)) for number in range(60)]
    burst = trade(START + 30 * SECOND, size=90.0)
    closer = watermark(START + 40 * SECOND)
    decided = folded([*balanced, burst, closer], Folder([Flow()])).signals
    assert [(each.signal.ts, each.signal.direction) for each in decided] == [
        (START + 31 * SECOND, Direction.UP)
    ]
    assert [each.received_at for each in decided] == [closer.received_at]


def test_a_signal_of_depths_is_received_with_its_depth() -> None:
    ticks = [depth(START), depth(START + 9, bids=3.0), depth(START + 12, bids=1.0)]
    decided = folded(ticks, Folder([Pressure()])).signals
    assert [(each.signal.ts, each.received_at) for each in decided] == [
        (START + 9, received(START + 9)),
        (START + 12, received(START + 12)),
    ]


@pytest.mark.parametrize("fold", KINDS, ids=lambda fold: fold.kind)
def test_a_kind_tells_the_same_alone_as_among_others(fold: AnyFold) -> None:
    tape = random_tape(seed=5, seconds=900)
    together = [each.signal for each in folded(tape, FOLDER).signals if each.signal.kind == fold.kind]
    assert together == [each.signal for each in folded(tape, Folder([fold])).signals]
    assert [as_decided(signal) for signal in together] == told_of(fold, items_of(fold, tape))


def as_decided(signal: Signal) -> Signal:
    """Return a signal without what the kind that decided it needs not know."""
    return msgspec.structs.replace(signal, first=None, last=None, parameters={}, source=TRADES)


def test_a_signal_names_the_first_and_the_last_tick_of_its_input() -> None:
    tape = random_tape(seed=5, seconds=900)
    for signal in [each.signal for each in folded(tape, FOLDER).signals]:
        assert (signal.first, signal.last) == ends_of_input(signal, tape), signal


def ends_of_input(signal: Signal, tape: Sequence[Tick]) -> tuple[Place, Place]:
    """Look through the whole tape; a depth is measured alone, the first of its instant."""
    if signal.from_ts == signal.to_ts:
        depth = next(tick for tick in tape if isinstance(tick, Depth) and tick.ts == signal.ts)
        return Place(depth.ts, depth.update_id), Place(depth.ts, depth.update_id)
    trades = [t for t in tape if isinstance(t, Trade) and signal.from_ts <= t.ts < signal.to_ts]
    return Place(trades[0].ts, trades[0].trade_id), Place(trades[-1].ts, trades[-1].trade_id)


def test_a_signal_carries_the_parameters_of_its_kind() -> None:
    parameters = {fold.kind: fold.parameters for fold in KINDS}
    signals = [each.signal for each in folded(random_tape(seed=5, seconds=900), FOLDER).signals]
    assert {kind: dict(numbers) for kind, numbers in parameters.items()} == {
        signal.kind: signal.parameters for signal in signals
    }


def test_a_signal_is_decided_by_the_tick_that_closed_its_bar_or_by_its_depth() -> None:
    tape = random_tape(seed=5, seconds=900)
    closing = [tick for tick in tape if isinstance(tick, Trade | Watermark)]
    for each in folded(tape, FOLDER).signals:
        if each.signal.from_ts == each.signal.to_ts:
            assert each.decided_by[:2] == (each.signal.ts, Kind.DEPTH)
        else:
            assert each.decided_by == next(t.tape_key for t in closing if t.ts >= each.signal.ts)


def items_of(fold: AnyFold, tape: Sequence[Tick]) -> list[object]:
    if fold.input is Input.DEPTH:
        return [tick for tick in tape if isinstance(tick, Depth)]
    return [final.bar for final in folded(tape).bars if final.bar.interval == SECOND]


# Determinism


@pytest.mark.slow
@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.floats(0.0, 1.0), max_size=6))
def test_the_same_comes_out_however_the_tape_is_cut(seed: int, cuts: list[float]) -> None:
    tape = random_tape(seed, seconds=600)
    assert folded_in_parts(tape, [int(cut * len(tape)) for cut in sorted(cuts)]) == folded(tape, FOLDER)


@pytest.mark.slow
@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), other=st.integers(0, 10_000), cut=st.floats(0.0, 1.0))
def test_nothing_that_is_told_by_a_cut_depends_on_what_follows(seed: int, other: int, cut: float) -> None:
    tape = random_tape(seed, seconds=600)
    before = tape[: int(cut * len(tape))]
    last = before[-1].tape_key if before else BEFORE_ALL
    for follows in (tape, random_tape(other, seconds=600)):
        made = folded([*before, *(tick for tick in follows if tick.tape_key > last)], FOLDER)
        known = folded(before, FOLDER)
        for field in ("bars", "signals", "indicators", "failures"):
            told = getattr(known, field)
            assert told == getattr(made, field)[: len(told)]


@pytest.mark.slow
def test_the_same_comes_out_tick_by_tick() -> None:
    tape = random_tape(seed=11, seconds=600)
    assert folded_in_parts(tape, range(len(tape))) == folded(tape, FOLDER)


def folded_in_parts(tape: Sequence[Tick], cuts: Sequence[int]) -> Folded:
    """Fold each part onto the stored state of the one before, and join what came out."""
    whole = Folded(FOLDER.start(), [], [], [], [])
    for first, last in pairwise((0, *cuts, len(tape))):
        part = FOLDER.fold(
            stored_states.decode(FOLDER, stored_states.encode(FOLDER, whole.state)), tape[first:last]
        )
        whole = Folded(
            part.state,
            whole.bars + part.bars,
            whole.signals + part.signals,
            (whole.snapshots + part.snapshots)[-SNAPSHOTS_KEPT:],
            whole.failures + part.failures,
            whole.indicators + part.indicators,
        )
    return whole


@pytest.mark.slow
@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_going_on_from_a_snapshot_comes_to_the_same(seed: int) -> None:
    tape = random_tape(seed, seconds=400)
    whole = folded(tape, FOLDER)
    for snapshot in whole.snapshots:
        again = FOLDER.fold(snapshot, [tick for tick in tape if tick.tape_key > snapshot.cursor])
        assert again.state == whole.state
        assert again.signals == whole.signals[len(whole.signals) - len(again.signals) :]


def test_folding_leaves_the_state_that_it_began_with_as_it_was() -> None:
    tape = random_tape(seed=4, seconds=500)
    half = folded(tape[: len(tape) // 2], FOLDER).state
    before = stored_states.encode(FOLDER, half)
    FOLDER.fold(half, tape[len(tape) // 2 :])
    assert stored_states.encode(FOLDER, half) == before


# Snapshots


def test_a_snapshot_is_the_state_before_event_time_enters_another_tenth_of_a_second() -> None:
    ticks = [trade(START), trade(START + 1), trade(START + SNAPSHOT_EVERY), trade(START + SNAPSHOT_EVERY + 1)]
    assert folded(ticks).snapshots == [BARS_ALONE.start(), folded(ticks[:2]).state]


def test_snapshots_reach_back_two_seconds_and_not_much_further() -> None:
    ticks = [trade(START + number * SECOND // 100) for number in range(1_000)]
    made = folded(ticks)
    assert len(made.snapshots) == SNAPSHOTS_KEPT
    assert 2 * SECOND <= made.state.cursor.ts - made.snapshots[0].cursor.ts < 2.3 * SECOND
