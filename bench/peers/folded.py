"""The work of a job, the same for every queue: fold ticks as a live worker does. Imported by scripts."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import attrgetter

import msgspec

from market.trades import Trade
from workers.folding import Folder, InstrumentState
from workers.kinds.catalogue import KINDS

RESULTS = "CREATE TABLE results (result_id bigserial PRIMARY KEY, ticks int, signals int, bars int)"
"""Where a job commits what came of it."""

_TICKS = msgspec.json.Decoder(list[Trade])


def encoded(ticks: Sequence[Trade]) -> bytes:
    """Return what a job carries."""
    return msgspec.json.encode(ticks)


class Work:
    """Keeps the state of every instrument in memory, which spares a queue to load and to store it."""

    def __init__(self) -> None:
        """Begin every tape."""
        self._folder = Folder(KINDS)
        self._states: dict[int, InstrumentState] = {}

    def done(self, payload: bytes | str) -> tuple[int, int, int]:
        """Fold what a job carries; return how many ticks, signals, and final bars."""
        ticks = _TICKS.decode(payload)
        signals = bars = 0
        for instrument_id, trades in _tapes(ticks):
            state = self._states.get(instrument_id) or self._folder.start()
            folded = self._folder.fold(state, trades)
            self._states[instrument_id] = folded.state
            signals += len(folded.signals)
            bars += len(folded.bars)
        return len(ticks), signals, bars


def _tapes(ticks: Iterable[Trade]) -> Iterable[tuple[int, list[Trade]]]:
    key, of = attrgetter("instrument_id", "ts", "trade_id"), attrgetter("instrument_id")
    return [(each, list(trades)) for each, trades in groupby(sorted(ticks, key=key), of)]
