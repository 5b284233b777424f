"""The client: what can be asked, and what can be followed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from heliograph_client.addresses import address_of, stream_of
from heliograph_client.doors import Door, Question
from heliograph_client.history import Answer, History
from heliograph_client.moments import Length, Moment, range_of
from heliograph_client.positions import Position
from heliograph_client.rows import Bar, Coverage, Depth, Gap, Indicator, Instrument, Quote, Signal, Trade
from heliograph_client.stream import Stream
from heliograph_client.subscriptions import Channel, Subscriptions, channels_of

VERSION = "0.1.0"
DEFAULT_ADDRESS = "http://127.0.0.1:8000"
_AGENT = f"heliograph-client/{VERSION}"


class Client:
    """Asks a Heliograph and follows its stream. It holds no connection, so there is nothing to close.

    What it gives is iterated over with ``for`` or with ``async for``. Ranges are half-open: ``since``
    belongs to them, ``until`` does not; ``last`` counts back from now, as in ``last="1d"``. A ``limit`` is
    of rows in all. In symbols of histories ``*`` stands for any part.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        tries: int = 5,
        timeout_seconds: float = 30.0,
        silence_seconds: float = 30.0,
    ) -> None:
        """Name the API. Raises InvalidQuestionError for an address that leads nowhere.

        A question is asked up to ``tries`` times where that may help; the stream tries so often to connect
        at first, and for ever once it stood. A connection on which nothing is heard for
        ``silence_seconds`` is given up.
        """
        self.address = address_of(address)
        self._tries = tries
        self._silence_seconds = silence_seconds
        self._door = Door(self.address, tries=tries, timeout_seconds=timeout_seconds, agent=_AGENT)

    def instruments(self, exchange: str | None = None) -> History[Instrument]:
        """Return every instrument that has been listed, of one exchange or of all."""
        return History(
            self._door, Question("/v1/instruments", {"exchange": exchange}), Instrument, limit=None
        )

    def trades(  # noqa: PLR0913 - a question has many parts
        self,
        exchange: str,
        symbol: str | None = None,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        last: Length | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> History[Trade]:
        """Return the trades of an instrument, or of a whole exchange."""
        asked = {"exchange": exchange, "symbol": symbol, **_part(since, until, last, newest_first)}
        return History(self._door, Question("/v1/trades", asked), Trade, limit=limit)

    def quotes(  # noqa: PLR0913 - a question has many parts
        self,
        exchange: str,
        symbol: str | None = None,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        last: Length | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> History[Quote]:
        """Return best bids and asks, after each update."""
        asked = {"exchange": exchange, "symbol": symbol, **_part(since, until, last, newest_first)}
        return History(self._door, Question("/v1/quotes", asked), Quote, limit=limit)

    def depth(  # noqa: PLR0913 - a question has many parts
        self,
        exchange: str,
        symbol: str | None = None,
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        last: Length | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> History[Depth]:
        """Return tops of order books, up to ten levels a side, after each update."""
        asked = {"exchange": exchange, "symbol": symbol, **_part(since, until, last, newest_first)}
        return History(self._door, Question("/v1/depth", asked), Depth, limit=limit)

    def bars(  # noqa: PLR0913 - a question has many parts
        self,
        exchange: str,
        symbol: str,
        interval: str = "1m",
        *,
        since: Moment | None = None,
        until: Moment | None = None,
        last: Length | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> History[Bar]:
        """Return the final bars of an instrument: of 1s, 1m, 5m, 1h, or 1d."""
        whose = {"exchange": exchange, "symbol": symbol, "interval": interval}
        asked = {**whose, **_part(since, until, last, newest_first)}
        return History(self._door, Question("/v1/bars", asked), Bar, limit=limit)

    def signals(  # noqa: PLR0913 - a question has many parts
        self,
        exchange: str | None = None,
        symbol: str | None = None,
        *,
        kinds: Sequence[str] = (),
        min_strength: float | None = None,
        since: Moment | None = None,
        until: Moment | None = None,
        last: Length | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> History[Signal]:
        """Return signals as they stand now, those at least so strong, whichever way they point."""
        which = {"kind": list(kinds), "min_strength": min_strength}
        whose = {"exchange": exchange, "symbol": symbol, **which}
        asked = {**whose, **_part(since, until, last, newest_first)}
        return History(self._door, Question("/v1/signals", asked), Signal, limit=limit)

    def indicators(  # noqa: PLR0913 - a question has many parts
        self,
        exchange: str | None = None,
        symbol: str | None = None,
        *,
        kinds: Sequence[str] = (),
        since: Moment | None = None,
        until: Moment | None = None,
        last: Length | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> History[Indicator]:
        """Return the values behind signals, one of each kind a minute."""
        whose = {"exchange": exchange, "symbol": symbol, "kind": list(kinds)}
        asked = {**whose, **_part(since, until, last, newest_first)}
        return History(self._door, Question("/v1/indicators", asked), Indicator, limit=limit)

    def gaps(  # noqa: PLR0913 - a question has many parts
        self,
        exchange: str | None = None,
        symbol: str | None = None,
        *,
        states: Sequence[str] = (),
        since: Moment | None = None,
        until: Moment | None = None,
        last: Length | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> History[Gap]:
        """Return the gaps that overlap a range, in the order in which they were found."""
        whose = {"exchange": exchange, "symbol": symbol, "state": list(states)}
        asked = {**whose, **_part(since, until, last, newest_first)}
        return History(self._door, Question("/v1/gaps", asked), Gap, limit=limit)

    def coverage(  # noqa: PLR0913 - a question has many parts
        self,
        exchange: str,
        symbol: str,
        *,
        kind: str = "trades",
        since: Moment | None = None,
        until: Moment | None = None,
        last: Length | None = None,
    ) -> Answer[Coverage]:
        """Return how much of a range is proven to miss nothing, and where: ``await`` it, or ``get`` it."""
        whose = {"exchange": exchange, "symbol": symbol, "kind": kind}
        asked = {**whose, **range_of(since, until, last, datetime.now(UTC))}
        return Answer(self._door, Question("/v1/coverage", asked), Coverage)

    def stream(self, *channels: str | Channel, after: Position | Mapping[str, int] | None = None) -> Stream:
        """Return what is told on channels, like ``signals:kraken:SOL/USD``; ``*`` is any.

        What is in the log comes in order, once, without a hole, through every loss of a connection, from
        what comes next on, or ``after`` a position that was kept, or the last offset of each stream.
        """
        position = after.copied() if isinstance(after, Position) else Position(offsets=dict(after or {}))
        return Stream(
            stream_of(self.address),
            Subscriptions(list(channels_of(channels)), position),
            tries=self._tries,
            silence_seconds=self._silence_seconds,
            agent=_AGENT,
        )


def _part(
    since: Moment | None,
    until: Moment | None,
    last: Length | None,
    newest_first: bool,  # noqa: FBT001
) -> dict[str, str | None]:
    """Return which part of a history is asked for, and from which end."""
    order = "desc" if newest_first else None
    return {**range_of(since, until, last, datetime.now(UTC)), "order": order}
