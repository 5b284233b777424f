"""Bars of a day, read from those of its hours."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import TYPE_CHECKING

import msgspec

from db import settled
from db.history import bars
from db.history.bars import SourcedBar
from db.history.windows import Window
from market.bars import Bar
from market.times import DAY, HOUR, floor

if TYPE_CHECKING:
    from db.connections import Connection

_HOURS = DAY // HOUR


async def read(
    connection: "Connection", window: Window, *, instrument_ids: Sequence[int]
) -> list[SourcedBar]:
    """Return final bars of UTC days of these instruments in the order of their start.

    A day is final when live has left its end behind: its last trade may lie long before.
    """
    found = [
        day
        for each in instrument_ids
        for day in await _of_one(connection, _window_of(window, each), instrument_id=each)
    ]
    return sorted(found, key=bars.key, reverse=window.newest_first)[: window.limit]


async def _of_one(connection: "Connection", window: Window, *, instrument_id: int) -> list[SourcedBar]:
    settled_ts = await settled.until(connection, instrument_id)
    hours = await bars.read(
        connection, _hours(window, settled_ts), instrument_ids=[instrument_id], interval=HOUR
    )
    return list(islice(_days(hours), window.limit))


def _window_of(window: Window, instrument_id: int) -> Window:
    """Return what one instrument has beyond the cursor: of its last day too, if its turn comes after."""
    if window.after is None:
        return window
    start, last = window.after
    later = instrument_id < last if window.newest_first else instrument_id > last
    step = 1 if window.newest_first else -1
    return msgspec.structs.replace(window, after=(start + step if later else start,))


def day_of(hours: Sequence[SourcedBar]) -> SourcedBar:
    """Return the day that these hours, in order, are all of: the left fold of them."""
    first, *rest = [each.bar for each in hours]
    day = msgspec.structs.replace(first, interval=DAY, start=floor(first.start, DAY))
    for hour in rest:
        day = _joined(day, hour)
    source = "live" if all(each.source == "live" for each in hours) else "backfill"
    return SourcedBar(hours[0].instrument_id, day, source)


def _joined(day: Bar, hour: Bar) -> Bar:
    return Bar(
        interval=day.interval,
        start=day.start,
        open=day.open,
        high=max(day.high, hour.high),
        low=min(day.low, hour.low),
        close=hour.close,
        volume=day.volume + hour.volume,
        quote_volume=day.quote_volume + hour.quote_volume,
        buy_volume=day.buy_volume + hour.buy_volume,
        sell_volume=day.sell_volume + hour.sell_volume,
        trades=day.trades + hour.trades,
    )


def _days(hours: Iterable[SourcedBar]) -> Iterator[SourcedBar]:
    for _, of_day in groupby(hours, lambda each: floor(each.bar.start, DAY)):
        yield day_of(sorted(of_day, key=lambda each: each.bar.start))


def _hours(window: Window, settled_ts: int) -> Window:
    """Return the hours of the days in ``window``; of as many days as asked for, all of them."""
    from_ts, to_ts = window.from_ts or 0, floor(settled_ts, DAY)
    if window.to_ts is not None:
        to_ts = min(to_ts, window.to_ts)
    if window.after and window.newest_first:
        to_ts = min(to_ts, window.after[0])
    elif window.after:
        from_ts = max(from_ts, window.after[0] + 1)
    return Window(
        from_ts=_whole(from_ts),
        to_ts=max(_whole(to_ts), _whole(from_ts)),
        newest_first=window.newest_first,
        limit=window.limit * _HOURS,
    )


def _whole(ts: int) -> int:
    """Return the first start of a day that is not before ``ts``."""
    return -(-ts // DAY) * DAY
