"""A computation that is told in pieces is told whole, however it is cut."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.times import MINUTE, SECOND
from tests.workers.kinds.tapes import START
from tests.workers.test_recomputing import FOLDER, effects, whole
from workers import stored_states
from workers.decisions import since
from workers.pieces import pieces

pytestmark = pytest.mark.slow


@settings(max_examples=25)
@given(
    seed=st.integers(0, 3),
    place=st.integers(0, 20 * MINUTE),
    length=st.integers(1, 10 * MINUTE),
    settled=st.integers(1, 15 * MINUTE),
    at_once=st.integers(1, 200),
)
async def test_the_pieces_of_a_computation_are_all_of_it_and_none_overlaps(
    seed: int, place: int, length: int, settled: int, at_once: int
) -> None:
    tape, _ = whole(seed)
    from_ts, asked_to = START + place, START + place + length
    made = await effects(tape, from_ts, asked_to, from_ts + settled)
    state = None if made.state is None else stored_states.decode(FOLDER, made.state)
    parts = list(pieces(made, state, asked_to, at_once))
    computed = [part for _, _, part in parts]
    for field in ("bars", "signals", "indicators"):
        told = [each for part in computed for each in getattr(part, field)]
        key = {"bars": lambda each: (each.bar.start, each.bar.interval)}.get(field, repr)
        assert sorted(told, key=key) == sorted(getattr(made, field), key=key)
    assert [made.from_ts, *(part.from_ts for part in computed[1:]), made.to_ts] == [
        *(part.from_ts for part in computed),
        computed[-1].to_ts,
    ]
    assert all(one.to_ts == other.from_ts for one, other in pairwise(computed))
    for interval, of_interval in made.ranges.items():
        ends = [part.ranges[interval] for part in computed]
        assert (of_interval.from_ts, of_interval.to_ts) == (ends[0].from_ts, ends[-1].to_ts)
        assert all(one.to_ts == other.from_ts for one, other in pairwise(ends))
    assert [None] * (len(computed) - 1) + [made.state] == [part.state for part in computed]
    if state is not None:
        undecided = min(since(state).bar_signals, since(state).depth_signals)
        assert all(part.to_ts < undecided for part in computed[:-1])
    assert all(begin < end for begin, end, _ in parts)
    assert (made.from_ts, max(asked_to, computed[-1].from_ts + 1)) == (parts[0][0], parts[-1][1])


async def test_a_piece_is_not_much_more_than_is_told_at_once() -> None:
    tape, _ = whole(1)
    made = await effects(tape, START + MINUTE, START + 11 * MINUTE, START + 30 * MINUTE)
    parts = [part for _, _, part in pieces(made, None, START + 11 * MINUTE)]
    assert len(parts) > 3
    assert all(len(part.bars) + len(part.signals) < 200 for part in parts)
    assert all(part.to_ts % SECOND == 0 for part in parts[:-1])
