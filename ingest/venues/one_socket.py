"""What venues share that say everything on one socket, the snapshots of their books too. No I/O."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from ingest.books import Cause, State
from ingest.standings import Books
from ingest.venues.decoding import VenueDecoder
from ingest.venues.venue import DEPTHS, Decoded, Reason, Subscription, rejected
from market.errors import DecodeError
from market.instruments import Instrument, Market

_Book = TypeVar("_Book")


class OneSocket:
    """The part of an adapter that says where."""

    url: ClassVar[str]
    symbols_per_connection: ClassVar[int]
    unknown: ClassVar[tuple[str, ...]]
    """What a refusal says of a symbol that the venue does not have."""

    def delisted(self, reason: str) -> bool:
        """Tell whether the refusal is of the symbol itself."""
        return any(words in reason for words in self.unknown)

    def stream_urls(self, market: Market) -> tuple[str, ...]:  # noqa: ARG002 - there is one
        """Return the address of the one socket."""
        return (self.url,)

    def snapshot_url(self, instrument: Instrument) -> str | None:  # noqa: ARG002 - for none
        """Return None: snapshots come on the socket."""
        return None


class ByChannel(OneSocket):
    """The part of an adapter whose messages name one channel and many symbols."""

    channels: ClassVar[Collection[str]]

    @abstractmethod
    def message(self, verb: str, channel: str, symbols: Sequence[str]) -> str:
        """Return what subscribes to a channel, or leaves it."""

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[Subscription]:
        """Return one message a channel; each symbol is acknowledged or refused by itself."""
        symbols = [instrument.venue_symbol for instrument in instruments]
        return [
            Subscription(
                self.message("subscribe", channel, symbols), tuple(f"{channel}:{s}" for s in symbols)
            )
            for channel in self.channels
        ]

    def unsubscriptions(self, instruments: Sequence[Instrument]) -> list[str]:
        """Return one message a channel."""
        symbols = [instrument.venue_symbol for instrument in instruments]
        return [self.message("unsubscribe", channel, symbols) for channel in self.channels]

    def renewal(self, instrument: Instrument) -> list[str]:
        """Leave the book and subscribe to it again: that sends a snapshot."""
        symbols = [instrument.venue_symbol]
        return [self.message(verb, "book", symbols) for verb in ("unsubscribe", "subscribe")]


class OneSocketDecoder(VenueDecoder, Generic[_Book]):
    """The part of a decoder that keeps the valid books, and fetches nothing."""

    exchange: ClassVar[str]

    def __init__(self, instruments: Mapping[str, int], books: Books | None = None) -> None:
        super().__init__(instruments, books)
        self._valid: dict[str, _Book] = {}

    def snapshot(self, venue_symbol: str, body: bytes, received_at: int) -> Decoded:
        """Raise DecodeError: books come on the socket."""
        size = len(body)
        message = f"{self.exchange}: no book of {venue_symbol} was asked for ({size} bytes at {received_at})"
        raise DecodeError(message)

    def _begin(self, symbol: str, book: _Book, received_at: int) -> None:
        """Take a book that a snapshot began."""
        self._valid[symbol] = book
        self._standings.stands(self._instruments[symbol], State.VALID, received_at)

    def _break(
        self,
        symbol: str,
        cause: Cause,
        received_at: int,
        reason: str = Reason.BOOK_INVALID,
        raw: bytes = b"",
    ) -> Decoded:
        """Give a book up, reject what showed that it is wrong, and want a fresh one."""
        self._give_up(symbol, cause, received_at)
        return rejected(DEPTHS, reason, raw, renew=symbol)

    def _drop(self, symbol: str, received_at: int) -> Decoded:
        """Reject what comes before the snapshot that is wanted."""
        self._standings.stands(self._instruments[symbol], State.SNAPSHOT, received_at)
        return rejected(DEPTHS, Reason.BOOK_INVALID, renew=symbol)

    def _give_up(self, symbol: str, cause: Cause, received_at: int) -> None:
        self._valid.pop(symbol, None)
        self._standings.stands(self._instruments[symbol], State.SNAPSHOT, received_at, cause)
