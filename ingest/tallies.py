"""What became of ticks: offered = stored + duplicates + conflated + rejected, once all is written."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from ingest.buffer import Arrival
from ingest.venues.venue import DEPTHS, QUOTES, TRADES


class Tally(msgspec.Struct):
    """The counts of one kind of one exchange."""

    offered: int = 0
    stored: int = 0
    duplicates: int = 0
    conflated: int = 0
    rejected: Counter[str] = msgspec.field(default_factory=Counter)


Stored = Mapping[str, Mapping[str, int]]
"""New and committed ticks by exchange and kind."""


class Tallies:
    """Counts by exchange and kind. Only what is committed counts as anything but offered."""

    def __init__(self, exchanges: Iterable[str] = ()) -> None:
        self._tallies: dict[str, defaultdict[str, Tally]] = {}
        for exchange in exchanges:
            self.admit(exchange)

    def admit(self, exchange: str) -> None:
        """Count an exchange's ticks from now on."""
        if exchange not in self._tallies:
            self._tallies[exchange] = defaultdict(Tally, {kind: Tally() for kind in (TRADES, QUOTES, DEPTHS)})

    def offer(self, arrival: Arrival) -> None:
        """Count what arrived."""
        tallies, decoded = self._tallies[arrival.exchange], arrival.decoded
        tallies[TRADES].offered += len(decoded.trades)
        tallies[QUOTES].offered += len(decoded.quotes)
        tallies[DEPTHS].offered += len(decoded.depths)
        for kind, ticks in decoded.repeated.items():
            tallies[kind].offered += ticks
        for rejection in decoded.rejections:
            tallies[rejection.kind].offered += 1

    def conflate(self, exchange: str, conflated: Mapping[str, int]) -> None:
        """Count what is not written and waits for nothing."""
        for kind, ticks in conflated.items():
            tally = self._tallies[exchange][kind]
            tally.offered += ticks
            tally.conflated += ticks

    def settle(self, arrivals: Iterable[Arrival], stored: Stored) -> None:
        """Count what became of arrivals, of which ``stored`` are new: the others are duplicates."""
        for arrival in arrivals:
            tallies, decoded = self._tallies[arrival.exchange], arrival.decoded
            tallies[TRADES].duplicates += len(decoded.trades)
            tallies[QUOTES].duplicates += len(decoded.quotes)
            tallies[DEPTHS].duplicates += len(decoded.depths)
            for kind, ticks in decoded.repeated.items():
                tallies[kind].duplicates += ticks
            for rejection in decoded.rejections:
                tallies[rejection.kind].rejected[str(rejection.reason)] += 1
        for exchange, kinds in stored.items():
            for kind, ticks in kinds.items():
                self._tallies[exchange][kind].stored += ticks
                self._tallies[exchange][kind].duplicates -= ticks

    def counters(self) -> dict[str, object]:
        """Return the totals as heartbeats carry them: by exchange, then kind."""
        return {
            exchange: {kind: msgspec.to_builtins(tally) for kind, tally in tallies.items()}
            for exchange, tallies in self._tallies.items()
        }
