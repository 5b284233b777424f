"""Binance spot and USD-M futures.

Docs: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams and
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from ingest.sequences import Update
from ingest.standings import Books
from ingest.venues.bodies import parsed
from ingest.venues.checking import book_levels, double, id_of, positive
from ingest.venues.fetched import FetchedDecoder
from ingest.venues.venue import (
    DEPTHS,
    NOTHING,
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
from market.errors import DecodeError, RefusedTickError
from market.instruments import Instrument, Market, spot, swap
from market.quotes import Quote
from market.trades import Side, Trade

_MILLISECOND: Final = 1000
"""In microseconds: the venue tells milliseconds."""

_STREAM_URLS: Final = {
    Market.SPOT: (
        "wss://stream.binance.com:9443/stream",
        "wss://stream.binance.com:443/stream",
        "wss://data-stream.binance.vision/stream",
    ),
    Market.SWAP: ("wss://fstream.binance.com/public/stream",),
}
_SNAPSHOT_LEVELS: Final = 1000
_SNAPSHOT_URLS: Final = {
    Market.SPOT: "https://api.binance.com/api/v3/depth?symbol={}&limit={}",
    Market.SWAP: "https://fapi.binance.com/fapi/v1/depth?symbol={}&limit={}",
}
_STREAMS: Final = ("trade", "bookTicker", "depth@100ms")
_SYMBOLS_PER_MESSAGE: Final = 50
_LEAVING: Final = 1_000_000

_KINDS: Final = {"trade": TRADES, "bookTicker": QUOTES, "depth": DEPTHS}


class _Fault(msgspec.Struct):
    code: int = 0
    msg: str = ""


class _Envelope(msgspec.Struct):
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    id: int | None = None
    error: _Fault | None = None
    code: int | None = None
    msg: str = ""


class _Trade(msgspec.Struct):
    E: int
    s: str
    t: Id
    p: str
    q: str
    T: int
    m: bool


class _BookTicker(msgspec.Struct):
    u: Id
    s: str
    b: str
    B: str
    a: str
    A: str
    T: int | None = None
    E: int | None = None


class _DepthUpdate(msgspec.Struct):
    E: int
    s: str
    U: Id
    u: Id
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    T: int | None = None
    pu: Id | None = None


class _DepthSnapshot(msgspec.Struct):
    lastUpdateId: Id  # noqa: N815 - the venue's name
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


_envelopes = msgspec.json.Decoder(_Envelope)
_trades = msgspec.json.Decoder(_Trade)
_book_tickers = msgspec.json.Decoder(_BookTicker)
_depth_updates = msgspec.json.Decoder(_DepthUpdate)
_depth_snapshots = msgspec.json.Decoder(_DepthSnapshot)


class Binance:
    """The adapter: one socket for spot, one for USD-M futures."""

    name = "binance"
    docs = "https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams"
    silence_seconds = 5.0
    symbols_per_connection = 300
    """Three streams each, of the 1,024 that a connection may have."""
    contiguous_ids = True

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument that Binance calls ``BTCUSDT``, on spot or on USD-M."""
        parts = parse_symbol(symbol)
        make = swap if parts.market == Market.SWAP else spot
        return make(self.name, parts.base, parts.quote, parts.base + parts.quote)

    def stream_urls(self, market: Market) -> tuple[str, ...]:
        """Return the addresses of combined streams."""
        return _STREAM_URLS[market]

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[Subscription]:
        """Return SUBSCRIBE messages, each acknowledged by its id."""
        symbols = [instrument.venue_symbol.lower() for instrument in instruments]
        starts = range(0, len(symbols), _SYMBOLS_PER_MESSAGE)
        return [
            _subscribe(number, symbols[at : at + _SYMBOLS_PER_MESSAGE]) for number, at in enumerate(starts, 1)
        ]

    def unsubscriptions(self, instruments: Sequence[Instrument]) -> list[str]:
        """Return one message for all; its answer has a number that no subscription has."""
        symbols = [instrument.venue_symbol.lower() for instrument in instruments]
        return [_request("UNSUBSCRIBE", _LEAVING, symbols)]

    def delisted(self, reason: str) -> bool:
        """Tell whether the refusal is of the symbol itself. A stream of none is acknowledged, and silent."""
        return "Invalid symbol" in reason

    def snapshot_url(self, instrument: Instrument) -> str | None:
        """Return where the book is fetched that the depth updates continue."""
        return _SNAPSHOT_URLS[instrument.market].format(instrument.venue_symbol, _SNAPSHOT_LEVELS)

    def renewal(self, instrument: Instrument) -> list[str]:  # noqa: ARG002 - books are fetched
        """Return nothing: books are fetched."""
        return []

    def decoder(self, instruments: Mapping[str, int], books: Books | None = None) -> "BinanceDecoder":
        """Return a decoder for one connection."""
        return BinanceDecoder(instruments, books)


def _subscribe(number: int, symbols: Sequence[str]) -> Subscription:
    return Subscription(_request("SUBSCRIBE", number, symbols), (str(number),))


