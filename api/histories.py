"""What a noun's history is: how it is read, told, and continued; and how far what is told of it is proven."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from api.database import Database
from api.schemas import Row
from db import coverage
from db.coverage import Stretch
from db.history.windows import Key, Window
from market.coverage import Interval
from market.times import SECOND

_Stored = TypeVar("_Stored")

_MOST_TAPES: Final = 100
"""Of an answer about more instruments it is not told how far it is proven."""

_NEVER: Final = 2**62

_EDGE: Final = 10 * SECOND
"""How long what happens may take to be proven; until then it is not missed."""


class Tape(NamedTuple):
    """One kind of an instrument's ticks."""

    instrument_id: int
    kind: str


class History(NamedTuple, Generic[_Stored]):
    """A history that is read in pages.

    ``key`` is the type of a row's unique key, which its cursors hold. ``tapes`` are
    what a page is partial of where these are not proven; then a key begins with the row's time, and the
    row is about the microseconds that it ``lasts``. ``stretch_of`` is what one row was made from.
    ``settles`` is the one instrument that all rows are of, once its past is the past.
    """

    name: str
    key: Any
    row: type[Row]
    read: Callable[[Window], Awaitable[Sequence[_Stored]]]
    row_of: Callable[[_Stored, float], Row]
    key_of: Callable[[_Stored], Key]
    tapes: Sequence[Tape] = ()
    stretch_of: Callable[[_Stored], Stretch] | None = None
    lasts: int = 1
    settles: int | None = None


class Told(NamedTuple):
    """Rows as they are told, and the share of what they speak for that is proven; None: nothing says."""

    rows: list[Row]
    coverage: float | None


async def told(
    database: Database, history: History[_Stored], stored: Sequence[_Stored], whole: Interval | None
) -> Told:
    """Return the rows; ``whole`` is the range of time that they speak for."""
    stretches = [history.stretch_of(each) for each in stored] if history.stretch_of else []
    tapes = history.tapes if whole and len(history.tapes) <= _MOST_TAPES else ()
    stretches += [Stretch(*tape, *whole) for tape in tapes if whole]
    shares = await _shares(database, stretches)
    of_rows = shares[: len(stored)] if history.stretch_of else [0.0] * len(stored)
    rows = [history.row_of(each, share) for each, share in zip(stored, of_rows, strict=True)]
    return Told(rows, min(shares[-len(tapes) :]) if tapes else None)


async def _shares(database: Database, stretches: Sequence[Stretch]) -> list[float]:
    if not stretches:
        return []
    async with database.connection() as connection:
        return await coverage.shares(connection, stretches)


def spoken_for(
    history: History[_Stored], window: Window, stored: Sequence[_Stored], now: int, *, more: bool
) -> Interval | None:
    """Return the range of time that a page answers: to its last row if there are ``more``.

    It begins with the first row where nothing else says where, and ends some seconds before now.
    """
    if not history.tapes:
        return None
    times = sorted(history.key_of(each)[0] for each in (*stored[:1], *stored[-1:]))
    edge = now - _EDGE if window.to_ts is None else min(window.to_ts, now - _EDGE)
    from_ts = _begin(window, times[0] if times else None, more=more)
    to_ts = _end(window, times[-1] + history.lasts if times else 0, edge, more=more)
    return Interval(from_ts, to_ts) if from_ts is not None and from_ts < to_ts else None


def shown(history: History[_Stored], window: Window, stored: Sequence[_Stored], *, more: bool) -> Interval:
    """Return the range of time in which another row would have changed a page."""
    times = sorted(history.key_of(each)[0] for each in (*stored[:1], *stored[-1:]))
    from_ts, to_ts = window.from_ts or 0, _NEVER if window.to_ts is None else window.to_ts
    if window.newest_first:
        end = window.after[0] + 1 if window.after else to_ts
        return Interval(times[0] if more else from_ts, end)
    end = times[-1] + history.lasts if more else to_ts
    return Interval(window.after[0] if window.after else from_ts, end)


def _begin(window: Window, earliest: int | None, *, more: bool) -> int | None:
    if window.after and not window.newest_first:
        begin: int = window.after[0]
        return begin
    cut = more and window.newest_first
    return earliest if cut or window.from_ts is None else window.from_ts


def _end(window: Window, latest: int, edge: int, *, more: bool) -> int:
    if window.after and window.newest_first:
        end: int = window.after[0] + 1
        return end
    cut = more and not window.newest_first
    return latest if cut else max(latest, edge)
