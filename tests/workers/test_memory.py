"""What a live worker remembers of an instrument, and what folding again from there comes to."""

from collections.abc import Sequence
from itertools import groupby
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.batches import Span
from market.times import SECOND
from tests.workers.kinds.tapes import START, random_tape, trade
from workers.folding import Folder, Tick
from workers.kinds.catalogue import KINDS
from workers.memory import REWIND, Remembered, begin, plan
from workers.snapshots import SNAPSHOT_EVERY

pytestmark = pytest.mark.slow

FOLDER = Folder(KINDS)
SLOTS_IN_REWIND = REWIND // SNAPSHOT_EVERY


def spans(ticks: Sequence[Tick]) -> list[Span]:
    """What a batch of these ticks lists."""
    keys = sorted(tick.tape_key for tick in ticks)
    kinds = {key.kind: [k for k in keys if k.kind == key.kind] for key in keys}
    return [
        Span(kind, of[0].ts, of[0].id, of[-1].ts, of[-1].id, len(of)) for kind, of in sorted(kinds.items())
    ]


def claimed(before: Remembered, tape: Sequence[Tick], listed: Sequence[Tick]) -> Remembered:
    """Fold what one claim lists, out of the sorted ``tape`` of all that came until then."""
    each = plan(before, spans(listed), settled_ts=0)
    assert each.late == ()
    part = [tick for tick in tape if each.base.cursor < tick.tape_key <= each.to]
    return before.after(each.base, FOLDER.fold(each.base, part))


def tick_key(tick: Tick) -> tuple[int, int, int]:
    return tick.tape_key


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), most=st.integers(1, 30), delay=st.integers(0, REWIND - SECOND // 10))
def test_whatever_order_ticks_come_in_within_two_seconds_the_state_is_that_of_the_sorted_tape(
    seed: int, most: int, delay: int
) -> None:
    chance = Random(seed)
    tape = random_tape(seed, seconds=25)
    arriving = sorted(tape, key=lambda tick: tick.ts + chance.randint(0, delay))
    remembered, come = begin(FOLDER, spans(tape)), list[Tick]()
    first = remembered.state
    while arriving:
        listed, arriving = arriving[:most], arriving[most:]
        come = sorted([*come, *listed], key=tick_key)
        remembered = claimed(remembered, come, listed)
        assert remembered.oldest.cursor.ts <= max(come[-1].ts - REWIND, first.cursor.ts)
    assert remembered.state == FOLDER.fold(first, tape).state


def test_a_claim_every_millisecond_remembers_no_more_states_than_one_every_second() -> None:
    ticks = [trade(START + number * 1000, trade_id=number) for number in range(2600)]
    remembered = begin(FOLDER, spans(ticks))
    for tick in ticks:
        remembered = claimed(remembered, [tick], [tick])
    slots = [state.cursor.ts // SNAPSHOT_EVERY for state in remembered.history]
    assert [slot for slot, _ in groupby(slots)] == slots
    assert SLOTS_IN_REWIND <= len(slots) <= SLOTS_IN_REWIND + 2
