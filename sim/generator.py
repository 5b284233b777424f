"""A made-up market in Binance's protocol: what a demonstration plays when nothing was recorded.

The same seed and start give the same frames. Event times are the clock's from the moment the tape begins;
trade and update ids go on from the clock at the start, so that they grow across restarts.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from market.errors import InvalidInputError
from market.instruments import Market
from market.times import SECOND
from runtime.clock import Clock, now
from sim.ladders import Ladder
from sim.messages import Message
from sim.protocols.protocol import Topic
from sim.recordings import Frame
from sim.tapes import Contents
from sim.walks import Walk

_STARTS = {
    "BTC": (60_000.0, 2),
    "ETH": (3_000.0, 2),
    "BNB": (600.0, 2),
    "SOL": (150.0, 2),
    "XRP": (0.6, 4),
    "DOGE": (0.1, 5),
}
"""First price and decimals of it, by base."""

_OTHER_START = (10.0, 4)
_SIZE_DECIMALS = 5
_LOTS: int = 10**_SIZE_DECIMALS
"""The smallest sizes in one unit."""

_LEVEL_VALUE = 20_000.0
"""About what a level of the book is worth, in the quote asset."""

_TRADE_VALUE = 1_000.0
_BURST_SIZE = 4.0
"""How much larger trades are in a burst."""

_DEPTH_SECONDS = 0.1
_MOST_FILLS = 4
_FILLS = (6, 3, 2, 1)
"""How often an order fills at one price, two, three, four."""

_SHARE_OF_ORDERS = 0.45
_FRAMES_AN_EVENT = _SHARE_OF_ORDERS * 21 / 12 + 1
"""Frames of the average event: an order's fills, and the quote after any."""

_LEAST_EVENTS = 2.0
"""Events a second of one symbol, at any rate."""


class MadeUpMarket:
    """One symbol: what its traders do, as frames. Times are microseconds since 1970, ``at`` is seconds."""

    def __init__(self, random: Random, symbol: str, first_id: int) -> None:
        """Open the book; ids go on from ``first_id``."""
        base, _, quote = symbol.partition("/")
        price, self._decimals = _STARTS.get(base, _OTHER_START)
        self._ticks: int = 10**self._decimals
        self._random = random
        self._walk = Walk(random, price)
        self._trade_id = first_id
        self._update_id = self._depth_id = first_id
        self._ladder = Ladder(random, self._best_bid, round(_LEVEL_VALUE / price * _LOTS))
        self._quoted = self._best_bid
        self.venue_symbol = f"{base}{quote}"
        self._stream = self.venue_symbol.lower()

    def depth(self, at: float, ts: int) -> Iterator[str]:
        """Yield the update from the last published book to the present one."""
        self._move(at)
        changes = self._ladder.move(self._quoted, self._walk.lean)
        first, self._update_id = self._depth_id + 1, self._update_id + max(changes.total, 1)
        self._depth_id = self._update_id
        sides = f'"b":{self._levels(changes.bids)},"a":{self._levels(changes.asks)}'
        event = f'"e":"depthUpdate","E":{ts // 1000},"s":"{self.venue_symbol}"'
        yield self._frame("depth@100ms", f'{event},"U":{first},"u":{self._update_id},{sides}')

    def event(self, at: float, ts: int) -> Iterator[str]:
        """Yield an order's fills, all of one millisecond, or none; then the quote."""
        self._move(at)
        if self._random.random() < _SHARE_OF_ORDERS:
            yield from self._fills(ts)
        yield self._quote()

    def snapshot(self) -> str:
        """Return the published book as REST answers."""
        bids, asks = (self._levels(side.items()) for side in (self._ladder.bids, self._ladder.asks))
        return f'{{"lastUpdateId":{self._depth_id},"bids":{bids},"asks":{asks}}}'

    @property
    def _best_bid(self) -> int:
        return round(self._walk.price * self._ticks)

    def _move(self, at: float) -> None:
        self._walk.advance(at)
        self._quoted = self._best_bid

    def _fills(self, ts: int) -> Iterator[str]:
        sold = self._random.random() > 0.5 + 0.4 * self._walk.lean
        price, step = (self._quoted, -1) if sold else (self._quoted + 1, 1)
        for number in range(self._random.choices(range(1, _MOST_FILLS + 1), _FILLS)[0]):
            yield self._trade(ts, price + number * step, sold=sold)

    def _trade(self, ts: int, price: int, *, sold: bool) -> str:
        self._trade_id += 1
        moment, maker = ts // 1000, str(sold).lower()
        event = f'"e":"trade","E":{moment},"s":"{self.venue_symbol}","t":{self._trade_id}'
        numbers = f'"p":"{self._price(price)}","q":"{_size(self._trade_size())}"'
        return self._frame("trade", f'{event},{numbers},"T":{moment},"m":{maker},"M":true')

    def _trade_size(self) -> int:
        value = _TRADE_VALUE * self._random.lognormvariate(0.0, 0.8)
        burst = _BURST_SIZE if self._walk.lean else 1.0
        return max(1, round(value * burst / self._walk.price * _LOTS))

    def _quote(self) -> str:
        self._update_id += 1
        lean = self._walk.lean
        bid = f'"b":"{self._price(self._quoted)}","B":"{_size(self._ladder.size(lean))}"'
        ask = f'"a":"{self._price(self._quoted + 1)}","A":"{_size(self._ladder.size(-lean))}"'
        return self._frame("bookTicker", f'"u":{self._update_id},"s":"{self.venue_symbol}",{bid},{ask}')

    def _levels(self, levels: Iterable[tuple[int, int]]) -> str:
        return "[" + ",".join(f'["{self._price(price)}","{_size(size)}"]' for price, size in levels) + "]"

    def _price(self, ticks: int) -> str:
        return _decimal(ticks, self._decimals)

    def _frame(self, feed: str, data: str) -> str:
        return f'{{"stream":"{self._stream}@{feed}","data":{{{data}}}}}'


