"""The plan of a backfill: what is missing, and what it costs to fetch, as the venue's tape is looked at."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from db import feeds
from db.asked import NewPiece, enqueue_backfill
from db.feeds import FeedRow
from db.instruments import Listed, listed, register
from db.partitions import day_of, existing_days
from db.proofs import read_stored
from ingest.history.backfilling import NO_ROAD
from ingest.history.planning import Estimate, Piece, estimate, missing, pieces
from ingest.history.roads import Road, road_of
from ingest.history.surveying import Edge, Survey
from ingest.naming import instrument_named
from ingest.outbound.outbound import Outbound
from ingest.venues.history import Page, Stretch
from market import coverage
from market.coverage import Interval
from market.errors import InvalidInputError, UnknownFeedError, VenueRefusedError
from market.gaps import TRADES
from market.instruments import Instrument
from market.nearest import suggestion
from market.times import DAY, SECOND, floor, to_iso
from runtime.clock import Clock

if TYPE_CHECKING:
    from db.connections import Connection

SURE_AFTER: Final = 60 * SECOND
"""What is younger a venue's history may not have yet."""

_SURVEYED_AT_MOST: Final = 6
"""Missing intervals whose ends are each looked for; of more, only those of all together."""


class Asked(NamedTuple):
    """What an operator wants: symbols of a venue in [from_ts, to_ts); without an end, all that there is."""

    exchange: str
    symbols: Sequence[str]
    from_ts: int
    to_ts: int | None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of one instrument: what is missing, and in which pieces it is fetched, in order of time.

    ``begins_at``: the venue has nothing from before that; None where it has.
    """

    instrument: Instrument
    missing: Sequence[Interval]
    begins_at: int | None
    pieces: Sequence[Piece]
    estimate: Estimate


class Plan(msgspec.Struct, frozen=True):
    """What a backfill of [from_ts, to_ts) would fetch."""

    from_ts: int
    to_ts: int
    parts: Sequence[Part]

    @property
    def estimate(self) -> Estimate:
        """Return what all of it costs: one venue's budget pays for all symbols."""
        total = Estimate()
        for part in self.parts:
            total = total.and_(part.estimate)
        return total

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to fetch."""
        return not any(part.pieces for part in self.parts)


class Planner:
    """Plans, and writes nothing; whatever cannot be is refused here."""

    def __init__(self, connection: "Connection", outbound: Outbound, clock: Clock, api_key: str) -> None:
        self._connection = connection
        self._outbound = outbound
        self._clock = clock
        self._api_key = api_key

    async def plan(self, asked: Asked) -> Plan:
        """Return the plan; raises InvalidInputError, with what could be asked for instead."""
        from_ts, to_ts = _range(asked, self._clock())
        named = [instrument_named(asked.exchange, symbol) for symbol in dict.fromkeys(asked.symbols)]
        wanted = _listened_to(named, await feeds.feeds(self._connection))
        known = {each.instrument.key: each for each in await listed(self._connection)}
        parts = [
            await self._part(each, feed, known.get(each.key), Interval(from_ts, to_ts))
            for each, feed in wanted
        ]
        return Plan(from_ts, to_ts, parts)

    async def _part(
        self, instrument: Instrument, feed: FeedRow, known: Listed | None, asked: Interval
    ) -> Part:
        way = road_of(instrument, feed.protocol, feed.rest_url, self._api_key)
        if way is None:
            message = f"{instrument.key} cannot be backfilled: {NO_ROAD}"
            raise InvalidInputError(message)
        lacking = missing(asked, await self._coverage(known, asked))
        try:
            begins_at, rows = await self._surveyed(instrument, way, lacking)
        except VenueRefusedError as error:
            message = f"{instrument.key} cannot be backfilled: {error}"
            raise InvalidInputError(message) from error
        if begins_at is not None and begins_at >= asked.to_ts:
            message = f"{instrument.key} has no trades before {to_iso(begins_at)}: ask for a range after that"
            raise InvalidInputError(message)
        planned = _planned(lacking, rows, begins_at)
        request = way.history.request(_stretch(instrument), "")
        cost = estimate(planned, way.history.limit, request.weight, way.reach)
        return Part(
            instrument=instrument, missing=lacking, begins_at=begins_at, pieces=planned, estimate=cost
        )

    async def _coverage(self, known: Listed | None, asked: Interval) -> coverage.Coverage:
        if known is None:
            return coverage.NOTHING
        found = await read_stored(self._connection, [known.instrument_id], TRADES, *asked)
        return await self._kept(found[known.instrument_id], asked)

    async def _kept(self, proven: coverage.Coverage, asked: Interval) -> coverage.Coverage:
        """Return what is proven of days that are there, whoever dropped the others."""
        there = set(await existing_days(self._connection, "trades"))
        starts = range(floor(asked.from_ts, DAY), asked.to_ts, DAY)
        gone = [Interval(start, start + DAY) for start in starts if day_of(start) not in there]
        return coverage.Coverage(proven.proven, [*proven.unproven, *gone])

    async def _surveyed(
        self, instrument: Instrument, way: Road, lacking: Sequence[Interval]
    ) -> tuple[int | None, dict[Interval, int]]:
        """Return where the venue's tape begins, if that is within, and about how many rows are where."""
        if not lacking:
            return None, {}
        survey = Survey(partial(self._look, way), way.history, _stretch(instrument))
        whole = Interval(lacking[0].from_ts, lacking[-1].to_ts)
        spans = lacking if len(lacking) <= _SURVEYED_AT_MOST else [whole]
        edges = [(span, await survey.edge(span.from_ts), await survey.edge(span.to_ts)) for span in spans]
        first = edges[0][1]
        counted = {span: _rows(since, until) for span, since, until in edges}
        if len(spans) < len(lacking):
            counted = _shared(counted[whole], whole, lacking)
        return first.begins_at if first else None, counted

    async def _look(self, way: Road, wanted: Stretch, position: str) -> Page:
        body = await self._outbound.get(way.call(wanted, position))
        return way.history.page(wanted, position, body, self._clock())


