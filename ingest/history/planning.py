"""What a backfill would do, before it does it: which intervals are missing, and in which pieces. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from ingest.venues.reach import Reach
from market.coverage import Coverage, Interval, without
from market.times import HOUR, SECOND

ROWS_A_PIECE: Final = 100_000
LONGEST_PIECE: Final = 6 * HOUR
BYTES_A_TRADE: Final = 114
"""On disk, with its share of the index, once its day is packed: docs/decisions/0007-bytes-a-trade.md."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """About what is to come."""

    rows: int = 0
    requests: int = 0
    seconds: float = 0.0
    bytes: int = 0

    def and_(self, other: "Estimate") -> "Estimate":
        """Return both together, one venue's after the other's."""
        return Estimate(
            rows=self.rows + other.rows,
            requests=self.requests + other.requests,
            seconds=self.seconds + other.seconds,
            bytes=self.bytes + other.bytes,
        )


class Piece(msgspec.Struct, frozen=True):
    """[from_ts, to_ts), microseconds, with about so many rows."""

    from_ts: int
    to_ts: int
    rows: int


def missing(asked: Interval, coverage: Coverage) -> list[Interval]:
    """Return what of an interval is not proven, in order."""
    return without([asked], coverage.intervals(*asked))


def pieces(interval: Interval, rows: int) -> list[Piece]:
    """Cut an interval with about so many rows, in order; they make it up, and together have the rows.

    None has much more rows than ROWS_A_PIECE where they are spread evenly, nor is longer than LONGEST_PIECE,
    and cuts stand on whole seconds.
    """
    length = interval.to_ts - interval.from_ts
    number = max(-(-rows // ROWS_A_PIECE), -(-length // LONGEST_PIECE), 1)
    ideal = [interval.from_ts + length * at // number for at in range(1, number)]
    inner = sorted({-(-ts // SECOND) * SECOND for ts in ideal})
    cuts = [interval.from_ts, *(ts for ts in inner if interval.from_ts < ts < interval.to_ts), interval.to_ts]
    return [
        Piece(from_ts, to_ts, _share(rows, interval, to_ts) - _share(rows, interval, from_ts))
        for from_ts, to_ts in pairwise(cuts)
    ]


def estimate(planned: Sequence[Piece], page: int, weight: int, reach: Reach) -> Estimate:
    """Return what pieces cost, where pages have ``page`` rows and weigh ``weight`` in the venue's measure."""
    rows = sum(piece.rows for piece in planned)
    requests = sum(-(-piece.rows // page) + 1 for piece in planned)
    return Estimate(
        rows=rows,
        requests=requests,
        seconds=requests * weight / reach.requests.per_second,
        bytes=rows * BYTES_A_TRADE,
    )


def _share(rows: int, interval: Interval, ts: int) -> int:
    """Return how many of the rows lie before a time, if they are spread evenly."""
    return rows * (ts - interval.from_ts) // (interval.to_ts - interval.from_ts)
