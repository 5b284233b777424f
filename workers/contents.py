"""What is stored beside what is right, byte for byte. Pure.

Equal bytes are asked for, not equal numbers: 0.0 and -0.0 are different, and NaN is itself.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeVar

import msgspec

from market.bars import NAMES, Bar
from market.indicators import Indicator
from market.signals import Signal
from market.verifications import Content, Difference
from workers.decisions import BarKey, SignalKey, bar_key, signal_key

Key = TypeVar("Key", BarKey, SignalKey)

Told = Signal | Indicator
Either = TypeVar("Either", Signal, Indicator)

_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode


class Excluded(NamedTuple):
    """Bars that start in their interval's range, and signals in [from_ts, to_ts), that cannot be judged."""

    ranges: Mapping[int, tuple[int, int]]
    from_ts: int
    to_ts: int

    def has_bar(self, bar: Bar) -> bool:
        """Tell whether a bar is not to be judged."""
        from_ts, to_ts = self.ranges[bar.interval]
        return from_ts <= bar.start < to_ts

    def has(self, told: Told) -> bool:
        """Tell whether a signal or an indicator is not to be judged."""
        return self.from_ts <= told.ts < self.to_ts


class Eras(NamedTuple):
    """What versions of kinds this code computes, and since when they have told of a tape.

    A kind without a ``since`` was told by no other version; one with None was not told by this one yet.
    """

    versions: Mapping[str, int]
    since: Mapping[str, int | None]

    def is_ours(self, told: Told) -> bool:
        """Tell whether this code computes such signals or indicators."""
        return self.versions.get(told.kind) == told.version

    def may_miss(self, told: Told) -> bool:
        """Tell whether another version may have been at work, which did not tell this."""
        since = self.since.get(told.kind, told.ts)
        return since is None or told.ts < since


def differing_bars(stored: Iterable[Bar], right: Iterable[Bar]) -> list[Difference]:
    """Compare bars of one instrument."""
    theirs = {bar_key(bar): bar for bar in stored}
    ours = {bar_key(bar): bar for bar in right}
    return [
        Difference("bar", NAMES[key[0]], key[1], _content(theirs.get(key)), _content(ours.get(key)))
        for key in _differing(theirs, ours)
    ]


def differing_signals(stored: Iterable[Signal], right: Iterable[Signal], eras: Eras) -> list[Difference]:
    """Compare signals of one instrument, all of versions that this code computes."""
    theirs = {signal_key(signal): signal for signal in stored}
    ours = {signal_key(each): _with(each, "evidence", each.evidence) for each in right}
    return [
        Difference("signal", key[0], key[2], _content(theirs.get(key)), _content(ours.get(key)))
        for key in _differing(theirs, ours)
        if key in theirs or not eras.may_miss(ours[key])
    ]


def differing_indicators(
    stored: Iterable[Indicator], right: Iterable[Indicator], eras: Eras
) -> list[Difference]:
    """Compare indicators of one instrument, all of versions that this code computes."""
    theirs = {_indicator_key(each): each for each in stored}
    ours = {_indicator_key(each): _with(each, "values", each.values) for each in right}
    return [
        Difference("indicator", key[0], key[2], _content(theirs.get(key)), _content(ours.get(key)))
        for key in _differing(theirs, ours)
        if key in theirs or not eras.may_miss(ours[key])
    ]


def _indicator_key(indicator: Indicator) -> SignalKey:
    return indicator.kind, indicator.version, indicator.ts


def _differing(stored: Mapping[Key, Bar | Told], right: Mapping[Key, Bar | Told]) -> list[Key]:
    keys = stored.keys() | right.keys()
    return sorted(key for key in keys if _encode(stored.get(key)) != _encode(right.get(key)))


def _with(told: Either, field: str, numbers: Mapping[str, float]) -> Either:
    """Return a row with its numbers as a column of JSON keeps them: there is no -0.0."""
    return msgspec.structs.replace(told, **{field: {name: each + 0.0 for name, each in numbers.items()}})


def _content(row: Bar | Told | None) -> Content | None:
    return None if row is None else msgspec.to_builtins(row)
