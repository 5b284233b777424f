"""Kraken spot, version 2 of its socket.

Docs: https://docs.kraken.com/api/docs/websocket-v2/book, /trade, /ticker
"""

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from ingest.venues.checking import UpdateIds, depth, double, id_of
from ingest.venues.kraken_books import KrakenBook, Texts, depth_of
from ingest.venues.one_socket import OneSocket, OneSocketDecoder
from ingest.venues.venue import (
    DEPTHS,
    NOTHING,
    QUOTES,
    TRADES,
    Decoded,
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

_BOOK_DEPTH: Final = 10
_KINDS: Final = {"trade": TRADES, "ticker": QUOTES, "book": DEPTHS}
_CHANNELS: Final[Mapping[str, Mapping[str, object]]] = {
    "trade": {"snapshot": False},
    "ticker": {"event_trigger": "bbo"},
    "book": {"depth": _BOOK_DEPTH},
}
_SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}


class _Result(msgspec.Struct, frozen=True):
    channel: str = ""
    symbol: str = ""


class _Envelope(msgspec.Struct):
    channel: str = ""
    type: str = ""
    data: list[msgspec.Raw] = []
    method: str = ""
    success: bool | None = None
    result: _Result = _Result()
    error: str = ""
    symbol: str = ""


class _Trade(msgspec.Struct):
    symbol: str
    side: str
    price: msgspec.Raw
    qty: msgspec.Raw
    trade_id: int
    timestamp: str


class _Ticker(msgspec.Struct):
    symbol: str
    bid: msgspec.Raw
    bid_qty: msgspec.Raw
    ask: msgspec.Raw
    ask_qty: msgspec.Raw
    timestamp: str | None = None


class _Level(msgspec.Struct):
    price: msgspec.Raw
    qty: msgspec.Raw


class _Book(msgspec.Struct):
    symbol: str
    bids: list[_Level]
    asks: list[_Level]
    checksum: int
    timestamp: str | None = None


_envelopes = msgspec.json.Decoder(_Envelope)
_trades = msgspec.json.Decoder(_Trade)
_tickers = msgspec.json.Decoder(_Ticker)
_books = msgspec.json.Decoder(_Book)


