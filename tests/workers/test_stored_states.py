import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.ticks import BEFORE_ALL
from tests.workers.kinds.tapes import random_tape
from workers import stored_states
from workers.folding import Folder, InstrumentState
from workers.kinds.catalogue import KINDS
from workers.kinds.flow import Flow
from workers.kinds.pressure import Pressure
from workers.kinds.rsi import Rsi
from workers.trails import Trail

FOLDER = Folder(KINDS)


def state_after(folder: Folder, seed: int, seconds: int) -> InstrumentState:
    return folder.fold(folder.start(), random_tape(seed, seconds)).state


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), seconds=st.integers(0, 400))
def test_a_stored_state_comes_back_exactly(seed: int, seconds: int) -> None:
    state = state_after(FOLDER, seed, seconds)
    assert stored_states.decode(FOLDER, stored_states.encode(FOLDER, state)) == state


def test_a_kind_that_is_new_starts_and_one_that_is_unknown_is_left_out() -> None:
    before, after = Folder([Flow(), Rsi()]), Folder([Flow(), Pressure()])
    state = state_after(before, seed=8, seconds=300)
    kinds = {"flow": state.kinds["flow"], "pressure": Pressure().start()}
    assert stored_states.decode(after, stored_states.encode(before, state)) == msgspec.structs.replace(
        state, kinds=kinds
    )


def test_a_state_of_before_trails_and_indicators_comes_back_without_them() -> None:
    state = state_after(FOLDER, seed=8, seconds=300)
    older = msgspec.msgpack.encode(msgspec.msgpack.decode(stored_states.encode(FOLDER, state))[:3])
    assert stored_states.decode(FOLDER, older) == msgspec.structs.replace(
        state, trail=Trail(), second=None, depth=None
    )


class NextFlow(Flow, frozen=True):
    """Trade flow as a later version."""

    version = 3


def test_a_kind_of_another_version_starts() -> None:
    before, after = Folder([Flow()]), Folder([NextFlow()])
    decoded = stored_states.decode(
        after, stored_states.encode(before, state_after(before, seed=8, seconds=300))
    )
    assert decoded.kinds == {"flow": Flow().start()}
    assert decoded.cursor > BEFORE_ALL


def test_what_is_not_a_state_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        stored_states.decode(FOLDER, b"not a state")
