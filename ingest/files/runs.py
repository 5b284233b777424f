"""Which stretches of a tape a file holds whole. No I/O."""

from collections.abc import Iterable

from ingest.files.layouts import Row
from market.coverage import Proof
from market.gaps import TRADES


class Runs:
    """Follows a file's rows in their order: ids without holes, or, without ids, no row that was refused.

    A stretch lies between its first and its last trade: others may share their times.
    """

    def __init__(self, instrument_id: int, coarseness: int = 1) -> None:
        self._instrument_id = instrument_id
        self.coarseness = coarseness
        """Microseconds that a time without an id stands for."""
        self._last_id: int | None = None
        self._from_ts: int | None = None
        self._to_ts = 0

    def follow(self, rows: Iterable[Row | None]) -> list[Proof]:
        """Take the next rows, None for one that was refused; return what they prove, or prove more of."""
        found: dict[int, Proof] = {}
        for row in rows:
            self._take(row)
            if self._from_ts is not None and self._from_ts < self._to_ts:
                found[self._from_ts] = Proof(self._instrument_id, TRADES, self._from_ts, self._to_ts)
        return list(found.values())

    def _take(self, row: Row | None) -> None:
        if row is None:
            self._from_ts = self._last_id = None
            return
        trade = row.trade
        if row.ordinal is not None:
            self._extend(trade.ts, trade.ts + self.coarseness, begins=self._from_ts is None)
            return
        begins = self._last_id is None or trade.trade_id != self._last_id + 1
        self._extend(trade.ts + 1 if begins else trade.ts, trade.ts, begins=begins)
        self._last_id = trade.trade_id

    def _extend(self, from_ts: int, to_ts: int, *, begins: bool) -> None:
        if begins:
            self._from_ts, self._to_ts = from_ts, to_ts
        else:
            self._to_ts = max(self._to_ts, to_ts)