class Kraken(OneSocket):
    """The adapter: one socket, everything on it, snapshots too."""

    name: ClassVar[str] = "kraken"
    docs: ClassVar[str] = "https://docs.kraken.com/api/docs/websocket-v2/book"
    url: ClassVar[str] = "wss://ws.kraken.com/v2"
    silence_seconds: ClassVar[float] = 10.0

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument that Kraken calls ``BTC/USD`` too; there are no swaps here."""
        parts = spot_parts(symbol)
        return spot(self.name, *parts, "/".join(parts))

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[Subscription]:
        """Return one message a channel; each symbol is acknowledged or refused by itself."""
        symbols = [instrument.venue_symbol for instrument in instruments]
        return [
            Subscription(_message("subscribe", channel, symbols), tuple(f"{channel}:{s}" for s in symbols))
            for channel in _CHANNELS
        ]

    def renewal(self, instrument: Instrument) -> list[str]:
        """Leave the book and subscribe to it again: that sends a snapshot."""
        symbols = [instrument.venue_symbol]
        return [_message(method, "book", symbols) for method in ("unsubscribe", "subscribe")]

    def decoder(self, instruments: Mapping[str, int]) -> "KrakenDecoder":
        """Return a decoder for one connection."""
        return KrakenDecoder(instruments)


def spot_parts(symbol: str) -> tuple[str, str]:
    """Return base and quote; raises InvalidInputError for what is not spot."""
    parts = parse_symbol(symbol)
    if parts.market != Market.SPOT:
        message = f"kraken has no {symbol!r} here: its spot feed has no swaps"
        raise InvalidInputError(message)
    return parts.base, parts.quote


def _message(method: str, channel: str, symbols: Sequence[str]) -> str:
    params = {"channel": channel, "symbol": symbols, **_CHANNELS[channel]}
    return msgspec.json.encode({"method": method, "params": params}).decode()


class KrakenDecoder(OneSocketDecoder):
    """Understands trades, tickers, and books of one connection."""

    exchange = Kraken.name

    def __init__(self, instruments: Mapping[str, int]) -> None:
        super().__init__(instruments)
        self._books: dict[str, KrakenBook] = {}
        self._unchecked: set[str] = set()
        self._depth_ids = {symbol: UpdateIds() for symbol in instruments}
        self._quote_ids = {symbol: UpdateIds() for symbol in instruments}
        self._by_channel: Mapping[str, Callable[[str, msgspec.Raw, int], Decoded]] = {
            "trade": self._trade,
            "ticker": self._ticker,
            "book": self._book,
        }

    def decode(self, raw: bytes, received_at: int) -> Decoded:
        """Return what a frame says: ticks of one channel, an answer, or that the venue lives."""
        try:
            frame = _envelopes.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            message = f"kraken sent a frame that is not of its protocol: {error}"
            raise DecodeError(message) from error
        if frame.channel in self._by_channel:
            return merged([self._item(frame, item, received_at) for item in frame.data])
        if frame.channel or frame.method == "pong":
            return NOTHING
        return _answer(frame)

    def _item(self, frame: _Envelope, item: msgspec.Raw, received_at: int) -> Decoded:
        kind = _KINDS[frame.channel]
        try:
            return self._by_channel[frame.channel](frame.type, item, received_at)
        except RefusedTickError as refused:
            return rejected(kind, refused.reason, bytes(item))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return rejected(kind, Reason.UNDECODABLE, bytes(item))

    def _trade(self, _type: str, item: msgspec.Raw, received_at: int) -> Decoded:
        frame = _trades.decode(item)
        trade = Trade(
            instrument_id=id_of(self._instruments, frame.symbol),
            ts=self._clock.saw_text(frame.timestamp, received_at),
            trade_id=frame.trade_id,
            price=double(_text(frame.price)),
            size=double(_text(frame.qty)),
            side=_SIDES.get(frame.side, Side.UNKNOWN),
            received_at=received_at,
        )
        self._clock.traded(trade.instrument_id, trade.ts)
        return Decoded(trades=(trade,), watermarks=self._clock.watermarks(received_at))

    def _ticker(self, _type: str, item: msgspec.Raw, received_at: int) -> Decoded:
        frame = _tickers.decode(item)
        instrument_id = id_of(self._instruments, frame.symbol)
        ts = self._clock.saw_text(frame.timestamp, received_at)
        quote = Quote(
            instrument_id=instrument_id,
            ts=ts,
            update_id=self._quote_ids[frame.symbol].next(ts, bytes(item)),
            bid_price=double(_text(frame.bid)),
            bid_size=double(_text(frame.bid_qty)),
            ask_price=double(_text(frame.ask)),
            ask_size=double(_text(frame.ask_qty)),
            received_at=received_at,
        )
        return Decoded(quotes=(quote,), watermarks=self._clock.watermarks(received_at))

    def _book(self, type_: str, item: msgspec.Raw, received_at: int) -> Decoded:
        frame = _books.decode(item)
        instrument_id = id_of(self._instruments, frame.symbol)
        begin = self._begin if type_ == "snapshot" else self._continue
        book = begin(frame.symbol, _texts(frame.bids), _texts(frame.asks), frame.checksum)
        if book is None:
            return rejected(DEPTHS, Reason.BOOK_INVALID, renew=frame.symbol)
        ts = self._clock.saw_text(frame.timestamp, received_at)
        update_id = self._depth_ids[frame.symbol].next(ts, bytes(item))
        tick = depth(instrument_id, ts, update_id, book.top(), received_at)
        return Decoded(depths=(tick,), watermarks=self._clock.watermarks(received_at))

    def _begin(self, symbol: str, bids: Texts, asks: Texts, checksum: int) -> KrakenBook:
        book = KrakenBook(depth_of(max(len(bids), len(asks), _BOOK_DEPTH)), bids, asks)
        self._books[symbol] = book
        # A snapshot is right by itself: where even its checksum differs, digits were left out on the wire.
        self._unchecked.discard(symbol)
        if book.checksum() != checksum:
            self._unchecked.add(symbol)
        return book

    def _continue(self, symbol: str, bids: Texts, asks: Texts, checksum: int) -> KrakenBook | None:
        book = self._books.pop(symbol, None)
        if book is None:
            return None
        book.update(bids, asks)
        if symbol not in self._unchecked and book.checksum() != checksum:
            return None
        self._books[symbol] = book
        return book


def merged(parts: Sequence[Decoded]) -> Decoded:
    """Return what several items of one frame say together."""
    if len(parts) == 1:
        return parts[0]
    return Decoded(
        trades=[trade for part in parts for trade in part.trades],
        quotes=[quote for part in parts for quote in part.quotes],
        depths=[depth for part in parts for depth in part.depths],
        rejections=[rejection for part in parts for rejection in part.rejections],
        watermarks=[mark for part in parts for mark in part.watermarks],
        snapshots_wanted=[symbol for part in parts for symbol in part.snapshots_wanted],
    )


def _answer(frame: _Envelope) -> Decoded:
    if frame.method == "subscribe" and frame.success:
        return Decoded(acknowledged=(f"{frame.result.channel}:{frame.result.symbol}",))
    if frame.success is False:
        keys = [f"{channel}:{frame.symbol}" for channel in _CHANNELS] if frame.symbol else [""]
        return Decoded(refused=[Refusal(key, frame.error) for key in keys])
    if frame.method:
        return NOTHING
    message = "kraken sent a frame that is neither a channel's nor an answer"
    raise DecodeError(message)


def _text(number: msgspec.Raw) -> str:
    return bytes(number).decode()


def _texts(levels: Sequence[_Level]) -> Texts:
    return [(_text(level.price), _text(level.qty)) for level in levels]
