"""Bars that still run, for subscribers who want the newest value: some times a second, and never logged."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from db import coverage
from db.claims import Instrument
from db.coverage import Stretch
from market.bars import Bar
from market.channels import Family
from market.gaps import TRADES
from market.publications import Latest
from market.texts import Name, bar_text
from market.times import SECOND, floor
from workers.folding import FinalBar, InstrumentState

if TYPE_CHECKING:
    from db.connections import Connection


class Value(msgspec.Struct, frozen=True):
    """A bar as it was when the tape stood at ``ts``; it has changed ``count`` times since it was shown."""

    name: Name
    bar: Bar
    final: bool
    ts: int
    count: int


class Showing:
    """Gathers what the claims of one worker change, and hands out the newest of it every so often.

    One value an instrument and interval: the running bar or, while there is none, the one that closed last.
    """

    def __init__(self, every: int) -> None:
        """Hand out no more often than ``every`` so many microseconds."""
        self._every = every
        self._shown_at = 0
        self._waiting: dict[tuple[int, int], Value] = {}
        self._shown: dict[tuple[int, int], Bar] = {}

    def note(self, instrument: Instrument, state: InstrumentState, closed: Iterable[FinalBar]) -> None:
        """Take in how a claim left an instrument, and which bars it closed."""
        for bar, final in [
            *((each.bar, True) for each in closed),
            *((bar, False) for bar in state.running if bar),
        ]:
            key = instrument.instrument_id, bar.interval
            had = self._waiting.get(key)
            if had or bar != self._shown.get(key):
                count = had.count + 1 if had else 1
                self._waiting[key] = Value(instrument.name, bar, final, state.cursor.ts, count)

    def due(self, now: int) -> dict[int, list[Value]]:
        """Return by instrument what has changed since this last returned something, if it is time."""
        if not self._waiting or 0 <= now - self._shown_at < self._every:
            return {}
        found: dict[int, list[Value]] = {}
        for (instrument_id, interval), value in self._waiting.items():
            found.setdefault(instrument_id, []).append(value)
            self._shown[instrument_id, interval] = value.bar
        self._waiting, self._shown_at = {}, now
        return found


async def latest(connection: "Connection", due: dict[int, list[Value]]) -> list[Latest]:
    """Return these bars as subscribers receive them, with coverage as far as their time has passed."""
    values = [(instrument_id, value) for instrument_id, of in due.items() for value in of]
    stretches = [_stretch(instrument_id, value) for instrument_id, value in values]
    shares = await coverage.shares(connection, stretches, look_back=coverage.NEWEST_PROOFS)
    return [
        Latest(
            instrument_id,
            Family.RUNNING,
            value.ts,
            value.bar.interval,
            value.count,
            bar_text(value.name, value.bar, share, "live", final=value.final),
        )
        for (instrument_id, value), share in zip(values, shares, strict=True)
    ]


def _stretch(instrument_id: int, value: Value) -> Stretch:
    """Return what can be proven of a bar by now: whole seconds."""
    bar = value.bar
    passed = bar.end if value.final else max(bar.start, min(floor(value.ts, SECOND), bar.end))
    return Stretch(instrument_id, TRADES, bar.start, passed)