class GeneratedTape:
    """Made-up markets of several spot symbols as one tape."""

    waits = False

    def __init__(
        self, seed: int, symbols: Iterable[str], rate: float, seconds: float = 0.0, clock: Clock = now
    ) -> None:
        """Take our symbols, frames a second of all of them together, and the length (0: endless)."""
        self._seconds = seconds or float("inf")
        self._clock = clock
        self._random = _random(seed, "times")
        started = clock()
        markets = [MadeUpMarket(_random(seed, symbol), symbol, started) for symbol in _checked(symbols)]
        self._markets = {market.venue_symbol: market for market in markets}
        self._events_a_second = _events_a_second(rate / len(markets))
        feeds = ("trade", "bookTicker", "depth")
        topics = frozenset(Topic(feed, symbol) for feed in feeds for symbol in self._markets)
        self.contents = Contents(Market.SPOT, topics)

    def frames(self) -> Iterator[Frame]:
        """Yield frames from the clock's present time on."""
        start = self._clock()
        turns = [(self._pause(), False, symbol) for symbol in self._markets]
        turns += [(_DEPTH_SECONDS, True, symbol) for symbol in self._markets]
        heapq.heapify(turns)
        while turns[0][0] <= self._seconds:
            at, is_depth, symbol = turns[0]
            ts = start + round(at * SECOND)
            market = self._markets[symbol]
            for text in market.depth(at, ts) if is_depth else market.event(at, ts):
                yield Frame(ts, text.encode())
            pause = _DEPTH_SECONDS if is_depth else self._pause()
            heapq.heapreplace(turns, (at + pause, is_depth, symbol))

    def snapshot(self, symbol: str) -> bytes | None:
        """Return the book of a venue symbol as of the last update made."""
        market = self._markets.get(symbol)
        return market.snapshot().encode() if market else None

    def opening(self, topic: Topic) -> Sequence[Message]:  # noqa: ARG002
        """Return nothing: books come by REST."""
        return ()

    def _pause(self) -> float:
        """Return the seconds to the next event of a symbol."""
        return self._random.expovariate(self._events_a_second)


def _random(seed: int, name: str) -> Random:
    return Random(f"{seed}:{name}")  # noqa: S311 - made-up prices are no secret


def _events_a_second(rate: float) -> float:
    return max((rate - 1 / _DEPTH_SECONDS) / _FRAMES_AN_EVENT, _LEAST_EVENTS)


def _checked(symbols: Iterable[str]) -> list[str]:
    distinct = list(dict.fromkeys(symbols))
    for symbol in distinct:
        base, _, quote = symbol.partition("/")
        if not (base.isalnum() and quote.isalnum() and symbol.isupper()):
            message = f"symbol {symbol!r} cannot be made up; give spot symbols such as BTC/USDT"
            raise InvalidInputError(message)
    if not distinct:
        message = "no symbol to make up; give spot symbols such as BTC/USDT"
        raise InvalidInputError(message)
    return distinct


def _size(lots: int) -> str:
    return _decimal(lots, _SIZE_DECIMALS)


def _decimal(units: int, decimals: int) -> str:
    """Return ``units`` of the last of ``decimals`` places as text of eight places, as Binance writes."""
    scale = 10**decimals
    return f"{units // scale}.{units % scale:0{decimals}d}".ljust(len(str(units // scale)) + 9, "0")
