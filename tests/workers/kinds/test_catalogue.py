from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.bars import Bar
from market.depths import Depth
from market.signals import Direction, Signal
from tests.workers.kinds.tapes import random_bars, random_depths, told_of
from workers.kinds.catalogue import KINDS
from workers.kinds.fold import AnyFold, Input

every_kind = pytest.mark.parametrize("fold", KINDS, ids=lambda fold: fold.kind)
SECONDS = 1_500
SIGNALS_PAGE = Path(__file__).parents[3] / "docs" / "signals.md"


def items_of(fold: AnyFold, seed: int) -> Sequence[Bar | Depth]:
    return random_bars(seed, SECONDS) if fold.input is Input.BARS else random_depths(seed, SECONDS)


def ts_of(item: Bar | Depth) -> int:
    return item.end if isinstance(item, Bar) else item.ts


def test_kinds_have_names_of_their_own() -> None:
    assert [fold.kind for fold in KINDS] == ["momentum", "rsi", "reversion", "flow", "pressure"]


@every_kind
def test_a_random_tape_tells_every_direction(fold: AnyFold) -> None:
    signals = [signal for seed in range(4) for signal in told_of(fold, items_of(fold, seed))]
    assert {signal.direction for signal in signals} == set(Direction)


@every_kind
def test_a_signal_is_sound(fold: AnyFold) -> None:
    for signal in told_of(fold, items_of(fold, seed=1)):
        assert (signal.kind, signal.version) == (fold.kind, fold.version)
        assert -1.0 <= signal.strength <= 1.0
        assert (signal.strength >= 0) == (
            signal.direction is Direction.UP
        ) or signal.direction is Direction.ENDED
        assert 0.0 <= signal.confidence <= 1.0
        assert all(isfinite(number) for number in (signal.price, *signal.evidence.values()))
        assert signal.from_ts <= signal.to_ts == signal.ts


@every_kind
def test_every_parameter_is_a_number_and_makes_a_like_fold(fold: AnyFold) -> None:
    assert all(isinstance(number, int | float) for number in fold.parameters.values())
    assert type(fold)(**fold.parameters) == fold


@every_kind
def test_every_parameter_and_every_number_of_its_evidence_is_documented(fold: AnyFold) -> None:
    section = SIGNALS_PAGE.read_text().partition(f"### {fold.kind}\n")[2].partition("\n### ")[0]
    evidence = told_of(fold, items_of(fold, seed=1))[0].evidence
    assert [name for name in (*fold.parameters, *evidence) if f"`{name}`" not in section] == []
    assert [number for number in fold.parameters.values() if f"{number:g}" not in section] == []


@pytest.mark.slow
@every_kind
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 0.5))
def test_what_lies_further_back_than_its_memory_changes_nothing(
    fold: AnyFold, seed: int, share: float
) -> None:
    items = items_of(fold, seed)
    first = int(share * len(items))
    settled = ts_of(items[first + fold.memory.items]) + fold.memory.span
    assert since(told_of(fold, items[first:]), settled) == since(told_of(fold, items), settled)


@every_kind
def test_a_signal_is_warm_once_all_its_memory_was_seen(fold: AnyFold) -> None:
    items = items_of(fold, seed=3)
    warm_from = ts_of(items[max(fold.memory.items - 1, 0)]) + fold.memory.span
    signals = told_of(fold, items)
    assert {True, False} == {signal.warm for signal in signals}
    assert [signal.ts >= warm_from for signal in signals] == [signal.warm for signal in signals]


def since(signals: Sequence[Signal], ts: int) -> list[Signal]:
    return [signal for signal in signals if signal.ts >= ts]


@pytest.mark.slow
@every_kind
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 1.0))
def test_a_stored_state_goes_on_as_if_it_had_not_been_stored(fold: AnyFold, seed: int, share: float) -> None:
    items = items_of(fold, seed)[:400]
    state = fold.start()
    for item in items[: int(share * len(items))]:
        state, _ = fold.step(state, item)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=fold.state_type) == state
