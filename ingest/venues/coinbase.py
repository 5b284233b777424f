"""Coinbase Exchange.

Docs: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec

from ingest.books import Cause, Level, OrderBook, Top
from ingest.standings import Books
from ingest.venues.checking import UpdateIds, book_levels, double, id_of, positive
from ingest.venues.one_socket import OneSocket, OneSocketDecoder
from ingest.venues.venue import (
    DEPTHS,
    FRAMES,
    QUOTES,
    TRADES,
    Decoded,
    Id,
    Reason,
    Refusal,
    Subscription,
    parse_symbol,
    rejected,
)
from market.errors import DecodeError, InvalidInputError, RefusedTickError
from market.instruments import Instrument, Market, spot
from market.quotes import Quote
from market.trades import Side, Trade

_CHANNELS: Final = ("matches", "ticker", "level2_batch", "heartbeat")
"""``level2`` itself asks for a key; the batch has the same messages every 50 ms."""

_NOT_TOLD: Final = "nan"

_PRODUCT: Final = re.compile(r"[A-Z0-9]+-[A-Z0-9]+")

TAKERS: Final = {"buy": Side.SELL, "sell": Side.BUY}
"""A match tells the side of the maker."""


class _Match(msgspec.Struct, tag="match"):
    trade_id: Id
    side: str
    size: str
    price: str
    product_id: str
    time: str


class _LastMatch(_Match, tag="last_match"):
    pass


class _Ticker(msgspec.Struct, tag="ticker"):
    sequence: int
    product_id: str
    best_bid: str
    best_ask: str
    best_bid_size: str = _NOT_TOLD
    best_ask_size: str = _NOT_TOLD
    time: str | None = None


class _Snapshot(msgspec.Struct, tag="snapshot"):
    product_id: str
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]
    time: str | None = None


class _Update(msgspec.Struct, tag="l2update"):
    product_id: str
    changes: list[tuple[str, str, str]]
    time: str


class _Heartbeat(msgspec.Struct, tag="heartbeat"):
    product_id: str
    time: str


class _Channel(msgspec.Struct):
    name: str
    product_ids: list[str] = []


class _Subscriptions(msgspec.Struct, tag="subscriptions"):
    channels: list[_Channel]


class _Error(msgspec.Struct, tag="error"):
    message: str
    reason: str = ""


class _Typed(msgspec.Struct):
    type: str = ""
    product_id: str = ""


_Frame = _Match | _LastMatch | _Ticker | _Snapshot | _Update | _Heartbeat | _Subscriptions | _Error

_frames = msgspec.json.Decoder(_Frame)
_typed = msgspec.json.Decoder(_Typed)

_KINDS: Final = {
    "match": TRADES,
    "last_match": TRADES,
    "ticker": QUOTES,
    "snapshot": DEPTHS,
    "l2update": DEPTHS,
}


class Coinbase(OneSocket):
    """The adapter: one socket, everything on it, snapshots too."""

    name: ClassVar[str] = "coinbase"
    docs: ClassVar[str] = "https://docs.cdp.coinbase.com/exchange/websocket-feed/channels"
    url: ClassVar[str] = "wss://ws-feed.exchange.coinbase.com"
    silence_seconds: ClassVar[float] = 5.0
    contiguous_ids: ClassVar[bool] = True
    symbols_per_connection: ClassVar[int] = 100
    unknown: ClassVar[tuple[str, ...]] = ("is not a valid product", "delisted")

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument that Coinbase calls ``BTC-USD``; there are no swaps."""
        parts = parse_symbol(symbol)
        if parts.market != Market.SPOT:
            message = f"coinbase has no {symbol!r}: its Exchange feed is spot alone"
            raise InvalidInputError(message)
        return spot(self.name, parts.base, parts.quote, f"{parts.base}-{parts.quote}")

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[Subscription]:
        """Return a message a product, so that one that is refused does not refuse the others."""
        return [_subscription(instrument.venue_symbol) for instrument in instruments]

    def unsubscriptions(self, instruments: Sequence[Instrument]) -> list[str]:
        """Return one message for all."""
        products = [instrument.venue_symbol for instrument in instruments]
        return [_message({"type": "unsubscribe", "product_ids": products, "channels": _CHANNELS})]

    def renewal(self, instrument: Instrument) -> list[str]:
        """Leave the book and subscribe to it again: that sends a snapshot."""
        products = [instrument.venue_symbol]
        return [
            _message({"type": kind, "product_ids": products, "channels": ["level2_batch"]})
            for kind in ("unsubscribe", "subscribe")
        ]

    def decoder(self, instruments: Mapping[str, int], books: Books | None = None) -> "CoinbaseDecoder":
        """Return a decoder for one connection."""
        return CoinbaseDecoder(instruments, books)


def _subscription(product: str) -> Subscription:
    message = _message({"type": "subscribe", "product_ids": [product], "channels": _CHANNELS})
    return Subscription(message, tuple(_key(channel, product) for channel in _CHANNELS))


def _message(fields: Mapping[str, object]) -> str:
    return msgspec.json.encode(fields).decode()


def _key(channel: str, product: str) -> str:
    """Return the key of an acknowledgement; ``level2_batch`` is acknowledged under other names too."""
    return f"{channel.partition('_')[0]}:{product}"


