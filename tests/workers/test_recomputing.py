"""What is computed again of a stretch of a tape is what folding the whole of it gives there."""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.bars import Bar
from market.signals import Signal
from market.times import MINUTE, SECOND
from tests.workers.kinds.tapes import START, random_tape, trade
from tests.workers.tapes import ListedTape
from workers import stored_states
from workers.folding import Folded, Folder, Tick
from workers.kinds.catalogue import KINDS
from workers.recomputing import Effects, Recomputed, recompute
from workers.silences import Silence

SECONDS = 2400
FOLDER = Folder(KINDS)
END = START + 10 * SECONDS * SECOND

seeds = st.integers(0, 5)
places = st.integers(0, SECONDS * SECOND)
lengths = st.one_of(st.integers(1, 5 * SECOND), st.integers(1, 10 * MINUTE))


@cache
def whole(seed: int) -> tuple[list[Tick], Folded]:
    tape = random_tape(seed, SECONDS)
    return tape, FOLDER.fold(FOLDER.start(), tape)


def cut(tape: Sequence[Tick], from_ts: int, to_ts: int) -> list[Tick]:
    return [tick for tick in tape if not from_ts <= tick.ts < to_ts]


def within(made: Recomputed, bar: Bar) -> bool:
    return made.ranges[bar.interval].from_ts <= bar.start < made.ranges[bar.interval].to_ts


def content(made: Folded | Recomputed) -> tuple[list[Bar], list[Signal]]:
    return [each.bar for each in made.bars], [each.signal for each in made.signals]


async def effects(tape: Sequence[Tick], from_ts: int, to_ts: int, *settled: int) -> Recomputed:
    computing = Effects(FOLDER, ListedTape(tape), from_ts, to_ts)
    for each in settled:
        await computing.follow(each)
    return computing.made()


@pytest.mark.slow
@settings(max_examples=25)
@given(seeds, places, lengths)
async def test_a_stretch_computed_again_is_as_in_the_whole(seed: int, place: int, length: int) -> None:
    tape, folded = whole(seed)
    from_ts, to_ts = START + place, START + place + length
    made = await recompute(FOLDER, ListedTape(tape), from_ts, to_ts, settled_ts=END)
    bars, signals = content(folded)
    assert content(made) == (
        [bar for bar in bars if from_ts <= bar.start and bar.end <= to_ts],
        [signal for signal in signals if from_ts <= signal.ts < to_ts],
    )


@pytest.mark.slow
@settings(max_examples=25)
@given(seeds, places, lengths, st.sampled_from([1, 2]))
async def test_whatever_a_stretch_has_a_say_in_is_computed_with_it(
    seed: int, place: int, length: int, goes: int
) -> None:
    tape, folded = whole(seed)
    from_ts, to_ts = START + place, START + place + length
    stops = (from_ts + length // 2, END)[-goes:]
    made = await effects(tape, from_ts, to_ts, *stops)
    bars, signals = content(folded)
    assert content(made) == (
        [bar for bar in bars if within(made, bar)],
        [signal for signal in signals if made.from_ts <= signal.ts < made.to_ts],
    )
    other_bars, other_signals = content(FOLDER.fold(FOLDER.start(), cut(tape, from_ts, to_ts)))
    if made.state is None:
        assert [b for b in other_bars if not within(made, b)] == [b for b in bars if not within(made, b)]
        assert [s for s in other_signals if not made.from_ts <= s.ts < made.to_ts] == [
            s for s in signals if not made.from_ts <= s.ts < made.to_ts
        ]


@pytest.mark.slow
@settings(max_examples=25)
@given(seeds, places, lengths, st.integers(-5 * SECOND, 20 * MINUTE))
async def test_the_state_at_the_settled_point_goes_on_as_the_whole_does(
    seed: int, place: int, length: int, beyond: int
) -> None:
    tape, folded = whole(seed)
    from_ts, settled = START + place, max(START, START + place + beyond)
    made = await effects(tape, from_ts, from_ts + length, settled)
    if made.state is None:
        return
    state = stored_states.decode(FOLDER, made.state)
    rest = FOLDER.fold(state, [tick for tick in tape if tick.ts >= settled])
    bars, signals = content(folded)
    later_bars, later_signals = content(rest)
    assert later_signals == [signal for signal in signals if signal in later_signals]
    assert content(made)[1] + later_signals == [
        signal for signal in signals if signal.ts >= made.from_ts or signal in later_signals
    ]
    assert later_bars == bars[len(bars) - len(later_bars) :]
    assert rest.state.running == folded.state.running


async def test_what_is_long_forgotten_does_not_reach_the_state() -> None:
    tape = [trade(START + second * SECOND, 100.0 + second % 7) for second in range(5000)]
    made = await effects(tape, START, START + SECOND, START + 4990 * SECOND)
    assert made.state is None
    assert made.to_ts < made.ranges[3600 * SECOND].to_ts + 10 * MINUTE


async def test_a_silent_kind_says_nothing_from_where_it_is_silent() -> None:
    tape, folded = whole(1)
    kind = "flow"
    told = [each.signal for each in folded.signals if each.signal.kind == kind]
    silent_from = told[len(told) // 2].ts
    computing = Effects(FOLDER, ListedTape(tape), START, tape[-1].ts)
    settled = tape[-1].ts + 1
    await computing.follow(settled)
    made = computing.made([Silence(kind, silent_from)])
    assert [signal for signal in told if signal.ts < silent_from] == [
        each.signal for each in made.signals if each.signal.kind == kind
    ]
    assert made.state is not None
    assert stored_states.decode(FOLDER, made.state).kinds[kind] is None
