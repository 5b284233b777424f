"""What a model sees of a closed minute: six numbers. Pure, one bar alone, the same bytes wherever computed.

Logarithms, because prices move and volumes spread by factors. They are taken one by one: a vectorised
logarithm may give another last digit for the same number elsewhere in an array.
"""

from collections.abc import Iterable, Sequence
from math import isfinite, log
from typing import Final

from market.bars import Bar
from market.minutes import Minute

_BPS: Final = 10_000.0

SPREAD: Final = "spread"
ALL: Final = ("return", "range", "volume", "trades", "imbalance", SPREAD)
"""Every feature there is. A model that names another one is refused."""

SPREADS_NEEDED: Final = 0.9
"""The share of minutes that must have a spread for a model to be trained on it."""

Row = tuple[float, ...]


def measured(minute: Minute) -> dict[str, float] | None:
    """Return the features of a minute by name, without ``spread`` where none was quoted.

    None for a bar that has no logarithm: nothing is computed from nothing.
    """
    bar = minute.bar
    if min(bar.low, bar.open, bar.close, bar.volume) <= 0.0:
        return None
    features = {
        "return": log(bar.close / bar.open) * _BPS,
        "range": log(bar.high / bar.low) * _BPS,
        "volume": log(bar.volume),
        "trades": log(bar.trades),
        "imbalance": _imbalance(bar),
    }
    if minute.spread_bps is not None:
        features[SPREAD] = minute.spread_bps
    return features if all(isfinite(value) for value in features.values()) else None


def row(features: dict[str, float] | None, names: Sequence[str]) -> Row | None:
    """Return the named features in order, or None where one is missing."""
    if features is None or any(name not in features for name in names):
        return None
    return tuple(features[name] for name in names)


def chosen(minutes: Sequence[Minute]) -> tuple[str, ...]:
    """Return the features to train on: all, or all but the spread where it is told too seldom."""
    quoted = sum(minute.spread_bps is not None for minute in minutes)
    return ALL if quoted >= SPREADS_NEEDED * len(minutes) else ALL[:-1]


def rows(minutes: Iterable[Minute], names: Sequence[str]) -> list[Row]:
    """Return the rows of those minutes that have every named feature."""
    return [each for minute in minutes if (each := row(measured(minute), names)) is not None]


def _imbalance(bar: Bar) -> float:
    told = bar.buy_volume + bar.sell_volume
    return (bar.buy_volume - bar.sell_volume) / told if told else 0.0