async def enqueue(connection: "Connection", plan: Plan) -> int:
    """Put a plan that is not empty in the queue, the newest first, and return the job's id.

    The newest first, as then what remembers it is computed once.
    """
    known = await register(connection, [part.instrument for part in plan.parts])
    wanted = [
        NewPiece(known[part.instrument.key].instrument_id, piece.from_ts, piece.to_ts, piece.rows)
        for part in plan.parts
        for piece in part.pieces
    ]
    newest_first = sorted(wanted, key=_from_ts, reverse=True)
    return await enqueue_backfill(connection, plan.from_ts, plan.to_ts, newest_first)


def _from_ts(piece: NewPiece) -> int:
    return piece.from_ts


def _range(asked: Asked, now: int) -> tuple[int, int]:
    sure = now - SURE_AFTER
    to_ts = sure if asked.to_ts is None else asked.to_ts
    if max(asked.from_ts, to_ts) > sure:
        late = "--from" if asked.from_ts > sure else "--to"
        given, newest = to_iso(max(asked.from_ts, to_ts)), to_iso(sure // SECOND * SECOND)
        message = f"{late} {given} lies ahead of what history is sure of: give {newest} at most"
        raise InvalidInputError(message)
    if asked.from_ts >= to_ts:
        message = f"--from {to_iso(asked.from_ts)} does not lie before --to {to_iso(to_ts)}"
        raise InvalidInputError(message)
    return asked.from_ts, to_ts


def _listened_to(named: Sequence[Instrument], known: Sequence[FeedRow]) -> list[tuple[Instrument, FeedRow]]:
    by_name = {str(feed.name): feed for feed in known}
    for each in named:
        if each.key not in by_name:
            near = suggestion(each.key, by_name)
            add = f"heliograph feeds add {each.exchange} {each.symbol}"
            message = f"nothing listens to {each.key}: {add}{'; or ' + near if near else ''}"
            raise UnknownFeedError(message)
        if (feed := by_name[each.key]).state == "closed":
            message = f"{each.key} cannot be backfilled: its feed is closed: {feed.reason}"
            raise InvalidInputError(message)
    return [(each, by_name[each.key]) for each in named]


def _planned(lacking: Sequence[Interval], rows: dict[Interval, int], begins_at: int | None) -> list[Piece]:
    """Return the pieces of what is missing, but for what lies before the venue's tape."""
    return [
        piece
        for interval in lacking
        if begins_at is None or begins_at < interval.to_ts
        for piece in pieces(
            Interval(max(interval.from_ts, begins_at or 0), interval.to_ts), rows.get(interval, 0)
        )
    ]


def _rows(since: Edge | None, until: Edge | None) -> int:
    return max(until.trade_id - since.trade_id, 0) if since and until else 0


def _shared(rows: int, whole: Interval, lacking: Sequence[Interval]) -> dict[Interval, int]:
    length = whole.to_ts - whole.from_ts
    return {each: rows * (each.to_ts - each.from_ts) // length for each in lacking}


def _stretch(instrument: Instrument) -> Stretch:
    return Stretch(instrument_id=0, venue_symbol=instrument.venue_symbol, from_ts=0, to_ts=0)
