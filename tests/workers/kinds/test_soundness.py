from collections.abc import Mapping
from math import inf, nan
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest

from market.bars import Bar
from market.signals import Direction, Signal
from market.times import SECOND
from tests.workers.kinds.tapes import START, trade
from workers.folding import Folded, Folder
from workers.kinds.fold import Input, Memory

SOUND = Signal(
    kind="odd",
    version=1,
    ts=0,
    direction=Direction.UP,
    strength=1.0,
    confidence=1.0,
    price=100.0,
    evidence={"value": 1.0},
    from_ts=START,
    to_ts=START,
)


class Odd:
    """A kind that tells at every bar what it was given."""

    kind: ClassVar[str] = "odd"
    version: ClassVar[int] = 1
    input: ClassVar[Input] = Input.BARS
    state_type: ClassVar[type[int]] = int
    memory: ClassVar[Memory] = Memory(0, 0)
    parameters: ClassVar[Mapping[str, float]] = {}

    def __init__(self, **changes: Any) -> None:
        self.changes = changes

    def start(self) -> int:
        return 0

    def step(self, state: int, bar: Bar, /) -> tuple[int, Signal]:
        return state, msgspec.structs.replace(SOUND, **({"ts": bar.end} | self.changes))


def told_by(odd: Odd) -> Folded:
    folder = Folder([odd])
    return folder.fold(folder.start(), [trade(START), trade(START + SECOND)])


def test_a_sound_signal_is_told() -> None:
    made = told_by(Odd())
    assert ([], 1) == (made.failures, len(made.signals))


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "other"},
        {"version": 2},
        {"ts": START},
        {"strength": 1.1},
        {"strength": nan},
        {"confidence": -0.1},
        {"price": inf},
        {"evidence": {"value": nan}},
        {"from_ts": START + 1},
        {"to_ts": START + 2 * SECOND},
        {"price": np.float64(1.0)},
        {"evidence": {"value": "much"}},
        {"evidence": {"a\0b": 1.0}},
        {"direction": "sideways"},
        {"from_ts": -1},
        {"from_ts": float(START)},
    ],
    ids=str,
)
def test_a_kind_that_tells_what_no_signal_may_say_is_quarantined(changes: dict[str, Any]) -> None:
    made = told_by(Odd(**changes))
    assert ([], ["odd"], None) == (
        made.signals,
        [each.kind for each in made.failures],
        made.state.kinds["odd"],
    )
    assert made.failures[0].error.startswith("UnsoundSignalError: odd told a signal ")
