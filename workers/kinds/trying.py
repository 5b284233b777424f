"""Whether a kind can be computed with the parameters that somebody wants, before anything relies on it."""

from math import sin
from typing import Any, Final

import msgspec

from market.bars import Bar
from market.depths import LEVELS, Depth
from market.errors import InvalidInputError
from market.times import MINUTE, SECOND
from workers.kinds.edges import Thresholds
from workers.kinds.fold import AnyFold, Input
from workers.kinds.soundness import check

AT_MOST_ITEMS: Final = 3600
"""How many bars or depths a kind may remember: states are written every few seconds."""

_BEGAN: Final = 1_723_161_240 * SECOND
_MORE: Final = 100


def try_out(fold: AnyFold) -> None:
    """Step the kind through a small market; raises InvalidInputError when that cannot be."""
    try:
        _look(fold)
        state = _stored(fold, fold.start())
        for number in range(fold.memory.items + _MORE):
            item = _bar(number) if fold.input is Input.BARS else _depth(number)
            state, signal = fold.step(state, item)
            if signal:
                check(fold, signal, item.end if isinstance(item, Bar) else item.ts)
        _stored(fold, state)
    except Exception as error:
        numbers = ", ".join(f"{name}={number}" for name, number in fold.parameters.items())
        message = f"{fold.kind} cannot be computed with {numbers}: {type(error).__name__}: {error}"
        raise InvalidInputError(message) from error


def _stored(fold: AnyFold, state: Any) -> Any:  # noqa: ANN401 - the kind's own
    """Return a state as it comes back from where checkpoints are kept."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=fold.state_type | None)


def _look(fold: AnyFold) -> None:
    if not 0 <= fold.memory.items <= AT_MOST_ITEMS:
        message = f"it would remember {fold.memory.items} items, not 0 to {AT_MOST_ITEMS}"
        raise ValueError(message)
    bounds = getattr(fold, "thresholds", None)
    if isinstance(bounds, Thresholds) and not _in_order(bounds):
        message = "a condition would begin before it ends: mend the order of its thresholds"
        raise ValueError(message)


def _in_order(bounds: Thresholds) -> bool:
    return bounds.down <= bounds.leave_down <= bounds.leave_up <= bounds.up and bounds.down < bounds.up


def _bar(number: int) -> Bar:
    start = _BEGAN + number * SECOND
    close = 100.0 + sin(number / 7)
    return Bar(SECOND, start, close, close, close, close, 2.0, 2 * close, 1.5, 0.5, 2)


def _depth(number: int) -> Depth:
    prices = [1.0 + level / 100 for level in range(LEVELS)]
    bids, asks = tuple(100.0 / price for price in prices), tuple(100.1 * price for price in prices)
    leaning = 2.0 + sin(number / 7)
    ts = _BEGAN + number * MINUTE // 60
    return Depth(1, ts, number, bids, (leaning,) * LEVELS, asks, (1.0,) * LEVELS, ts)
