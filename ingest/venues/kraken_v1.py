"""Kraken spot, version 1 of its socket: frozen by the venue, kept for recordings.

Its trades have no id. Here a trade's id is a hash of its content, so this road and version 2, which
numbers trades, must not feed one tape.

Docs: https://docs.kraken.com/api/docs/websocket-v1/trade, /ticker, /spread, /book
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, ClassVar, Final

import msgspec

from ingest.venues.checking import UpdateIds, depth, double, id_of
from ingest.venues.kraken import merged, spot_parts
from ingest.venues.kraken_books import KrakenBook, Texts
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
    rejected,
)
from market.errors import DecodeError, RefusedTickError
from market.instruments import Instrument, spot, stable_hash
from market.quotes import Quote
from market.times import from_seconds_text
from market.trades import Side, Trade

_BOOK_DEPTH: Final = 10
_CHANNELS: Final[Mapping[str, Mapping[str, object]]] = {
    "trade": {},
    "ticker": {},
    "spread": {},
    "book": {"depth": _BOOK_DEPTH},
}
_KINDS: Final = {"trade": TRADES, "ticker": QUOTES, "spread": QUOTES, "book": DEPTHS}
_SIDES: Final = {"b": Side.BUY, "s": Side.SELL}
_WORDS: Final = {"BTC": "XBT", "DOGE": "XDG"}
_WRAP: Final = 2**64
_HALF: Final = 2**63

_Fill = tuple[str, str, str, str, str, str]
"""price, volume, time, side, order type, miscellaneous."""


_Level = Annotated[list[str], msgspec.Meta(min_length=3)]
"""price, volume, time, and of a level that is sent again one letter more."""


class _Subscribed(msgspec.Struct, frozen=True):
    name: str = ""


class _Event(msgspec.Struct):
    event: str
    status: str = ""
    pair: str = ""
    subscription: _Subscribed = _Subscribed()
    errorMessage: str = ""  # noqa: N815 - the venue's name


class _Ticker(msgspec.Struct):
    a: tuple[str, Any, str]
    b: tuple[str, Any, str]


class _Book(msgspec.Struct):
    as_: list[_Level] | None = msgspec.field(default=None, name="as")
    bs: list[_Level] | None = None
    a: list[_Level] = []
    b: list[_Level] = []
    c: str | None = None


_events = msgspec.json.Decoder(_Event)
_messages = msgspec.json.Decoder(list[msgspec.Raw])
_names = msgspec.json.Decoder(str)
_fills = msgspec.json.Decoder(_Fill)
_tickers = msgspec.json.Decoder(_Ticker)
_spreads = msgspec.json.Decoder(tuple[str, str, str, str, str])
_books = msgspec.json.Decoder(_Book)


class KrakenV1(OneSocket):
    """The adapter of version 1."""

    name: ClassVar[str] = "kraken"
    docs: ClassVar[str] = "https://docs.kraken.com/api/docs/websocket-v1/trade"
    url: ClassVar[str] = "wss://ws.kraken.com"
    silence_seconds: ClassVar[float] = 10.0

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument that version 1 calls ``XBT/USD``."""
        parts = spot_parts(symbol)
        return spot(self.name, *parts, "/".join(_WORDS.get(part, part) for part in parts))

    def subscriptions(self, instruments: Sequence[Instrument]) -> list[Subscription]:
        """Return one message a channel; each pair is acknowledged or refused by itself."""
        pairs = [instrument.venue_symbol for instrument in instruments]
        return [
            Subscription(_message("subscribe", channel, pairs), tuple(f"{channel}:{pair}" for pair in pairs))
            for channel in _CHANNELS
        ]

    def renewal(self, instrument: Instrument) -> list[str]:
        """Leave the book and subscribe to it again: that sends a snapshot."""
        pairs = [instrument.venue_symbol]
        return [_message(event, "book", pairs) for event in ("unsubscribe", "subscribe")]

    def decoder(self, instruments: Mapping[str, int]) -> "KrakenV1Decoder":
        """Return a decoder for one connection."""
        return KrakenV1Decoder(instruments)


def _message(event: str, channel: str, pairs: Sequence[str]) -> str:
    subscription = {"name": channel, **_CHANNELS[channel]}
    return msgspec.json.encode({"event": event, "pair": pairs, "subscription": subscription}).decode()


