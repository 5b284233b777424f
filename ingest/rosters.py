"""The instruments that one connection is to carry: they come and go while it runs."""

import asyncio
from collections.abc import Iterator, Mapping

import msgspec

from db.instruments import Listed


class Difference(msgspec.Struct, frozen=True):
    """What a socket is to be told."""

    joined: tuple[Listed, ...]
    left: tuple[Listed, ...]


class Roster:
    """What is wanted now, by venue symbol."""

    def __init__(self) -> None:
        self._listed: dict[str, Listed] = {}
        self.changed = asyncio.Event()
        """Set at each change; cleared by who follows."""

    def __iter__(self) -> Iterator[Listed]:
        return iter(self._listed.values())

    def __len__(self) -> int:
        return len(self._listed)

    def __contains__(self, venue_symbol: str) -> bool:
        return venue_symbol in self._listed

    def add(self, listed: Listed) -> None:
        """Want an instrument."""
        self._listed[listed.instrument.venue_symbol] = listed
        self.changed.set()

    def remove(self, venue_symbol: str) -> None:
        """Want it no more."""
        if self._listed.pop(venue_symbol, None):
            self.changed.set()

    def difference(self, told: Mapping[str, Listed]) -> Difference:
        """Return what is to be told to a socket that was told of these."""
        joined = tuple(each for symbol, each in self._listed.items() if symbol not in told)
        left = tuple(each for symbol, each in told.items() if symbol not in self._listed)
        return Difference(joined, left)
