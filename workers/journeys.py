"""Which way the tick took that decided a signal: known of the ticks of the claim that folds them. Pure."""

from collections.abc import Iterable

from market.batches import Batch, Span
from market.signals import Journey
from market.ticks import TapeKey
from workers.folding import DecidedSignal


class Journeys:
    """Knows when the ticks of one claim were committed."""

    def __init__(self, batches: Iterable[Batch], claimed_at: int) -> None:
        """Take the batches of a claim, oldest first."""
        self._claimed_at = claimed_at
        self._stored: dict[int, list[tuple[Span, int]]] = {}
        for batch in batches:
            for instrument_id, spans in batch.listing.items():
                self._stored.setdefault(instrument_id, []).extend((span, batch.stored_at) for span in spans)

    def of(self, instrument_id: int, decided: DecidedSignal) -> Journey:
        """Return the way of the tick that decided a signal of this instrument."""
        key = decided.decided_by
        stored_at = next((at for span, at in self._stored.get(instrument_id, ()) if _lists(span, key)), None)
        return Journey(key.ts, decided.received_at, stored_at, self._claimed_at)


def _lists(span: Span, key: TapeKey) -> bool:
    return span.kind == key.kind and span.first <= key <= span.last
