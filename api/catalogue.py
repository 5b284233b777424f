"""Instruments by id and by name, as they are listed."""

from collections.abc import Callable, Iterator

from api import patterns
from api.database import Database
from db import instruments, overview
from db.instruments import Listed
from db.publications import Stream
from market.channels import WILDCARD, Channel
from market.errors import UnknownInstrumentError

_NAMED_IN_MESSAGES = 8


class Catalogue:
    """What was listed when it was last refreshed; nothing is ever unlisted."""

    def __init__(self, database: Database, can_be: Callable[[str], bool]) -> None:
        """Begin empty; ``can_be`` knows exchanges of which nothing is listed yet."""
        self._database = database
        self._can_be = can_be
        self._mark = (0, 0)
        self._by_id: dict[int, Listed] = {}
        self._by_name: dict[tuple[str, str], Listed] = {}

    async def refresh(self) -> list[Listed]:
        """Read what was listed meanwhile and return it."""
        async with self._database.connection() as connection:
            mark = await overview.listing(connection)
            if mark == self._mark:
                return []
            listed = await instruments.listed(connection)
        self._mark = mark
        return self._add(listed)

    async def reread(self) -> None:
        """Read everything again, of a database that may be another one, and forget what it does not list."""
        async with self._database.connection() as connection:
            mark = await overview.listing(connection)
            listed = await instruments.listed(connection)
        self._mark, self._by_id, self._by_name = mark, {}, {}
        self._add(listed)

    def __iter__(self) -> Iterator[Listed]:
        """Iterate over all instruments in the order in which they were listed."""
        return iter(self._by_id.values())

    def __contains__(self, instrument_id: int) -> bool:
        """Tell whether this id is known."""
        return instrument_id in self._by_id

    def find(self, exchange: str, symbol: str) -> Listed | None:
        """Return the instrument, if it is known here."""
        return self._by_name.get((exchange, symbol))

    def named(self, exchange: str, symbol: str) -> Listed:
        """Return the instrument; raises UnknownInstrumentError."""
        found = self.find(exchange, symbol)
        if found is None:
            raise UnknownInstrumentError(self._refusal(exchange, symbol))
        return found

    def matching(self, exchange: str | None, symbol: str | None) -> list[Listed]:
        """Return the instruments of an exchange (all) whose symbol matches a pattern (all).

        Raises UnknownInstrumentError for an exchange that has none, and for one symbol that is not there.
        """
        of_exchange = [each for each in self if exchange in (None, each.instrument.exchange)]
        if exchange is not None and not of_exchange:
            raise UnknownInstrumentError(self._refusal(exchange, symbol or WILDCARD))
        matches = patterns.matcher(WILDCARD if symbol is None else symbol)
        found = [each for each in of_exchange if matches(each.instrument.symbol)]
        if not found and symbol is not None and not patterns.is_pattern(symbol):
            raise UnknownInstrumentError(self._refusal(exchange or WILDCARD, symbol))
        return found

    def by_id(self, instrument_id: int) -> Listed:
        """Return the instrument with this id, which must be known."""
        return self._by_id[instrument_id]

    def channel(self, stream: Stream) -> Channel:
        """Return the name under which a stream is sent."""
        instrument = self._by_id[stream.instrument_id].instrument
        return Channel(stream.family, instrument.exchange, instrument.symbol)

    def streams(self, channel: Channel) -> list[Stream]:
        """Return the streams that the channel names.

        Raises UnknownInstrumentError, unless a wildcard waits for what is listed later.
        """
        if channel.wild:
            if channel.exchange != WILDCARD and not self._may_list(channel.exchange):
                raise UnknownInstrumentError(self._refusal(channel.exchange, channel.symbol))
            return [stream for stream in self._all(channel) if channel.matches(self.channel(stream))]
        return [Stream(self.named(channel.exchange, channel.symbol).instrument_id, channel.family)]

    def _may_list(self, exchange: str) -> bool:
        return any(exchange == listed for listed, _ in self._by_name) or self._can_be(exchange)

    def _all(self, channel: Channel) -> Iterator[Stream]:
        return (Stream(instrument_id, channel.family) for instrument_id in self._by_id)

    def _add(self, listed: list[Listed]) -> list[Listed]:
        fresh = [each for each in listed if each.instrument_id not in self._by_id]
        for each in fresh:
            self._by_id[each.instrument_id] = each
            self._by_name[each.instrument.exchange, each.instrument.symbol] = each
        return fresh

    def _refusal(self, exchange: str, symbol: str) -> str:
        near = [symbol_ for exchange_, symbol_ in self._by_name if exchange_ == exchange]
        there = f"{exchange} has {_some(near)}" if near else f"exchanges are {_some(self._exchanges())}"
        return f"no instrument {symbol!r} on {exchange!r}: {there}; /v1/instruments lists all"

    def _exchanges(self) -> list[str]:
        return sorted({exchange for exchange, _ in self._by_name})


def _some(names: list[str]) -> str:
    more = ", ..." if len(names) > _NAMED_IN_MESSAGES else ""
    return ", ".join(names[:_NAMED_IN_MESSAGES]) + more if names else "none yet"
