"""An explanation decides the same again, out of the ticks that are stored."""

from functools import cache

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.signals import Direction, Signal
from market.times import SECOND
from market.trades import Trade
from tests.workers.kinds.tapes import random_tape
from tests.workers.tapes import ListedTape
from workers.explaining import explained
from workers.folding import Folder, Tick
from workers.kinds.catalogue import KINDS

MANY = 100_000


@cache
def told_of(seed: int) -> tuple[list[Tick], list[Signal]]:
    tape, folder = random_tape(seed, seconds=1500), Folder(KINDS)
    return tape, [each.signal for each in folder.fold(folder.start(), tape).signals]


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 3), st.floats(0, 1, exclude_max=True))
async def test_every_signal_is_decided_again(seed: int, share: float) -> None:
    tape, signals = told_of(seed)
    signal = signals[int(share * len(signals))]
    explanation = await explained(ListedTape(tape), signal, MANY)
    assert (signal, True) == (explanation.recomputed, explanation.equals(signal))


@pytest.mark.parametrize("kind", [fold.kind for fold in KINDS])
async def test_the_ticks_bars_and_steps_are_those_of_its_input(kind: str) -> None:
    tape, signals = told_of(1)
    signal = next(each for each in signals if each.kind == kind)
    made = await explained(ListedTape(tape), signal, MANY)
    assert len(made.ticks) == made.ticks_total
    assert [signal.first, signal.last] == [made.ticks[at].tape_key[::2] for at in (0, -1)]
    assert sum(bar.trades for bar in made.bars) == sum(isinstance(tick, Trade) for tick in made.ticks)
    last = made.measured[-1]
    assert (signal.ts, signal.direction) == (last.ts, last.told)
    assert (signal.strength, signal.evidence) == (last.strength, last.evidence)
    assert last.value is not None
    assert last.phase in ("up", "down", "calm")


async def test_only_the_newest_are_shown_of_many() -> None:
    tape, signals = told_of(1)
    signal = next(each for each in signals if each.kind == "rsi")
    whole, cut = [await explained(ListedTape(tape), signal, at_most) for at_most in (MANY, 3)]
    assert (whole.ticks[-3:], whole.measured[-3:]) == (cut.ticks, cut.measured)
    assert (whole.ticks_total, whole.measured_total) == (cut.ticks_total, cut.measured_total)
    assert cut.equals(signal)


async def test_a_tape_that_lacks_a_trade_decides_something_else() -> None:
    tape, signals = told_of(1)
    signal = next(each for each in signals if each.kind == "flow")
    lacking = [tick for tick in tape if not (isinstance(tick, Trade) and tick.tape_key[::2] == signal.last)]
    assert (await explained(ListedTape(lacking), signal, 1)).equals(signal) is False


async def test_what_was_never_decided_is_not_decided_again() -> None:
    tape, signals = told_of(1)
    signal = next(each for each in signals if each.kind == "rsi" and each.direction is Direction.UP)
    shifted = msgspec.structs.replace(signal, ts=signal.ts + SECOND, to_ts=signal.to_ts + SECOND)
    made = await explained(ListedTape(tape), shifted, 1)
    assert (None, False) == (made.recomputed, made.equals(shifted))


async def test_a_kind_of_another_version_is_not_computed_but_says_why() -> None:
    tape, signals = told_of(1)
    older = msgspec.structs.replace(signals[0], version=0)
    made = await explained(ListedTape(tape), older, 1)
    assert made.equals(older) is None
    assert made.reason.startswith(f"{older.kind} 0 is not computed here: momentum 2, ")


async def test_the_stored_parameters_are_those_that_are_used() -> None:
    tape, signals = told_of(1)
    signal = next(each for each in signals if each.kind == "rsi" and each.direction is Direction.UP)
    other = msgspec.structs.replace(signal, parameters={**signal.parameters, "oversold": 1.0})
    assert (await explained(ListedTape(tape), other, 1)).recomputed is None
