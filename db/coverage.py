"""How far what was decided from an instrument's ticks is proven, read for many stretches in one statement."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from db.errors import translated
from db.queries import load
from market.bars import Bar
from market.coverage import NOTHING, Coverage, Interval
from market.gaps import TRADES
from market.indicators import Indicator
from market.signals import Signal

if TYPE_CHECKING:
    from asyncpg import Record

    from db.connections import Connection

_sql = load("coverage")

NEWEST_PROOFS: Final = 16
"""Of those that began before what is told: the newest reach the live edge, and a claim must be short."""

_Tape = tuple[int, str]


class Stretch(NamedTuple):
    """[from_ts, to_ts) of one kind of an instrument's ticks, from which a bar or a signal was decided."""

    instrument_id: int
    kind: str
    from_ts: int
    to_ts: int

    @property
    def tape(self) -> _Tape:
        """Return whose ticks these are."""
        return self.instrument_id, self.kind


def of_bar(instrument_id: int, bar: Bar) -> Stretch:
    """Return what a bar was decided from."""
    return Stretch(instrument_id, TRADES, bar.start, bar.end)


def of_signal(instrument_id: int, signal: Signal) -> Stretch:
    """Return what a signal was decided from."""
    return Stretch(instrument_id, signal.source, signal.from_ts, signal.to_ts)


def of_indicator(instrument_id: int, indicator: Indicator) -> Stretch:
    """Return what an indicator was computed from."""
    return Stretch(instrument_id, indicator.source, indicator.from_ts, indicator.to_ts)


async def shares(
    connection: "Connection", stretches: Sequence[Stretch], *, look_back: int | None = None
) -> list[float]:
    """Return which share of each stretch is covered.

    With ``look_back``, of the proofs that began before the first stretch only so many are looked at, and the
    newest live one: enough at the live edge, and as quick after years as on the first day.
    """
    if not stretches:
        return []
    known = await _known(connection, _whole(stretches), look_back)
    found: dict[Stretch, float] = {}
    for tape, of_tape in _by_tape(stretches).items():
        windows = [Interval(each.from_ts, each.to_ts) for each in of_tape]
        found.update(zip(of_tape, known.get(tape, NOTHING).shares(windows), strict=True))
    return [found[each] for each in stretches]


async def _known(
    connection: "Connection", whole: Mapping[_Tape, Interval], look_back: int | None
) -> dict[_Tape, Coverage]:
    with translated("reading coverage"):
        rows = await connection.fetch(
            _sql.known,
            [instrument_id for instrument_id, _ in whole],
            [kind for _, kind in whole],
            [each.from_ts for each in whole.values()],
            [each.to_ts for each in whole.values()],
            look_back,
        )
    return _coverages(rows)


def _coverages(rows: "Iterable[Record]") -> dict[_Tape, Coverage]:
    sides: dict[_Tape, tuple[list[Interval], list[Interval]]] = {}
    for instrument_id, kind, from_ts, to_ts, is_proven in rows:
        proven, unproven = sides.setdefault((instrument_id, kind), ([], []))
        (proven if is_proven else unproven).append(Interval(from_ts, to_ts))
    return {tape: Coverage(*of_tape) for tape, of_tape in sides.items()}


def _by_tape(stretches: Iterable[Stretch]) -> dict[_Tape, list[Stretch]]:
    found: dict[_Tape, list[Stretch]] = {}
    for each in stretches:
        found.setdefault(each.tape, []).append(each)
    return found


def _whole(stretches: Iterable[Stretch]) -> dict[_Tape, Interval]:
    """Return for each tape the interval that its stretches span; an instant is a microsecond long."""
    return {
        tape: Interval(
            min(each.from_ts for each in of_tape),
            max(max(each.to_ts, each.from_ts + 1) for each in of_tape),
        )
        for tape, of_tape in _by_tape(stretches).items()
    }
