"""What a venue was asked for on one connection, and what it answered."""

import asyncio
from collections.abc import Iterable

from ingest.venues.venue import Decoded, Refusal, Subscription


class Answers:
    """Which subscriptions wait for an answer, and how the others were answered."""

    def __init__(self) -> None:
        self._symbols: frozenset[str] = frozenset()
        self._waiting: set[str] = set()
        self._all = asyncio.Event()
        self.acknowledged = 0
        """How many subscriptions the venue acknowledged."""
        self.refused: dict[str, str] = {}
        """Why it refused others, by venue symbol."""

    @property
    def complete(self) -> bool:
        """Tell whether something was asked, and all of it was answered."""
        return self._all.is_set()

    @property
    def missing(self) -> str:
        """Return what waits."""
        return ", ".join(sorted(self._waiting))

    def ask(self, subscriptions: Iterable[Subscription], symbols: Iterable[str]) -> None:
        """Wait for the answers to these subscriptions, which are for these venue symbols."""
        self._symbols = frozenset(symbols)
        self._waiting = {key for subscription in subscriptions for key in subscription.keys}
        self._all.clear()
        self.forget(self._symbols)

    def forget(self, symbols: Iterable[str]) -> None:
        """Forget what was answered about these venue symbols."""
        for symbol in symbols:
            self.refused.pop(symbol, None)

    def note(self, decoded: Decoded) -> dict[str, str]:
        """Take answers; return the reason of each venue symbol that is certainly refused."""
        for key in decoded.acknowledged:
            self.acknowledged += key in self._waiting
            self._waiting.discard(key)
        certain: dict[str, str] = {}
        for refusal in decoded.refused if self._waiting else ():
            symbols = self._symbols_of(refusal)
            self.refused.update(dict.fromkeys(symbols, refusal.reason))
            certain.update(dict.fromkeys(symbols, refusal.reason) if len(symbols) == 1 else {})
            self._waiting -= self._answered_by(refusal)
        if self._symbols and not self._waiting:
            self._all.set()
        return certain

    async def wait(self) -> None:
        """Wait until everything that was asked is answered."""
        await self._all.wait()

    def _symbols_of(self, refusal: Refusal) -> frozenset[str]:
        """Return whose refusal it is: whose the key says, or of all that were asked for together."""
        channel, _, symbol = refusal.key.rpartition(":")
        return self._symbols & {symbol} if channel else self._symbols

    def _answered_by(self, refusal: Refusal) -> set[str]:
        if refusal.key in self._waiting or ":" in refusal.key:
            return {refusal.key}
        return self._waiting.copy()
