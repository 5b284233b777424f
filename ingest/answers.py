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
        self.silent: set[str] = set()
        """The venue symbols that are asked about again, until an answer comes."""

    @property
    def complete(self) -> bool:
        """Tell whether something was asked, and all of it was answered."""
        return self._all.is_set()

    @property
    def missing(self) -> str:
        """Return what waits."""
        return ", ".join(sorted(self._waiting))

    @property
    def troubles(self) -> str:
        """Return why not everything that was asked for is heard."""
        unanswered = [f"no answer about {symbol}" for symbol in sorted(self.silent - self.refused.keys())]
        return "; ".join(sorted(set(self.refused.values())) + unanswered)

    @property
    def settled(self) -> bool:
        """Tell whether all was answered that is not asked once more."""
        return self.complete or (bool(self._symbols) and self._open() <= self.silent)

    def accepts(self, venue_symbol: str) -> bool:
        """Tell whether everything that was asked about a venue symbol is acknowledged."""
        return venue_symbol not in self.refused and venue_symbol not in self._open() | self.silent

    def ask(self, subscriptions: Iterable[Subscription], symbols: Iterable[str]) -> None:
        """Wait for the answers to these subscriptions, which are for these venue symbols."""
        self._symbols = frozenset(symbols)
        self._waiting = {key for subscription in subscriptions for key in subscription.keys}
        self._all.clear()
        for symbol in self._symbols:
            self.refused.pop(symbol, None)

    def give_up(self) -> None:
        """Wait no longer for what is missing."""
        self.silent |= self._open()
        self._symbols = frozenset()
        self._waiting.clear()
        self._all.set()

    def reconsider(self) -> None:
        """Have what was refused asked for once more: not every refusal is for ever."""
        self.silent |= self.refused.keys()

    def forget(self, symbols: Iterable[str]) -> None:
        """Forget what was answered about these venue symbols."""
        for symbol in symbols:
            self.refused.pop(symbol, None)
            self.silent.discard(symbol)

    def note(self, decoded: Decoded) -> dict[str, str]:
        """Take answers; return the reason of each venue symbol that is certainly refused."""
        for key in decoded.acknowledged:
            self.acknowledged += key in self._waiting
            self._waiting.discard(key)
        certain: dict[str, str] = {}
        for refusal in decoded.refused if self._waiting else ():
            symbols = self._symbols_of(refusal.key)
            self.refused.update(dict.fromkeys(symbols, refusal.reason))
            certain.update(dict.fromkeys(symbols, refusal.reason) if len(symbols) == 1 else {})
            self._waiting -= self._answered_by(refusal)
        self.silent -= self._symbols - self._open()
        if self._symbols and not self._waiting:
            self._all.set()
        return certain

    async def wait(self) -> None:
        """Wait until everything that was asked is answered."""
        await self._all.wait()

    def _open(self) -> set[str]:
        """Return about which venue symbols an answer is missing."""
        return {symbol for key in self._waiting for symbol in self._symbols_of(key)}

    def _symbols_of(self, key: str) -> frozenset[str]:
        """Return whose answer it is: whose the key says, or of all that were asked for together."""
        channel, _, symbol = key.rpartition(":")
        return self._symbols & {symbol} if channel else self._symbols

    def _answered_by(self, refusal: Refusal) -> set[str]:
        if refusal.key in self._waiting or ":" in refusal.key:
            return {refusal.key}
        return self._waiting.copy()