class CoinbaseDecoder(OneSocketDecoder[OrderBook]):
    """Understands matches, tickers, and books of one connection."""

    exchange = Coinbase.name

    def __init__(self, instruments: Mapping[str, int], books: Books | None = None) -> None:
        super().__init__(instruments, books)
        self._book_times: defaultdict[str, int] = defaultdict(int)
        self._ids: defaultdict[str, UpdateIds] = defaultdict(UpdateIds)
        self._by_type: Mapping[type, Callable[[Any, bytes, int], Decoded]] = {
            _Match: self._match,
            _LastMatch: self._match,
            _Ticker: self._ticker,
            _Snapshot: self._snapshot,
            _Update: self._update,
            _Heartbeat: self._heartbeat,
            _Subscriptions: lambda frame, *_: Decoded(acknowledged=_keys(frame)),
            _Error: lambda frame, *_: Decoded(refused=self._refusals(frame)),
        }

    def _decode(self, raw: bytes, received_at: int) -> Decoded:
        """Return what a frame says; its ``type`` says which it is."""
        try:
            frame = _frames.decode(raw)
            return self._by_type[type(frame)](frame, raw, received_at)
        except RefusedTickError as refused:
            return rejected(_KINDS.get(_type_of(raw).type, FRAMES), refused.reason, raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return self._undecodable(raw, received_at, error)

    def _heartbeat(self, frame: _Heartbeat, _raw: bytes, received_at: int) -> Decoded:
        """Take the venue's time, which passes also where nothing trades."""
        self._clock.saw_text(frame.time, received_at)
        return Decoded(watermarks=self._clock.watermarks(received_at))

    def _match(self, frame: _Match, _raw: bytes, received_at: int) -> Decoded:
        trade = Trade(
            instrument_id=id_of(self._instruments, frame.product_id),
            ts=self._clock.saw_text(frame.time, received_at),
            trade_id=frame.trade_id,
            price=positive(frame.price),
            size=positive(frame.size),
            side=TAKERS.get(frame.side, Side.UNKNOWN),
            received_at=received_at,
        )
        return self._traded(trade)

    def _ticker(self, frame: _Ticker, _raw: bytes, received_at: int) -> Decoded:
        quote = Quote(
            instrument_id=id_of(self._instruments, frame.product_id),
            ts=self._clock.saw_text(frame.time, received_at),
            update_id=frame.sequence,
            bid_price=double(frame.best_bid),
            bid_size=_size(frame.best_bid_size),
            ask_price=double(frame.best_ask),
            ask_size=_size(frame.best_ask_size),
            received_at=received_at,
        )
        return self._quoted(quote)

    def _snapshot(self, frame: _Snapshot, raw: bytes, received_at: int) -> Decoded:
        product = frame.product_id
        id_of(self._instruments, product)
        book = OrderBook()
        try:
            book.replace(book_levels(frame.bids), book_levels(frame.asks))
        except RefusedTickError as refused:
            return self._break(product, Cause.UNREADABLE, received_at, refused.reason, raw)
        top = book.top()
        if top.crossed:
            return self._break(product, Cause.CROSSED, received_at)
        self._begin(product, book, received_at)
        self._book_times[product] = 0
        return self._depth(product, self._clock.saw_text(frame.time, received_at), top, raw, received_at)

    def _update(self, frame: _Update, raw: bytes, received_at: int) -> Decoded:
        """Apply an update. It has no number: its time and the book itself are what is checked."""
        product = frame.product_id
        id_of(self._instruments, product)
        book = self._valid.get(product)
        if book is None:
            return self._drop(product, received_at)
        try:
            book.update(_changes(frame, "buy"), _changes(frame, "sell"))
        except RefusedTickError as refused:
            return self._break(product, Cause.UNREADABLE, received_at, refused.reason, raw)
        ts, top = self._clock.saw_text(frame.time, received_at), book.top()
        if top.crossed or ts < self._book_times[product]:
            return self._break(product, Cause.CROSSED if top.crossed else Cause.TIME, received_at)
        self._book_times[product] = ts
        return self._depth(product, ts, top, raw, received_at)

    def _depth(self, product: str, ts: int, top: Top, raw: bytes, received_at: int) -> Decoded:
        update_id = self._ids[product].next(ts, raw)
        return self._told(self._instruments[product], ts, update_id, top, received_at)

    def _undecodable(self, raw: bytes, received_at: int, error: Exception) -> Decoded:
        """Return the rejection of a tick whose kind is known; raises DecodeError for any other frame.

        It may have been an update of a book, which nothing else would show to be missing.
        """
        typed = _type_of(raw)
        kind = _KINDS.get(typed.type)
        if kind in (DEPTHS, None):
            for product in (
                (typed.product_id,) if typed.product_id in self._instruments else self._instruments
            ):
                self._give_up(product, Cause.UNREADABLE, received_at)
        if kind is None:
            message = f"coinbase sent a frame that is not of its protocol: {error}"
            raise DecodeError(message) from error
        return rejected(kind, Reason.UNDECODABLE, raw)

    def _refusals(self, frame: _Error) -> list[Refusal]:
        """Return refusals of every channel of the products that the reason names, or of all."""
        reason = f"{frame.message}: {frame.reason}"
        words = set(_PRODUCT.findall(frame.reason))
        named = [product for product in self._instruments if product in words]
        refusals = [Refusal(_key(channel, product), reason) for product in named for channel in _CHANNELS]
        return refusals or [Refusal("", reason)]


def _size(text: str) -> float:
    return float(text) if text == _NOT_TOLD else double(text)


def _changes(frame: _Update, side: str) -> list[Level]:
    return book_levels([(price, size) for changed, price, size in frame.changes if changed == side])


def _keys(frame: _Subscriptions) -> list[str]:
    return [_key(channel.name, product) for channel in frame.channels for product in channel.product_ids]


def _type_of(raw: bytes) -> _Typed:
    """Return what can be told of any frame, empty where it cannot."""
    try:
        return _typed.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Typed()
