"""Made-up markets as a tape: what is played when nothing was recorded.

The same plan and start give the same frames. Event times are the clock's from the moment the tape begins;
trade and update ids go on from the clock at the start, so that they grow across restarts.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import IntEnum
from functools import partial
from random import Random
from typing import NamedTuple

import msgspec

from market.errors import InvalidInputError
from market.instruments import Market
from market.times import SECOND
from runtime.clock import Clock, now
from sim import encoders
from sim.arrivals import Arrivals
from sim.encoders.encoder import Encoder
from sim.ledger import MICROSECOND
from sim.markets import FILLS_AN_EVENT, Execution, Listing, MadeUpMarket
from sim.messages import Message
from sim.pasts import Length, Past
from sim.profiles import Phase, steady
from sim.protocols.protocol import Topic
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

_LEAST_EVENTS = 2.0
"""Events a second of one symbol, at any rate."""

_NANOSECONDS = 1_000_000_000
"""In a second."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is made up.

    Venues with one ``seed`` and ``epoch`` follow the same prices, each ``lag_seconds`` behind. The epoch is
    microseconds since 1970; 0 is the start.
    """

    symbols: Sequence[str]
    venue: str = "binance"
    seed: int = 7
    phases: Sequence[Phase] = steady(200.0)
    seconds: float = 0.0
    """Length of the tape; 0: endless."""
    epoch: int = 0
    lag_seconds: float = 0.0
    gathers_seconds: float = 0.0
    """How long trades and quotes are gathered, as by a busy venue; 0: as the venue usually does."""
    past: Length = Length()
    """What was traded before the start."""


class _Kind(IntEnum):
    ORDER = 0
    TOLD = 1
    BOOK = 2


class _Turn(NamedTuple):
    at: float
    kind: _Kind
    symbol: str


class _Pair(msgspec.Struct):
    """One symbol: its market, its venue's words for it, and trades that are still to be told."""

    market: MadeUpMarket
    encoder: Encoder
    arrivals: Arrivals
    gathered: list[Execution] = []


