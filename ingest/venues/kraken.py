"""Kraken spot, version 2 of its socket.

Docs: https://docs.kraken.com/api/docs/websocket-v2/book, /trade, /ticker
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

import msgspec

from ingest.standings import Books
from ingest.venues.checking import UpdateIds, double, id_of, positive
from ingest.venues.kraken_books import KrakenBooks, Texts, depth_of
from ingest.venues.one_socket import ByChannel
from ingest.venues.venue import (
    DEPTHS,
    NOTHING,
    QUOTES,
    TRADES,
    Decoded,
    Id,
    Reason,
    Refusal,
    merged,
    parse_symbol,
    rejected,
)
from market.errors import DecodeError, InvalidInputError, RefusedTickError
from market.instruments import Instrument, Market, spot
from market.quotes import Quote
from market.trades import Side, Trade

_BOOK_DEPTH: Final = 10
UNKNOWN: Final = ("Currency pair not",)
"""...supported, or: ...in ISO 4217-A3 format."""

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
    trade_id: Id
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


class Kraken(ByChannel):
    """The adapter: one socket, everything on it, snapshots too."""

    name: ClassVar[str] = "kraken"
    docs: ClassVar[str] = "https://docs.kraken.com/api/docs/websocket-v2/book"
    url: ClassVar[str] = "wss://ws.kraken.com/v2"
    channels = _CHANNELS
    symbols_per_connection: ClassVar[int] = 200
    unknown: ClassVar[tuple[str, ...]] = UNKNOWN
    silence_seconds: ClassVar[float] = 5.0
    contiguous_ids: ClassVar[bool] = True

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument that Kraken calls ``BTC/USD`` too; there are no swaps here."""
        parts = spot_parts(symbol)
        return spot(self.name, *parts, "/".join(parts))

    def message(self, verb: str, channel: str, symbols: Sequence[str]) -> str:
        """Return what subscribes to a channel, or leaves it."""
        params = {"channel": channel, "symbol": symbols, **_CHANNELS[channel]}
        return msgspec.json.encode({"method": verb, "params": params}).decode()

    def decoder(self, instruments: Mapping[str, int], books: Books | None = None) -> "KrakenDecoder":
        """Return a decoder for one connection."""
        return KrakenDecoder(instruments, books)


def spot_parts(symbol: str) -> tuple[str, str]:
    """Return base and quote; raises InvalidInputError for what is not spot."""
    parts = parse_symbol(symbol)
    if parts.market != Market.SPOT:
        message = f"kraken has no {symbol!r} here: its spot feed has no swaps"
        raise InvalidInputError(message)
    return parts.base, parts.quote


class KrakenDecoder(KrakenBooks):
    """Understands trades, tickers, and books of one connection."""

    exchange = Kraken.name

    def __init__(self, instruments: Mapping[str, int], books: Books | None = None) -> None:
        super().__init__(instruments, books)
        self._depth_ids: defaultdict[str, UpdateIds] = defaultdict(UpdateIds)
        self._quote_ids: defaultdict[str, UpdateIds] = defaultdict(UpdateIds)
        self._by_channel: Mapping[str, Callable[[str, msgspec.Raw, int], Decoded]] = {
            "trade": self._trade,
            "ticker": self._ticker,
            "book": self._book,
        }

    def _decode(self, raw: bytes, received_at: int) -> Decoded:
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
            price=positive(_text(frame.price)),
            size=positive(_text(frame.qty)),
            side=_SIDES.get(frame.side, Side.UNKNOWN),
            received_at=received_at,
        )
        return self._traded(trade)

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
        return self._quoted(quote)

    def _book(self, type_: str, item: msgspec.Raw, received_at: int) -> Decoded:
        frame = _books.decode(item)
        symbol, instrument_id = frame.symbol, id_of(self._instruments, frame.symbol)
        sides = _texts(frame.bids), _texts(frame.asks)
        if type_ == "snapshot":
            depth = depth_of(max(*map(len, sides), _BOOK_DEPTH))
            not_valid = self._began(symbol, depth, *sides, frame.checksum, received_at)
        else:
            not_valid = self._continued(symbol, *sides, frame.checksum, received_at)
        if not_valid:
            return not_valid
        ts = self._clock.saw_text(frame.timestamp, received_at)
        update_id = self._depth_ids[symbol].next(ts, bytes(item))
        return self._told(instrument_id, ts, update_id, self._valid[symbol].top, received_at)


def _answer(frame: _Envelope) -> Decoded:
    if frame.method == "subscribe" and frame.success:
        return Decoded(acknowledged=(f"{frame.result.channel}:{frame.result.symbol}",))
    if frame.success is False and frame.method != "unsubscribe":
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
