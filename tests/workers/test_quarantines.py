from collections.abc import Mapping, Sequence
from typing import ClassVar

import pytest

from market.bars import Bar
from market.times import MINUTE, SECOND
from tests.workers.kinds.tapes import START, random_tape, trade
from workers import stored_states
from workers.folding import Folded, Folder, FoldFailure, Tick
from workers.kinds.catalogue import KINDS
from workers.kinds.fold import Input, Memory

FOLDER = Folder(KINDS)


class Fragile:
    """A kind that breaks at its second bar."""

    kind: ClassVar[str] = "fragile"
    version: ClassVar[int] = 3
    input: ClassVar[Input] = Input.BARS
    state_type: ClassVar[type[int]] = int
    memory: ClassVar[Memory] = Memory(0, 0)
    parameters: ClassVar[Mapping[str, float]] = {}

    def __init__(self, error: Exception) -> None:
        self.error = error

    def start(self) -> int:
        return 0

    def step(self, state: int, _bar: Bar, /) -> tuple[int, None]:
        if state == 1:
            raise self.error
        return state + 1, None


def folded(ticks: Sequence[Tick], folder: Folder) -> Folded:
    return folder.fold(folder.start(), ticks)


TRADES_OF_FOUR_SECONDS = [trade(START + second * SECOND) for second in range(5)]


def with_fragile(error: Exception) -> Folder:
    return Folder([Fragile(error), *KINDS])


def test_a_kind_that_breaks_is_told_once_and_quarantined() -> None:
    folder = with_fragile(ZeroDivisionError("by nothing"))
    made = folded(TRADES_OF_FOUR_SECONDS, folder)
    assert made.failures == [
        FoldFailure("fragile", 3, START + 2 * SECOND, "ZeroDivisionError: by nothing"),
    ]
    assert made.state.kinds["fragile"] is None


def test_bars_and_other_kinds_go_on_without_the_one_that_broke() -> None:
    tape = random_tape(seed=6, seconds=600)
    broken, sound = folded(tape, with_fragile(ValueError("odd"))), folded(tape, FOLDER)
    assert (broken.bars, broken.signals) == (sound.bars, sound.signals)
    assert {**broken.state.kinds, "fragile": None} == {**sound.state.kinds, "fragile": None}


def test_a_quarantine_is_stored_with_the_state() -> None:
    folder = with_fragile(ValueError("odd"))
    state = stored_states.decode(
        folder, stored_states.encode(folder, folded(TRADES_OF_FOUR_SECONDS, folder).state)
    )
    later = folder.fold(state, [trade(START + MINUTE), trade(START + MINUTE + SECOND)])
    assert (later.failures, later.state.kinds["fragile"]) == ([], None)


def test_a_machine_out_of_memory_quarantines_nothing() -> None:
    with pytest.raises(MemoryError):
        folded(TRADES_OF_FOUR_SECONDS, with_fragile(MemoryError()))