class GeneratedTape:
    """Made-up markets of several spot symbols as one tape. Nobody is waited for."""

    waits = False

    def __init__(self, plan: Plan, clock: Clock = now) -> None:
        """Open the markets; raises InvalidInputError or UnknownVenueError."""
        self._plan = plan
        self._clock = clock
        self._encoder = encoders.named(plan.venue)
        self._gathers_seconds = plan.gathers_seconds or self._encoder.gathers_seconds
        self._started = clock()
        """Where ids go on from; and on the epoch's scale, where the walk does."""
        symbols = _checked(plan.symbols)
        self._phases = self._events(
            [Phase(phase.seconds, phase.rate / len(symbols)) for phase in plan.phases]
        )
        pairs = [self._pair(symbol) for symbol in symbols]
        self._pairs = {pair.encoder.venue_symbol: pair for pair in pairs}
        topics = frozenset(Topic(feed, symbol) for feed in self._encoder.feeds for symbol in self._pairs)
        pasts = {pair.encoder.venue_symbol: self._past(pair) for pair in pairs}
        self.contents = Contents(Market.SPOT, topics, pasts)

    def frames(self) -> Iterator[Message]:
        """Yield frames from the clock's present time on."""
        start, ahead = self._clock(), self._plan.seconds or float("inf")
        turns = [_Turn(pair.arrivals.next(), _Kind.ORDER, symbol) for symbol, pair in self._pairs.items()]
        turns += [_Turn(self._encoder.book_seconds, _Kind.BOOK, symbol) for symbol in self._pairs]
        heapq.heapify(turns)
        while turns[0].at <= ahead:
            turn = heapq.heappop(turns)
            yield from self._taken(turn, start, partial(heapq.heappush, turns))

    def snapshot(self, symbol: str) -> bytes | None:
        """Return the book of a venue symbol as of the last update made; None where REST has none."""
        book = self._pairs[symbol].encoder.snapshot() if symbol in self._pairs else None
        return book.encode() if book else None

    def opening(self, topic: Topic) -> Sequence[Message]:
        """Return what who subscribes to a topic is told first."""
        pair = self._pairs.get(topic.symbol)
        return pair.encoder.opening(topic) if pair and topic in self.contents.topics else ()

    def _pair(self, symbol: str) -> _Pair:
        base = symbol.partition("/")[0]
        price, decimals = _STARTS.get(base, _OTHER_START)
        walk = Walk(_random(self._plan.seed, base), price)
        walk.advance(self._walked(0.0))
        random = _random(self._plan.seed, f"{self._plan.venue}:{symbol}")
        market = MadeUpMarket(random, Listing(symbol, decimals), walk, self._started, self._encoder.levels)
        return _Pair(market, self._encoder(market), Arrivals(random, self._phases))

    def _past(self, pair: _Pair) -> Past:
        """Return the trades before the first that is told, whose id follows theirs."""
        listing = pair.market.listing
        price, _ = _STARTS.get(listing.symbol.partition("/")[0], _OTHER_START)
        return Past(self._plan.past.checked(), self._started, self._started, price, listing.price_decimals)

    def _events(self, phases: Iterable[Phase]) -> list[Phase]:
        """Return the phases of one symbol in events a second in place of ticks."""
        beside, an_event = 1 / self._encoder.book_seconds, FILLS_AN_EVENT + 1
        if self._plan.gathers_seconds:
            beside, an_event = beside + 1 / self._plan.gathers_seconds, FILLS_AN_EVENT
        return [Phase(seconds, max((rate - beside) / an_event, _LEAST_EVENTS)) for seconds, rate in phases]

    def _walked(self, at: float) -> float:
        """Return the place on the walk of the price at so many seconds of the tape."""
        since = (self._started - self._plan.epoch) / SECOND if self._plan.epoch else 0.0
        return since + at - self._plan.lag_seconds

    def _taken(self, turn: _Turn, start: int, push: Callable[[_Turn], None]) -> Iterator[Message]:
        """Yield what happens at a turn, and push those that follow from it."""
        at, kind, symbol = turn
        pair, due = self._pairs[symbol], start + round(at * SECOND)
        if kind is _Kind.TOLD:
            gathered, pair.gathered = pair.gathered, []
            yield from _told(pair, gathered, due)
            if self._plan.gathers_seconds:
                yield pair.encoder.quote(pair.market.best(), due)
            return
        pair.market.move(self._walked(at), start * MICROSECOND + round(at * _NANOSECONDS))
        if kind is _Kind.BOOK:
            push(_Turn(at + self._encoder.book_seconds, kind, symbol))
            yield pair.encoder.update(pair.market.book(), due)
            return
        push(_Turn(pair.arrivals.next(), kind, symbol))
        yield from self._ordered(pair, turn, due, push)

    def _ordered(
        self, pair: _Pair, turn: _Turn, due: int, push: Callable[[_Turn], None]
    ) -> Iterator[Message]:
        """Yield the fills of an order, if any, and the quote after it; or gather them."""
        executions = pair.market.order()
        if not self._gathers_seconds:
            yield from _told(pair, executions, due)
        elif executions:
            if not pair.gathered:
                push(_Turn(turn.at + self._gathers_seconds, _Kind.TOLD, turn.symbol))
            pair.gathered.extend(executions)
        if not self._plan.gathers_seconds:
            yield pair.encoder.quote(pair.market.best(), due)


def _told(pair: _Pair, executions: Sequence[Execution], due: int) -> Iterator[Message]:
    """Yield the frames of trades, and only then count them among those that were told."""
    told = 0
    for message in pair.encoder.trades(executions, due):
        yield message
        pair.market.tell(executions[told : told + message.offered.trades])
        told += message.offered.trades


def _random(seed: int, name: str) -> Random:
    return Random(f"{seed}:{name}")  # noqa: S311 - made-up prices are no secret


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
