"""Ticks at rest: written once each, however often they are offered, with the batches that workers claim."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import msgspec
import numpy as np

from db import commits, dead_letters, gaps, near, proofs
from db.commits import Commit
from db.copying import Column, rows, rows_with_arrays, times
from db.dead_letters import DeadLetter
from db.errors import translated
from db.instruments import Listed
from db.queries import load
from db.writers import Writer
from market.batches import Listing, Span, encode
from market.coverage import Proof
from market.depths import Depth
from market.gaps import Finding, Gap
from market.quotes import Quote
from market.ticks import Kind
from market.times import DAY
from market.trades import Trade
from market.watermarks import Watermark

if TYPE_CHECKING:
    from db.connections import Connection

_sql = load("ticks")

_EXPECT_CONFLICTS: Final = 64
"""Writes without a duplicate after which a table is written directly again."""

Places = Mapping[int, Listed]
"""Exchange and shard by instrument_id."""

Key = tuple[int, int, int]
"""What tells ticks of one table apart: instrument_id, ts, id."""

_Tick = Trade | Quote | Depth


class Ticks(msgspec.Struct, frozen=True):
    """What one transaction offers, in any order, with any repetition, and what was found with it.

    Of proofs and gaps it has the end results: one of each.
    """

    trades: Sequence[Trade] = ()
    quotes: Sequence[Quote] = ()
    depths: Sequence[Depth] = ()
    watermarks: Sequence[Watermark] = ()
    letters: Sequence[DeadLetter] = ()
    proofs: Sequence[Proof] = ()
    gaps: Sequence[Finding] = ()


class Written(msgspec.Struct, frozen=True):
    """What a transaction stored: not what it was offered; and the gaps that it changed, as they are now.

    ``commit`` is what ``was_committed`` asks for; None when nothing was written.
    """

    listing: Listing
    commit: Commit | None
    gaps: Sequence[Gap] = ()


class _Table(msgspec.Struct, frozen=True):
    """How one kind of tick is encoded and written."""

    kind: Kind
    name: str
    id_column: str
    encode: Callable[[Sequence[Any], Places], bytes]

    @property
    def stage(self) -> str:
        return str(getattr(_sql, f"stage_{self.name}"))

    @property
    def insert(self) -> str:
        return str(getattr(_sql, f"insert_{self.name}"))


class TickWriter:
    """Writes ticks on one connection. After StoreUnavailableError it is of no more use."""

    def __init__(
        self, connection: "Connection", writer: Writer, tolerances: Mapping[str, int] | None = None
    ) -> None:
        """Look near trades of the exchanges with ``tolerances``, as ``near.unknown`` says."""
        self._connection = connection
        self._tolerances = tolerances or {}
        self._slot = writer.slot
        self._seqs = count(writer.first_seq + 1)
        self._seq = writer.first_seq
        self._expecting = dict.fromkeys(_TABLES, 0)
        self._copying = _TRADES.name
        self.unsettled: Written | None = None
        """What the last transaction had written when its COMMIT was sent and not answered."""

    async def write(self, ticks: Ticks, places: Places) -> Written:
        """Store in one transaction what is new of ``ticks``, and a batch for each shard touched.

        The day partitions exist. Raises StoreError; after StoreUnavailableError see ``unsettled``.
        """
        offered = {
            _TRADES.name: _distinct(ticks.trades, "trade_id", places),
            _QUOTES.name: _distinct(ticks.quotes, "update_id", places),
            _DEPTHS.name: _distinct(ticks.depths, "update_id", places),
        }
        with translated("writing ticks"):
            while True:
                try:
                    return await self._transaction(offered, ticks, places)
                except asyncpg.UniqueViolationError:
                    if self._expecting[self._copying]:
                        raise
                    self._expecting[self._copying] = _EXPECT_CONFLICTS

    async def _transaction(
        self, offered: Mapping[str, Sequence[Any]], ticks: Ticks, places: Places
    ) -> Written:
        self.unsettled = None
        async with self._connection.transaction():
            trades = await near.unknown(self._connection, offered[_TRADES.name], places, self._tolerances)
            offered = {**offered, _TRADES.name: trades}
            spans: list[tuple[int, Span]] = []
            for table in _TABLES.values():
                stored = await self._store(table, offered[table.name], places)
                spans += _spans(table.kind, stored)
            spans += _spans(Kind.WATERMARK, await self._pass(ticks.watermarks, places))
            changed = await self._find(ticks)
            await self._batch(spans, places)
            found = spans or ticks.letters or ticks.proofs or ticks.gaps
            commit = await commits.leave(self._connection, self._slot, self._seq) if found else None
            written = Written(_listing(spans), commit, changed)
            self.unsettled = written
        self.unsettled = None
        return written

    async def _store(self, table: _Table, ticks: Sequence[_Tick], places: Places) -> Iterable[Key]:
        """Return the keys of what was stored."""
        if not ticks:
            return ()
        self._copying = table.name
        data = table.encode(ticks, places)
        if not self._expecting[table.name]:
            await self._copy(table.name, data)
            return map(attrgetter("instrument_id", "ts", table.id_column), ticks)
        await self._connection.execute(table.stage)
        await self._copy(f"staged_{table.name}", data)
        stored = await self._connection.fetch(table.insert)
        conflicts = len(stored) < len(ticks)
        self._expecting[table.name] = _EXPECT_CONFLICTS if conflicts else self._expecting[table.name] - 1
        return map(tuple, stored)

    async def _copy(self, table: str, data: bytes) -> None:
        await self._connection.copy_to_table(table, source=BytesIO(data), format="binary")

    async def _pass(self, watermarks: Sequence[Watermark], places: Places) -> Iterable[Key]:
        if not watermarks:
            return ()
        stored = await self._connection.fetch(
            _sql.insert_watermarks,
            [places[mark.instrument_id].exchange_id for mark in watermarks],
            [mark.instrument_id for mark in watermarks],
            [mark.ts for mark in watermarks],
            [mark.received_at for mark in watermarks],
        )
        return map(tuple, stored)

    async def _find(self, ticks: Ticks) -> Sequence[Gap]:
        """Keep what was found beside the ticks; return the gaps that changed."""
        if ticks.letters:
            await dead_letters.add(self._connection, ticks.letters)
        if ticks.proofs:
            await proofs.extend(self._connection, ticks.proofs)
        return await gaps.record(self._connection, ticks.gaps) if ticks.gaps else ()

    async def _batch(self, spans: Iterable[tuple[int, Span]], places: Places) -> None:
        """List what was stored."""
        by_shard: dict[int, list[tuple[int, Span]]] = {}
        for instrument_id, span in spans:
            by_shard.setdefault(places[instrument_id].shard, []).append((instrument_id, span))
        self._seq = next(self._seqs)
        if by_shard:
            await self._connection.execute(
                _sql.insert_batches,
                self._slot,
                self._seq,
                list(by_shard),
                [sum(span.count for _, span in each) for each in by_shard.values()],
                [encode(_listing(each)) for each in by_shard.values()],
            )


def _distinct(ticks: Sequence[_Tick], id_column: str, places: Places) -> list[Any]:
    """Return the ticks once each, in the order in which every writer takes its locks.

    The day comes first, as COPY fills one partition after another.
    """
    if not ticks:
        return []
    ids = np.fromiter(map(attrgetter(id_column), ticks), np.int64, len(ticks))
    ts = np.fromiter([tick.ts for tick in ticks], np.int64, len(ticks))
    instruments = _instruments(ticks)
    order = np.lexsort((ids, ts, instruments, _exchanges(ticks, places), ts // DAY))
    keys = np.stack((ids, ts, instruments))[:, order]
    fresh = np.ones(len(ticks), dtype=bool)
    fresh[1:] = (keys[:, 1:] != keys[:, :-1]).any(axis=0)
    return [ticks[index] for index in order[fresh].tolist()]


def _spans(kind: Kind, keys: Iterable[Key]) -> list[tuple[int, Span]]:
    """Return the span of each instrument."""
    found: dict[int, list[tuple[int, int]]] = {}
    for instrument_id, ts, tick_id in keys:
        found.setdefault(instrument_id, []).append((ts, tick_id))
    return [
        (instrument_id, Span(kind, *min(places), *max(places), len(places)))
        for instrument_id, places in found.items()
    ]


def _listing(spans: Iterable[tuple[int, Span]]) -> Listing:
    listing: Listing = {}
    for instrument_id, span in spans:
        listing.setdefault(instrument_id, []).append(span)
    return listing


def _instruments(ticks: Sequence[_Tick]) -> "np.ndarray[Any, np.dtype[np.int64]]":
    return np.fromiter([tick.instrument_id for tick in ticks], np.int64, len(ticks))


def _exchanges(ticks: Sequence[_Tick], places: Places) -> "np.ndarray[Any, np.dtype[np.int64]]":
    return np.fromiter([places[tick.instrument_id].exchange_id for tick in ticks], np.int64, len(ticks))


def _key_columns(ticks: Sequence[Any], id_column: str, places: Places) -> list[Column]:
    count_ = len(ticks)
    return [
        ("exchange_id", ">i2", _exchanges(ticks, places)),
        ("instrument_id", ">i4", _instruments(ticks)),
        ("ts", ">i8", times([tick.ts for tick in ticks], count_)),
        ("id", ">i8", np.fromiter(map(attrgetter(id_column), ticks), np.int64, count_)),
    ]


def _doubles(ticks: Sequence[Any], *names: str) -> list[Column]:
    return [
        (name, ">f8", np.fromiter(map(attrgetter(name), ticks), np.float64, len(ticks))) for name in names
    ]


def _received(ticks: Sequence[Any]) -> Column:
    return "received_at", ">i8", times([tick.received_at for tick in ticks], len(ticks))


def _encode_trades(trades: Sequence[Trade], places: Places) -> bytes:
    sides: Column = ("side", ">i2", np.fromiter([trade.side for trade in trades], np.int16, len(trades)))
    values = _doubles(trades, "price", "size")
    exchange, *key = _key_columns(trades, "trade_id", places)
    return rows([exchange, sides, *key, *values, _received(trades)])


def _encode_quotes(quotes: Sequence[Quote], places: Places) -> bytes:
    values = _doubles(quotes, "bid_price", "bid_size", "ask_price", "ask_size")
    return rows([*_key_columns(quotes, "update_id", places), *values, _received(quotes)])


def _encode_depths(depths: Sequence[Depth], places: Places) -> bytes:
    arrays = [
        [depth.bid_prices for depth in depths],
        [depth.bid_sizes for depth in depths],
        [depth.ask_prices for depth in depths],
        [depth.ask_sizes for depth in depths],
    ]
    return rows_with_arrays(_key_columns(depths, "update_id", places), arrays, _received(depths))


_TRADES = _Table(Kind.TRADE, "trades", "trade_id", _encode_trades)
_QUOTES = _Table(Kind.QUOTE, "quotes", "update_id", _encode_quotes)
_DEPTHS = _Table(Kind.DEPTH, "depths", "update_id", _encode_depths)
_TABLES = {table.name: table for table in (_TRADES, _QUOTES, _DEPTHS)}
