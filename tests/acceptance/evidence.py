"""What the database holds, and what it should hold, computed again from its ticks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from db.instruments import Listed, listed
from db.outcomes import bars_since, signals_since
from db.tapes import Part, Tick, read_parts
from market.bars import INTERVALS, Bar
from market.signals import Signal
from market.ticks import BEFORE_ALL, Kind, TapeKey
from market.times import SECOND, floor
from tests.acceptance.subscriber import Frames
from workers.folding import Folder
from workers.kinds.catalogue import KINDS
from workers.kinds.fold import Input

if TYPE_CHECKING:
    from db.connections import Connection

ON_BOOKS = frozenset(fold.kind for fold in KINDS if fold.input is Input.DEPTH)
_AFTER_ALL = TapeKey(4_000_000_000 * SECOND, Kind.WATERMARK, 0)


class Outcome(NamedTuple):
    """The final bars and the signals of one instrument, in order."""

    bars: list[Bar]
    signals: list[Signal]

    def without(self, kinds: frozenset[str]) -> "Outcome":
        """Return the same without signals of these kinds."""
        return Outcome(self.bars, [signal for signal in self.signals if signal.kind not in kinds])


class Candle(NamedTuple):
    """A bar as anybody would compute it."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    trades: int


Candles = dict[tuple[int, int], Candle]
"""Candles by interval and start."""


async def stored(connection: "Connection") -> dict[str, Outcome]:
    """Return what the workers have written, by instrument."""
    return {each.instrument.key: await _stored(connection, each) for each in await listed(connection)}


async def assert_as_undisturbed(connection: "Connection") -> None:
    """See that the workers have written what one fold over all ticks, in memory, gives.

    Books whose snapshot came late are stored late: what is decided on them waits for repair.
    """
    late = {row["instrument_id"] for row in await connection.fetch(_LATE)}
    for each in await listed(connection):
        on_books = ON_BOOKS if each.instrument_id in late else frozenset()
        expected, actual = await _folded(connection, each), await _stored(connection, each)
        assert expected.without(on_books) == actual.without(on_books), each.instrument.key


async def _stored(connection: "Connection", of: Listed) -> Outcome:
    since = dict.fromkeys(INTERVALS.values(), 0)
    bars = await bars_since(connection, of.instrument_id, since)
    return _in_order(bars, await signals_since(connection, of.instrument_id, 0))


async def _folded(connection: "Connection", of: Listed) -> Outcome:
    part = Part(of.exchange_id, of.instrument_id, BEFORE_ALL, _AFTER_ALL, frozenset(Kind))
    ticks: list[Tick] = (await read_parts(connection, [part]))[of.instrument_id]
    folder = Folder(KINDS)
    result = folder.fold(folder.start(), ticks)
    bars, signals = [each.bar for each in result.bars], [each.signal for each in result.signals]
    return _in_order(bars, signals)


async def log(connection: "Connection") -> Frames:
    """Return the log as its subscribers are to receive it."""
    frames: Frames = {}
    for each in await listed(connection):
        for row in await connection.fetch(_LOG, each.instrument_id):
            channel = f"{row['family']}:{each.instrument.key}"
            frames.setdefault(channel, []).append(_frame(channel, **row))
    return frames


async def trades(connection: "Connection") -> dict[str, list[tuple[int, float, float]]]:
    """Return time, price, and size of the trades of each instrument, in order."""
    return {
        each.instrument.key: [tuple(row) for row in await connection.fetch(_TRADES, each.instrument_id)]
        for each in await listed(connection)
    }


async def repeated(connection: "Connection") -> list[tuple[Any, ...]]:
    """Return what was published more than once: instrument, family, kind or interval, time."""
    return [tuple(row) for row in await connection.fetch(_REPEATED)]


def candles(traded: Iterable[tuple[int, float, float]]) -> Candles:
    """Return the candles of trades (ts, price, size), which come in their order."""
    found: Candles = {}
    for ts, price, size in traded:
        for interval in INTERVALS.values():
            key = interval, floor(ts, interval)
            at = found.get(key, Candle(price, price, price, price, 0.0, 0))
            found[key] = Candle(
                at.open,
                max(at.high, price),
                min(at.low, price),
                price,
                at.volume + size,
                at.trades + 1,
            )
    return found


def as_candles(bars: Iterable[Bar]) -> Candles:
    return {
        (bar.interval, bar.start): Candle(bar.open, bar.high, bar.low, bar.close, bar.volume, bar.trades)
        for bar in bars
    }


def assert_final(every: Candles, final: Candles) -> None:
    """See that the final candles are those of all but the last of each interval, which may still run."""
    last = {
        interval: max(start for each, start in every if each == interval) for interval in INTERVALS.values()
    }
    assert final == {key: every[key] for key in final}
    assert set(every) - set(final) <= set(last.items())


_LOG = """
SELECT family, "offset", op, revises, data::text FROM publications
WHERE instrument_id = $1 ORDER BY family, "offset"
"""

_TRADES = "SELECT ts, price, size FROM trades WHERE instrument_id = $1 ORDER BY ts, trade_id"

_LATE = """
SELECT instrument_id FROM dirty WHERE reason = 'late'
UNION SELECT instrument_id FROM bars WHERE source = 'backfill'
UNION SELECT instrument_id FROM bars_1h WHERE source = 'backfill'
"""

_REPEATED = """
SELECT instrument_id, family, about, ts FROM publications WHERE op <> 'correction'
GROUP BY instrument_id, family, about, ts HAVING count(*) > 1
"""


def _frame(channel: str, **row: Any) -> dict[str, Any]:
    frame = {
        "op": row["op"],
        "channel": channel,
        "offset": row["offset"],
        "data": msgspec.json.decode(row["data"]),
    }
    return frame if row["revises"] is None else {**frame, "revises": row["revises"]}


def _in_order(bars: Sequence[Bar], signals: Sequence[Signal]) -> Outcome:
    return Outcome(
        sorted(bars, key=attrgetter("interval", "start")), sorted(signals, key=attrgetter("kind", "ts"))
    )


def counted(frames: Frames) -> Counter[str]:
    """Return how many frames there are of each op."""
    return Counter(frame["op"] for stream in frames.values() for frame in stream)