def _request(method: str, number: int, symbols: Sequence[str]) -> str:
    streams = [f"{symbol}@{stream}" for symbol in symbols for stream in _STREAMS]
    return msgspec.json.encode({"method": method, "params": streams, "id": number}).decode()


class BinanceDecoder(FetchedDecoder):
    """Understands trades, book tickers, and depth updates of one connection."""

    snapshot_levels = _SNAPSHOT_LEVELS

    def __init__(self, instruments: Mapping[str, int], books: Books | None = None) -> None:
        super().__init__(instruments, books)
        self._last_quotes: dict[str, int] = {}
        self._by_stream: Mapping[str, Callable[[msgspec.Raw, bytes, int], Decoded]] = {
            "trade": self._trade,
            "bookTicker": self._quote,
            "depth": self._depth,
        }

    def _decode(self, raw: bytes, received_at: int) -> Decoded:
        """Return what a frame of a combined stream says, or an answer to SUBSCRIBE."""
        try:
            envelope = _envelopes.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            message = f"binance sent a frame that is not of its protocol: {error}"
            raise DecodeError(message) from error
        stream = envelope.stream.partition("@")[2].partition("@")[0]
        if stream in self._by_stream:
            return self._tick(stream, envelope.data, raw, received_at)
        return _answer(envelope)

    def snapshot(self, venue_symbol: str, body: bytes, received_at: int) -> Decoded:
        """Begin the book of one symbol from the REST answer, and apply what waited for it."""
        saying = f"binance answered no book of {venue_symbol} at {received_at}"
        frame = parsed(_depth_snapshots.decode, body, saying)
        try:
            bids, asks = book_levels(frame.bids), book_levels(frame.asks)
        except RefusedTickError as error:
            message = f"{saying}: {error}"
            raise DecodeError(message) from error
        return self._with_broken(self._begun(venue_symbol, frame.lastUpdateId, bids, asks, received_at))

    def _tick(self, stream: str, data: msgspec.Raw, raw: bytes, received_at: int) -> Decoded:
        try:
            return self._by_stream[stream](data, raw, received_at)
        except RefusedTickError as refused:
            return rejected(_KINDS[stream], refused.reason, raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return rejected(_KINDS[stream], Reason.UNDECODABLE, raw)

    def _saw(self, received_at: int, event: int, transaction: int | None) -> int:
        ts = self._clock.saw(event * _MILLISECOND, received_at)
        return ts if transaction is None else self._clock.saw(transaction * _MILLISECOND, received_at)

    def _trade(self, data: msgspec.Raw, _raw: bytes, received_at: int) -> Decoded:
        frame = _trades.decode(data)
        trade = Trade(
            instrument_id=id_of(self._instruments, frame.s),
            ts=self._saw(received_at, frame.E, frame.T),
            trade_id=frame.t,
            price=positive(frame.p),
            size=positive(frame.q),
            side=Side.SELL if frame.m else Side.BUY,
            received_at=received_at,
        )
        return self._traded(trade)

    def _quote(self, data: msgspec.Raw, _raw: bytes, received_at: int) -> Decoded:
        frame = _book_tickers.decode(data)
        instrument_id = id_of(self._instruments, frame.s)
        if frame.E is not None:
            ts = self._saw(received_at, frame.E, frame.T)
        elif frame.u <= self._last_quotes.get(frame.s, -1):
            return Decoded(repeated={QUOTES: 1})
        else:
            ts = self._clock.inherited()
        self._last_quotes[frame.s] = frame.u
        prices = double(frame.b), double(frame.B), double(frame.a), double(frame.A)
        return self._quoted(Quote(instrument_id, ts, frame.u, *prices, received_at))

    def _depth(self, data: msgspec.Raw, raw: bytes, received_at: int) -> Decoded:
        frame = _depth_updates.decode(data)
        id_of(self._instruments, frame.s)
        try:
            update = self._update(frame, raw, received_at)
        except RefusedTickError as refused:
            return self._unreadable(frame.s, rejected(DEPTHS, refused.reason, raw).rejections, received_at)
        return self._updated(frame.s, update)

    def _update(self, frame: _DepthUpdate, raw: bytes, received_at: int) -> Update:
        return Update(
            previous=frame.U - 1 if frame.pu is None else frame.pu,
            final=frame.u,
            strict=frame.pu is not None,
            ts=self._saw(received_at, frame.E, frame.T),
            received_at=received_at,
            frame=raw,
            bids=book_levels(frame.b),
            asks=book_levels(frame.a),
        )


def _answer(envelope: _Envelope) -> Decoded:
    if envelope.id == _LEAVING:
        return NOTHING
    key = str(envelope.id)
    if envelope.error is not None:
        return Decoded(refused=(Refusal(key, f"{envelope.error.msg} ({envelope.error.code})"),))
    if envelope.code is not None:
        return Decoded(refused=(Refusal(key, f"{envelope.msg} ({envelope.code})"),))
    if envelope.id is None:
        message = "binance sent a frame that is neither a stream's nor an answer"
        raise DecodeError(message)
    return Decoded(acknowledged=(key,))