class KrakenV1Decoder(OneSocketDecoder):
    """Understands trades, tickers, spreads, and books of one connection."""

    exchange = KrakenV1.name

    def __init__(self, instruments: Mapping[str, int]) -> None:
        super().__init__(instruments)
        self._books: dict[str, KrakenBook] = {}
        self._book_times = dict.fromkeys(instruments, 0)
        self._depth_ids = {pair: UpdateIds() for pair in instruments}
        self._quote_ids = {pair: UpdateIds() for pair in instruments}
        self._by_channel: Mapping[str, Callable[[str, str, Sequence[msgspec.Raw], int], Decoded]] = {
            "trade": self._trades,
            "ticker": self._ticker,
            "spread": self._spread,
            "book": self._book,
        }

    def decode(self, raw: bytes, received_at: int) -> Decoded:
        """Return what a frame says: an array is of a channel, an object is an event."""
        try:
            if not raw.lstrip().startswith(b"["):
                return _answer(_events.decode(raw))
            _, first, *others, name, pair = _messages.decode(raw)
            channel, symbol = _names.decode(name), _names.decode(pair)
            return self._message(channel, symbol, [first, *others], raw, received_at)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            message = f"kraken sent a frame that is not of its protocol, version 1: {error}"
            raise DecodeError(message) from error

    def _message(
        self, channel: str, pair: str, payload: Sequence[msgspec.Raw], raw: bytes, received_at: int
    ) -> Decoded:
        feed = channel.partition("-")[0]
        if feed not in self._by_channel:
            message = f"kraken sent a message of the channel {channel!r}, which was not subscribed to"
            raise DecodeError(message)
        try:
            return self._by_channel[feed](channel, pair, payload, received_at)
        except RefusedTickError as refused:
            return rejected(_KINDS[feed], refused.reason, raw)
        except msgspec.DecodeError:
            return rejected(_KINDS[feed], Reason.UNDECODABLE, raw)

    def _trades(self, _channel: str, pair: str, payload: Sequence[msgspec.Raw], received_at: int) -> Decoded:
        ordinals: Counter[str] = Counter()
        return merged(
            [self._trade(pair, item, ordinals, received_at) for item in _messages.decode(payload[0])]
        )

    def _trade(self, pair: str, item: msgspec.Raw, ordinals: Counter[str], received_at: int) -> Decoded:
        try:
            price, size, time, side, *_ = fill = _fills.decode(item)
            content = "|".join((pair, *fill))
            trade = Trade(
                instrument_id=id_of(self._instruments, pair),
                ts=self._clock.saw(_ts(time), received_at),
                trade_id=_signed(stable_hash(content) + ordinals[content]),
                price=double(price),
                size=double(size),
                side=_SIDES.get(side, Side.UNKNOWN),
                received_at=received_at,
            )
        except RefusedTickError as refused:
            return rejected(TRADES, refused.reason, bytes(item))
        except msgspec.DecodeError:
            return rejected(TRADES, Reason.UNDECODABLE, bytes(item))
        ordinals[content] += 1
        self._clock.traded(trade.instrument_id, trade.ts)
        return Decoded(trades=(trade,), watermarks=self._clock.watermarks(received_at))

    def _ticker(self, _channel: str, pair: str, payload: Sequence[msgspec.Raw], received_at: int) -> Decoded:
        frame = _tickers.decode(payload[0])
        values = (frame.b[0], frame.b[2], frame.a[0], frame.a[2])
        return self._quote(pair, self._clock.inherited(), values, bytes(payload[0]), received_at)

    def _spread(self, _channel: str, pair: str, payload: Sequence[msgspec.Raw], received_at: int) -> Decoded:
        bid, ask, time, bid_size, ask_size = _spreads.decode(payload[0])
        ts = self._clock.saw(_ts(time), received_at)
        return self._quote(pair, ts, (bid, bid_size, ask, ask_size), bytes(payload[0]), received_at)

    def _quote(self, pair: str, ts: int, values: Sequence[str], content: bytes, received_at: int) -> Decoded:
        bid, bid_size, ask, ask_size = map(double, values)
        instrument_id = id_of(self._instruments, pair)
        update_id = self._quote_ids[pair].next(ts, content)
        quote = Quote(instrument_id, ts, update_id, bid, bid_size, ask, ask_size, received_at)
        return Decoded(quotes=(quote,), watermarks=self._clock.watermarks(received_at))

    def _book(self, channel: str, pair: str, payload: Sequence[msgspec.Raw], received_at: int) -> Decoded:
        instrument_id = id_of(self._instruments, pair)
        parts = [_books.decode(part) for part in payload]
        if not self._apply(channel, pair, parts):
            return rejected(DEPTHS, Reason.BOOK_INVALID, renew=pair)
        ts = self._book_time(pair, parts, received_at)
        update_id = self._depth_ids[pair].next(ts, b"".join(map(bytes, payload)))
        tick = depth(instrument_id, ts, update_id, self._books[pair].top(), received_at)
        return Decoded(depths=(tick,), watermarks=self._clock.watermarks(received_at))

    def _apply(self, channel: str, pair: str, parts: Sequence[_Book]) -> bool:
        """Apply a snapshot or an update; tell whether the book is valid after it."""
        first = parts[0]
        if first.as_ is not None or first.bs is not None:
            size = int(channel.partition("-")[2] or _BOOK_DEPTH)
            self._books[pair] = KrakenBook(size, _texts(first.bs or []), _texts(first.as_ or []))
            return True
        book = self._books.pop(pair, None)
        if book is None:
            return False
        for part in parts:
            book.update(_texts(part.b), _texts(part.a))
        checksum = parts[-1].c
        if checksum is not None and int(checksum) != book.checksum():
            return False
        self._books[pair] = book
        return True

    def _book_time(self, pair: str, parts: Sequence[_Book], received_at: int) -> int:
        """Return the newest time of any level so far: a level that is sent again brings its old one."""
        levels = chain.from_iterable(
            side for part in parts for side in (part.as_, part.bs, part.a, part.b) if side
        )
        newest = max([self._book_times[pair], *(_ts(level[2]) for level in levels)])
        self._book_times[pair] = newest
        return self._clock.saw(newest, received_at)


def _answer(event: _Event) -> Decoded:
    if event.event == "subscriptionStatus":
        key = f"{event.subscription.name}:{event.pair}"
        if event.status == "error":
            return Decoded(refused=(Refusal(key, f"{event.errorMessage} ({event.pair})"),))
        return Decoded(acknowledged=(key,)) if event.status == "subscribed" else NOTHING
    return Decoded(refused=(Refusal("", event.errorMessage),)) if event.event == "error" else NOTHING


def _ts(text: str) -> int:
    try:
        return from_seconds_text(text)
    except ValueError:
        raise RefusedTickError(Reason.IMPLAUSIBLE_TIME) from None


def _signed(number: int) -> int:
    """Return a hash plus an ordinal as a signed 64-bit number."""
    return (number + _HALF) % _WRAP - _HALF


def _texts(levels: Sequence[Sequence[str]]) -> Texts:
    return [(level[0], level[1]) for level in levels]
