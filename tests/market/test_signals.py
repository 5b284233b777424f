import msgspec
import pytest

from market.signals import Direction, Signal, same_content
from market.ticks import Place

SIGNAL = Signal(
    kind="rsi",
    version=2,
    ts=10,
    direction=Direction.UP,
    strength=0.5,
    confidence=1.0,
    price=1.0,
    evidence={"rsi": 25.0},
    from_ts=5,
    to_ts=10,
    first=Place(5, 1),
    last=Place(9, 4),
    parameters={"oversold": 30},
)


def test_how_much_had_been_seen_is_no_content() -> None:
    assert same_content(SIGNAL, msgspec.structs.replace(SIGNAL, warm=False))


@pytest.mark.parametrize(
    "change",
    [
        {"direction": Direction.ENDED},
        {"strength": 0.25},
        {"evidence": {"rsi": 25.5}},
        {"first": Place(5, 2)},
        {"last": None},
        {"parameters": {"oversold": 31}},
        {"parameters_version": 1},
    ],
    ids=str,
)
def test_everything_else_is(change: dict[str, object]) -> None:
    assert not same_content(SIGNAL, msgspec.structs.replace(SIGNAL, **change))
