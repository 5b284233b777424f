"""Which parameters a kind is computed with is a function of event time alone."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import InvalidInputError
from market.parameters import Chosen
from market.signals import Signal
from market.times import MINUTE, SECOND
from tests.workers.kinds.tapes import START, random_tape
from tests.workers.tapes import ListedTape
from workers import stored_states
from workers.eras import Timelines
from workers.explaining import explained
from workers.folding import DecidedSignal, Folded, Folder, Tick
from workers.kinds.catalogue import BUILT_IN, changed
from workers.kinds.pressure import Pressure
from workers.kinds.rsi import Rsi
from workers.kinds.trying import try_out
from workers.recomputing import recompute

pytestmark = pytest.mark.slow

INSTRUMENT = 1
SECONDS = 2400
CHANGED_AT = START + 10 * MINUTE
OTHER = {"period": 7, "oversold": 40.0, "leave_oversold": 45.0, "overbought": 60.0, "leave_overbought": 55.0}
WIDE = {"up": 1.5, "down": 0.7}


def chosen(number: int, kind: str, from_ts: int, numbers: dict[str, int | float]) -> Chosen:
    return Chosen(
        parameters_id=number,
        instrument_id=INSTRUMENT,
        kind=kind,
        version=number,
        from_ts=from_ts,
        numbers=numbers,
        set_at=0,
    )


def folder_with(*choices: Chosen) -> Folder:
    folder = Folder(BUILT_IN)
    assert folder.timelines.learn(choices) == []
    return folder


def changing() -> Folder:
    return folder_with(chosen(1, "rsi", CHANGED_AT, OTHER), chosen(1, "pressure", CHANGED_AT, WIDE))


def folded(folder: Folder, tape: Sequence[Tick]) -> Folded:
    return folder.fold(folder.start(), tape)


def told(made: Folded, kind: str, from_ts: int = 0) -> list[Signal]:
    return [each.signal for each in made.signals if each.signal.kind == kind and each.signal.ts >= from_ts]


@pytest.mark.parametrize(("own", "numbers"), [(Rsi(), OTHER), (Pressure(), WIDE)], ids=["rsi", "pressure"])
def test_parameters_count_from_their_event_time_on(own: Rsi | Pressure, numbers: dict[str, float]) -> None:
    tape = random_tape(3, SECONDS)
    kind, made = own.kind, folded(changing(), tape)
    before = [each for each in told(made, kind) if each.ts < CHANGED_AT]
    assert (
        [each for each in told(folded(Folder(BUILT_IN), tape), kind) if each.ts < CHANGED_AT] == before != []
    )
    other = changed(own, numbers)
    begun = [tick for tick in tape if tick.ts >= CHANGED_AT - SECOND]
    anew = told(folded(Folder([other]), tape), kind, CHANGED_AT + 12 * MINUTE)
    after = told(made, kind, CHANGED_AT + 12 * MINUTE)
    assert begun
    assert [(each.ts, each.evidence) for each in anew] == [(each.ts, each.evidence) for each in after] != []
    assert {1} == {each.parameters_version for each in after}
    assert {0} == {each.parameters_version for each in before}
    assert all(each.parameters == other.parameters for each in after)


def test_other_kinds_and_other_instruments_are_as_they_were() -> None:
    tape = random_tape(3, SECONDS)
    plain, made = folded(Folder(BUILT_IN), tape), folded(changing(), tape)
    assert told(plain, "momentum") == told(made, "momentum") != []
    elsewhere = folder_with(
        Chosen(
            parameters_id=1,
            instrument_id=INSTRUMENT + 1,
            kind="rsi",
            version=1,
            from_ts=START,
            numbers={**OTHER},
            set_at=0,
        )
    )
    assert plain.signals == folded(elsewhere, tape).signals


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 3), cuts=st.lists(st.floats(0.0, 1.0), max_size=5))
def test_the_same_comes_out_however_the_tape_is_cut_and_stored(seed: int, cuts: list[float]) -> None:
    folder, tape = changing(), random_tape(seed, 1200)
    whole, state = folded(folder, tape), folder.start()
    signals: list[DecidedSignal] = []
    places = [0, *sorted(int(cut * len(tape)) for cut in cuts), len(tape)]
    for start, end in pairwise(places):
        made = folder.fold(stored_states.decode(folder, stored_states.encode(folder, state)), tape[start:end])
        state, signals = made.state, [*signals, *made.signals]
    assert (whole.state, whole.signals) == (state, signals)


def test_of_those_that_have_begun_the_one_that_was_said_last_counts() -> None:
    timelines = Timelines(BUILT_IN)
    timelines.learn(
        [
            chosen(1, "rsi", 100, {"period": 5}),
            chosen(2, "rsi", 300, {"period": 6}),
            chosen(3, "rsi", 200, {"period": 7}),
        ]
    )
    eras = timelines.of(INSTRUMENT)
    assert eras is not None
    assert [0, 1, 3, 3] == [eras.at(Rsi(), ts).version for ts in (99, 100, 200, 300)]
    assert [100, 200] == [eras.until([Rsi()], ts) for ts in (0, 100)]
    assert 3 == timelines.newest


def test_what_cannot_be_used_here_is_said_and_left_out() -> None:
    timelines = Timelines(BUILT_IN)
    [refusal] = timelines.learn([chosen(1, "gone", 0, {"a": 1}), chosen(2, "rsi", 0, {"periods": 7})])
    assert "rsi has no parameter 'periods'" in refusal
    assert timelines.of(INSTRUMENT) is None


@pytest.mark.parametrize("from_second", [590, 640, 900, 1900])
async def test_a_stretch_is_computed_again_with_the_parameters_of_its_time(from_second: int) -> None:
    tape, folder = random_tape(3, SECONDS), changing()
    from_ts = START + from_second * SECOND
    to_ts = from_ts + 5 * MINUTE
    again = await recompute(folder, ListedTape(tape), from_ts, to_ts, settled_ts=START + 10**4 * SECOND)
    whole = [each.signal for each in folded(folder, tape).signals]
    assert [each for each in whole if from_ts <= each.ts < to_ts] == [each.signal for each in again.signals]


async def test_every_signal_is_explained_with_the_parameters_of_its_time() -> None:
    tape = random_tape(3, SECONDS)
    for kind in ("rsi", "pressure"):
        for signal in told(folded(changing(), tape), kind):
            begins = CHANGED_AT if signal.parameters_version else 0
            assert (await explained(ListedTape(tape), signal, 1, begins=begins)).equals(signal), signal


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        ({"period": 0}, "ZeroDivisionError"),
        ({"period": 1000}, "it would remember 8000 items"),
        ({"oversold": 80}, "a condition would begin before it ends"),
        ({"period": 2.5}, "Expected `int`"),
        ({"periods": 5}, "rsi has no parameter 'periods'"),
    ],
    ids=str,
)
def test_parameters_that_make_no_sense_are_refused(numbers: dict[str, float], why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        try_out(changed(Rsi(), numbers))


@pytest.mark.parametrize("fold", BUILT_IN, ids=lambda fold: fold.kind)
def test_the_kinds_own_parameters_make_sense(fold: Rsi) -> None:
    try_out(fold)
