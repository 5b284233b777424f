"""Kraken spot, version 1 of its socket: frozen by the venue, kept for recordings.

Its trades have no id. Here a trade's id is a hash of its content, so this road and version 2, which
numbers trades, must not feed one tape.

Docs: https://docs.kraken.com/api/docs/websocket-v1/trade, /ticker, /spread, /book
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, ClassVar, Final

import msgspec

from ingest.standings import Books
from ingest.venues.checking import UpdateIds, double, id_of, positive
from ingest.venues.kraken import UNKNOWN, spot_parts
from ingest.venues.kraken_books import KrakenBooks, Texts
from ingest.venues.one_socket import ByChannel
from ingest.venues.venue import (
    DEPTHS,
    NOTHING,
    QUOTES,
    TRADES,
    Decoded,
    Reason,
    Refusal,
    merged,
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


class KrakenV1(ByChannel):
    """The adapter of version 1."""

    name: ClassVar[str] = "kraken"
    docs: ClassVar[str] = "https://docs.kraken.com/api/docs/websocket-v1/trade"
    url: ClassVar[str] = "wss://ws.kraken.com"
    channels = _CHANNELS
    symbols_per_connection: ClassVar[int] = 200
    unknown: ClassVar[tuple[str, ...]] = UNKNOWN
    silence_seconds: ClassVar[float] = 5.0
    contiguous_ids: ClassVar[bool] = False

    def instrument(self, symbol: str) -> Instrument:
        """Return the instrument that version 1 calls ``XBT/USD``."""
        parts = spot_parts(symbol)
        return spot(self.name, *parts, "/".join(_WORDS.get(part, part) for part in parts))

    def message(self, verb: str, channel: str, symbols: Sequence[str]) -> str:
        """Return what subscribes to a channel, or leaves it."""
        subscription = {"name": channel, **_CHANNELS[channel]}
        return msgspec.json.encode({"event": verb, "pair": symbols, "subscription": subscription}).decode()

    def decoder(self, instruments: Mapping[str, int], books: Books | None = None) -> "KrakenV1Decoder":
        """Return a decoder for one connection."""
        return KrakenV1Decoder(instruments, books)


class KrakenV1Decoder(KrakenBooks):
    """Understands trades, tickers, spreads, and books of one connection."""

    exchange = KrakenV1.name

    def __init__(self, instruments: Mapping[str, int], books: Books | None = None) -> None:
        super().__init__(instruments, books)
        self._book_times: defaultdict[str, int] = defaultdict(int)
        self._depth_ids: defaultdict[str, UpdateIds] = defaultdict(UpdateIds)
        self._quote_ids: defaultdict[str, UpdateIds] = defaultdict(UpdateIds)
        self._by_channel: Mapping[str, Callable[[str, str, Sequence[msgspec.Raw], int], Decoded]] = {
            "trade": self._trades,
            "ticker": self._ticker,
            "spread": self._spread,
            "book": self._book,
        }

    def _decode(self, raw: bytes, received_at: int) -> Decoded:
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
                price=positive(price),
                size=positive(size),
                side=_SIDES.get(side, Side.UNKNOWN),
                received_at=received_at,
            )
        except RefusedTickError as refused:
            return rejected(TRADES, refused.reason, bytes(item))
        except msgspec.DecodeError:
            return rejected(TRADES, Reason.UNDECODABLE, bytes(item))
        ordinals[content] += 1
        return self._traded(trade)

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
        return self._quoted(Quote(instrument_id, ts, update_id, bid, bid_size, ask, ask_size, received_at))

    def _book(self, channel: str, pair: str, payload: Sequence[msgspec.Raw], received_at: int) -> Decoded:
        instrument_id = id_of(self._instruments, pair)
        parts = [_books.decode(part) for part in payload]
        if not_valid := self._applied(channel, pair, parts, received_at):
            return not_valid
        ts = self._book_time(pair, parts, received_at)
        content = b"".join(map(bytes, payload))
        update_id = self._depth_ids[pair].next(ts, content)
        return self._told(instrument_id, ts, update_id, self._valid[pair].top, received_at)

    def _applied(self, channel: str, pair: str, parts: Sequence[_Book], received_at: int) -> Decoded | None:
        """Apply a snapshot or an update; return what is said of a book that is not valid after it."""
        first, last = parts[0], parts[-1]
        if first.as_ is not None or first.bs is not None:
            depth = int(channel.partition("-")[2] or _BOOK_DEPTH)
            sides = _texts(first.bs or []), _texts(first.as_ or [])
            return self._began(pair, depth, *sides, None, received_at)
        bids = [level for part in parts for level in part.b]
        asks = [level for part in parts for level in part.a]
        checksum = None if last.c is None else int(last.c)
        return self._continued(pair, _texts(bids), _texts(asks), checksum, received_at)

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
