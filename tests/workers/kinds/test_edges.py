from collections.abc import Iterable, Sequence
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from market.signals import Direction
from market.times import SECOND
from workers.kinds.edges import IN_FORCE, MEMORY, WINDOW, Edges, Phase, Thresholds, symmetric

UP, DOWN, ENDED = Direction.UP, Direction.DOWN, Direction.ENDED
THRESHOLDS = symmetric(enter=2.0, leave=1.0)
MINUTE_ZERO = 1_000 * WINDOW

Values = Sequence[tuple[int, float]]
Told = list[tuple[int, Direction]]


def told(values: Iterable[tuple[int, float]], thresholds: Thresholds = THRESHOLDS) -> Told:
    edges, out = Edges(), []
    for ts, value in values:
        edges, direction = edges.step(thresholds, ts, value)
        if direction:
            out.append((ts, direction))
    return out


def at_seconds(*pairs: tuple[int, float]) -> list[tuple[int, float]]:
    return [(MINUTE_ZERO + second * SECOND, value) for second, value in pairs]


def told_at_seconds(*pairs: tuple[int, float]) -> list[tuple[int, Direction]]:
    return [((ts - MINUTE_ZERO) // SECOND, direction) for ts, direction in told(at_seconds(*pairs))]


def test_a_condition_is_told_when_it_begins_and_when_it_ends_and_never_between() -> None:
    assert told_at_seconds((0, 0.0), (1, 2.0), (2, 2.5), (3, 1.5), (4, 1.0), (5, 0.0)) == [
        (1, UP),
        (4, ENDED),
    ]


def test_downwards_mirrors_upwards() -> None:
    assert told_at_seconds((0, 0.0), (1, -2.0), (2, -1.5), (3, -1.0)) == [(1, DOWN), (3, ENDED)]


def test_between_leaving_and_entering_nothing_begins() -> None:
    assert told_at_seconds((0, 0.0), (1, 1.5), (2, 1.9), (3, -1.9)) == []


def test_a_condition_that_was_there_before_the_first_value_is_not_told_nor_its_end() -> None:
    assert told_at_seconds((0, 3.0), (1, 3.0), (2, 0.0)) == []


def test_a_second_beginning_in_one_minute_is_not_told_nor_its_end() -> None:
    flips = ((0, 0.0), (1, 2.0), (2, 0.0), (30, 2.0), (59, 0.0))
    assert told_at_seconds(*flips) == [(1, UP), (2, ENDED)]


def test_the_next_minute_tells_a_beginning_again() -> None:
    flips = ((0, 0.0), (58, 2.0), (59, 0.0), (60, 2.0))
    assert told_at_seconds(*flips) == [(58, UP), (59, ENDED), (60, UP)]


def test_the_opposite_beginning_stands_for_the_end() -> None:
    assert told_at_seconds((0, 0.0), (1, 2.0), (61, -2.0), (62, 0.0)) == [(1, UP), (61, DOWN), (62, ENDED)]


def test_an_opposite_that_the_cooldown_hides_still_ends_what_was_told() -> None:
    assert told_at_seconds((0, 0.0), (1, 2.0), (5, -2.0), (7, 0.0)) == [(1, UP), (5, ENDED)]


def test_a_condition_that_goes_on_over_minutes_is_ended_when_it_ends() -> None:
    going_on = [(second, 3.0) for second in range(1, 200)]
    assert told_at_seconds((0, 0.0), *going_on, (200, 0.0)) == [(1, UP), (200, ENDED)]


def test_a_beginning_older_than_five_minutes_is_not_ended() -> None:
    going_on = [(second, 3.0) for second in range(1, 300)]
    assert told_at_seconds((0, 0.0), *going_on, (300, 0.0)) == [(1, UP)]


def test_one_instant_counts_its_first_value_alone() -> None:
    assert told_at_seconds((0, 0.0), (1, 2.0), (1, 0.0), (1, -2.0), (2, 2.0), (3, 0.0)) == [
        (1, UP),
        (3, ENDED),
    ]


def test_after_a_silence_of_two_minutes_nothing_is_known() -> None:
    assert told_at_seconds((0, 0.0), (1, 2.0), (125, 2.0), (126, 0.0)) == [(1, UP), (126, ENDED)]
    assert told_at_seconds((0, 0.0), (125, 2.0), (126, 0.0)) == []


def test_thresholds_need_not_be_symmetric() -> None:
    ratio = Thresholds(up=2.5, leave_up=1.0, leave_down=1.0, down=0.4)
    values = at_seconds((0, 1.0), (1, 2.5), (2, 1.1), (3, 1.0), (61, 0.4), (62, 0.9), (63, 1.0))
    assert [direction for _, direction in told(values, ratio)] == [UP, ENDED, DOWN, ENDED]


steps = st.sampled_from((0, 1, SECOND, 7 * SECOND, 20 * SECOND, WINDOW, 3 * WINDOW))
tapes = st.lists(st.tuples(steps, st.floats(-3.0, 3.0)), max_size=120).map(
    lambda pairs: list(
        zip(
            accumulate((gap for gap, _ in pairs), initial=MINUTE_ZERO),
            (value for _, value in pairs),
            strict=False,
        )
    )
)


@given(tapes, st.data())
def test_what_lies_further_back_than_the_memory_changes_nothing(values: Values, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(values)))
    if 0 < first < len(values) and values[first][0] == values[first - 1][0]:
        first = len(values)  # an instant is not cut
    start = values[first][0] if first < len(values) else 0
    assert settled(told(values[first:]), start) == (
        settled(told(values), start) if first < len(values) else []
    )


def settled(edges: Told, start: int) -> Told:
    return [edge for edge in edges if edge[0] >= start + MEMORY]


@given(tapes)
def test_beginnings_are_those_of_a_condition_folded_since_the_start_of_the_last_minute(
    values: Values,
) -> None:
    assert [edge for edge in told(values) if edge[1] != ENDED] == beginnings(first_of_each_instant(values))


def first_of_each_instant(values: Values) -> Values:
    return list({ts: (ts, value) for ts, value in reversed(values)}.values())[::-1]


def beginnings(values: Values) -> Told:
    """Say by definition, without carrying any state from one value to the next."""
    out: Told = []
    for position, (ts, _) in enumerate(values):
        known = [value for other, value in values[: position + 1] if other // WINDOW >= ts // WINDOW - 1]
        phase, before = phase_after(known), phase_after(known[:-1])
        begins = phase not in (before, Phase.CALM) and before is not Phase.FRESH
        if begins and not (out and out[-1][0] // WINDOW == ts // WINDOW):
            out.append((ts, UP if phase is Phase.UP else DOWN))
    return out


def phase_after(values: Sequence[float]) -> Phase:
    phase = Phase.FRESH
    for value in values:
        phase = THRESHOLDS.phase(phase, value)
    return phase


@given(tapes)
def test_every_end_follows_a_beginning_that_is_in_force(values: Values) -> None:
    begun = None
    for ts, direction in told(values):
        if direction is ENDED:
            assert begun is not None
            assert ts // WINDOW - begun // WINDOW < IN_FORCE
        begun = None if direction is ENDED else ts


@given(tapes)
def test_an_instant_tells_at_most_one_edge(values: Values) -> None:
    instants = [ts for ts, _ in told(values)]
    assert instants == sorted(set(instants))


def test_longer_windows_tell_the_same_of_values_that_lie_as_much_further_apart() -> None:
    values = [(0, 0.0), (40, 2.5), (70, 1.5), (80, 0.0), (85, 3.0), (130, 2.5), (200, 0.0), (210, -2.0)]
    longer = symmetric(enter=2.0, leave=1.0)
    longer = Thresholds(longer.up, longer.leave_up, longer.leave_down, longer.down, 10 * WINDOW)
    scaled = [(10 * ts, value) for ts, value in at_seconds(*values)]
    assert [(10 * ts, edge) for ts, edge in told(at_seconds(*values))] == told(scaled, longer)
