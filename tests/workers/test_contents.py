"""What counts as a difference."""

import msgspec
import pytest

from market.signals import Direction, Signal
from workers.contents import Eras, differing_signals

STORED = Signal(
    kind="flow",
    version=1,
    ts=10,
    direction=Direction.UP,
    strength=0.0,
    confidence=1.0,
    price=100.0,
    evidence={"imbalance": 0.0},
    from_ts=1,
    to_ts=10,
)
OURS = Eras({"flow": 1}, {})


def test_a_column_of_json_has_no_negative_zero() -> None:
    right = msgspec.structs.replace(STORED, evidence={"imbalance": -0.0})
    assert [] == differing_signals([STORED], [right], OURS)


@pytest.mark.parametrize("field", ["strength", "confidence", "price"])
def test_a_column_of_doubles_has(field: str) -> None:
    one, other = (msgspec.structs.replace(STORED, **{field: zero}) for zero in (0.0, -0.0))
    assert ["signal"] == [each.noun for each in differing_signals([one], [other], OURS)]
