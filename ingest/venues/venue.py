"""What every venue's adapter is: names, addresses, subscriptions, and a decoder. No I/O."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final, NamedTuple, Protocol

import msgspec

from ingest.standings import Books
from market.depths import Depth
from market.errors import InvalidInputError
from market.instruments import Instrument, Market
from market.quotes import Quote
from market.trades import Trade
from market.watermarks import Watermark

TRADES = "trades"
QUOTES = "quotes"
DEPTHS = "depths"
FRAMES = "frames"
"""What a tally counts: the three kinds of tick, and frames of which not even the kind is known."""


Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A venue's own number of a trade or an update, as our columns hold it."""


class Reason(StrEnum):
    """Why a tick is not stored."""

    NOT_A_NUMBER = "not_a_number"
    NOT_A_DOUBLE = "not_a_double"
    NOT_POSITIVE = "not_positive"
    IMPLAUSIBLE_TIME = "implausible_time"
    NO_TIME = "no_time"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    BOOK_INVALID = "book_invalid"
    UNDECODABLE = "undecodable"


class Rejection(msgspec.Struct, frozen=True):
    """A tick that is not stored. A ``payload`` makes it a dead letter; without one it is only counted."""

    kind: str
    reason: str
    payload: bytes = b""


class Refusal(NamedTuple):
    """A subscription that the venue refused, by its key, and why."""

    key: str
    reason: str


class Decoded(msgspec.Struct, frozen=True):
    """What one frame said.

    ``repeated`` counts ticks by kind that are known already and are not stored again; ``conflated``
    those that a valid book took in and that are not written, as a depth of the same slot stands for them.
    ``snapshots_wanted`` are venue symbols whose book cannot go on without a fresh snapshot; ``broken``
    are the ids of the instruments whose book was valid before.
    """

    trades: Sequence[Trade] = ()
    quotes: Sequence[Quote] = ()
    depths: Sequence[Depth] = ()
    repeated: Mapping[str, int] = {}
    conflated: Mapping[str, int] = {}
    rejections: Sequence[Rejection] = ()
    watermarks: Sequence[Watermark] = ()
    acknowledged: Sequence[str] = ()
    refused: Sequence[Refusal] = ()
    snapshots_wanted: Sequence[str] = ()
    broken: Sequence[int] = ()

    @property
    def ticks(self) -> int:
        """Return of how many ticks the writer is to settle what became of them: all but the conflated."""
        stored = len(self.trades) + len(self.quotes) + len(self.depths)
        return stored + len(self.rejections) + sum(self.repeated.values())


NOTHING = Decoded()

_NOT_KEPT: Final = (Reason.NO_TIME, Reason.BOOK_INVALID)
"""Nothing is wrong with such a tick itself: it is counted, and no dead letter."""


def rejected(kind: str, reason: str, payload: bytes = b"", *, renew: str | None = None) -> Decoded:
    """Return the rejection of one tick; with ``renew``, the book of that venue symbol is wanted again."""
    kept = b"" if reason in _NOT_KEPT else payload
    return Decoded(rejections=(Rejection(kind, reason, kept),), snapshots_wanted=(renew,) if renew else ())


def merged(parts: Sequence[Decoded]) -> Decoded:
    """Return what several items of one frame say together."""
    if len(parts) == 1:
        return parts[0]
    return Decoded(
        trades=[trade for part in parts for trade in part.trades],
        quotes=[quote for part in parts for quote in part.quotes],
        depths=[depth for part in parts for depth in part.depths],
        repeated=_added([part.repeated for part in parts]),
        conflated=_added([part.conflated for part in parts]),
        rejections=[rejection for part in parts for rejection in part.rejections],
        watermarks=[mark for part in parts for mark in part.watermarks],
        snapshots_wanted=[symbol for part in parts for symbol in part.snapshots_wanted],
    )


def _added(counts: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for each in filter(None, counts):  # few say anything, and a Counter takes its time with nothing
        total.update(each)
    return total


class Subscription(NamedTuple):
    """A message to send, and the keys that the venue's acknowledgements will carry."""

    message: str
    keys: tuple[str, ...]


class Decoder(Protocol):
    """Understands the frames of one connection, in their order. Holds its books and its venue time."""

    def learn(self, venue_symbol: str, instrument_id: int) -> None:
        """Understand one more instrument."""

    def forget(self, venue_symbol: str) -> Decoded:
        """Say nothing by itself of an instrument any more; its ticks are understood as before.

        Returned, rejected, are the updates that waited for a snapshot of its book.
        """

    def decode(self, raw: bytes, received_at: int) -> Decoded:
        """Return what a frame says; raises DecodeError when it is none of this venue's frames."""

    def snapshot(self, venue_symbol: str, body: bytes, received_at: int) -> Decoded:
        """Take the book that was fetched because it was wanted; raises DecodeError."""

    def close(self) -> Decoded:
        """Give the books up, and give back, rejected, the updates that still wait for a snapshot."""


class Venue(Protocol):
    """One exchange and the protocol that it speaks."""

    @property
    def name(self) -> str:
        """Return the exchange's name in our words."""

    @property
    def docs(self) -> str:
        """Return where the protocol is documented."""

    @property
    def silence_seconds(self) -> float:
        """Return how long a healthy connection may say nothing before it is asked whether it lives."""

    @property
    def symbols_per_connection(self) -> int:
        """Return how many instruments one connection may carry."""

    @property
    def contiguous_ids(self) -> bool:
        """Tell whether each trade of an instrument is numbered one above the one before it."""

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument that we call ``symbol``; raises InvalidInputError."""

    def stream_urls(self, market: Market) -> tuple[str, ...]:
        """Return the addresses of the market's socket, the one preferred first."""

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[Subscription]:
        """Return what to send to listen to these."""

    def unsubscriptions(self, instruments: Sequence[Instrument]) -> list[str]:
        """Return what to send to listen to these no more."""

    def delisted(self, reason: str) -> bool:
        """Tell whether a subscription that was refused for this reason will be refused for ever."""

    def snapshot_url(self, instrument: Instrument) -> str | None:
        """Return where a book is fetched; None where the socket itself sends snapshots."""

    def renewal(self, instrument: Instrument) -> list[str]:
        """Return what to send for a fresh snapshot on the socket; nothing where it is fetched."""

    def decoder(self, instruments: Mapping[str, int], books: Books | None = None) -> Decoder:
        """Return a decoder for one connection, given instrument ids by venue symbol.

        ``books`` remember the connections before; without them every update of a book is written.
        """


class Parts(NamedTuple):
    """The parts of ``BASE/QUOTE`` or ``BASE/QUOTE:SETTLE``."""

    base: str
    quote: str
    settle: str | None

    @property
    def market(self) -> Market:
        """Return the market: what settles is a swap."""
        return Market.SWAP if self.settle else Market.SPOT


def parse_symbol(symbol: str) -> Parts:
    """Return the parts of a symbol in our words; raises InvalidInputError on anything else."""
    pair, _, settle = symbol.partition(":")
    base, slash, quote = pair.partition("/")
    plain = base.isalnum() and quote.isalnum() and symbol == symbol.upper()
    if not (plain and slash) or (":" in symbol and settle != quote):
        message = f"symbol {symbol!r} is not BASE/QUOTE or BASE/QUOTE:QUOTE in capitals, such as BTC/USDT"
        raise InvalidInputError(message)
    return Parts(base, quote, settle or None)
