"""Binance spot: milliseconds, eight places, a frame a fill; books are numbered, and begin by REST.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
"""

from collections.abc import Iterable, Sequence

from sim.encoders.encoder import Encoder, Numbers
from sim.ledger import Fill
from sim.markets import Best, BookUpdate, Execution, MadeUpMarket
from sim.messages import Message
from sim.offered import Offered
from sim.protocols.protocol import Topic

_PLACES = 8
_MILLISECOND = 1_000_000
"""In nanoseconds."""

_TRADE, _QUOTE, _DEPTH = Offered(trades=1), Offered(quotes=1), Offered(depths=1)


class BinanceEncoder(Encoder):
    """One symbol of combined streams."""

    feeds = ("trade", "bookTicker", "depth")
    levels = 15
    book_seconds = 0.1
    gathers_seconds = 0.0

    def __init__(self, market: MadeUpMarket) -> None:
        """Take the market that is told of."""
        self._market = market
        self._numbers = Numbers(market.listing.price_decimals, _PLACES, _PLACES)
        self.venue_symbol = market.listing.symbol.replace("/", "")
        self._stream = self.venue_symbol.lower()
        self._trades, self._quotes, self._depths = (Topic(feed, self.venue_symbol) for feed in self.feeds)

    def trades(self, executions: Sequence[Execution], due: int) -> list[Message]:
        """Tell each in a frame of its own."""
        return [self._trade(execution, due) for execution in executions]

    def quote(self, best: Best, due: int) -> Message:
        """Tell the best bid and ask, without a time."""
        price, size = self._numbers.price, self._numbers.size
        bid = f'"b":"{price(best.bid)}","B":"{size(best.bid_lots)}"'
        ask = f'"a":"{price(best.ask)}","A":"{size(best.ask_lots)}"'
        data = f'"u":{best.update_id},"s":"{self.venue_symbol}",{bid},{ask}'
        return self._message("bookTicker", data, due, self._quotes, _QUOTE)

    def update(self, update: BookUpdate, due: int) -> Message:
        """Tell what changed, with the numbers of the first and the last change."""
        changes = update.changes
        sides = f'"b":{self._levels(changes.bids)},"a":{self._levels(changes.asks)}'
        event = f'"e":"depthUpdate","E":{update.ns // _MILLISECOND},"s":"{self.venue_symbol}"'
        data = f'{event},"U":{update.first_id},"u":{update.last_id},{sides}'
        return self._message("depth@100ms", data, due, self._depths, _DEPTH)

    def snapshot(self) -> str:
        """Return the published book."""
        ladder = self._market.ladder
        bids, asks = (self._levels(side.items()) for side in (ladder.bids, ladder.asks))
        return f'{{"lastUpdateId":{self._market.book_id},"bids":{bids},"asks":{asks}}}'

    def opening(self, topic: Topic) -> list[Message]:  # noqa: ARG002 - nothing comes first
        """Return nothing."""
        return []

    def _trade(self, execution: Execution, due: int) -> Message:
        number, ns, ticks, lots, sold = execution
        price, size, moment = self._numbers.price(ticks), self._numbers.size(lots), ns // _MILLISECOND
        event = f'"e":"trade","E":{moment},"s":"{self.venue_symbol}","t":{number},"p":"{price}","q":"{size}"'
        data = f'{event},"T":{moment},"m":{"true" if sold else "false"},"M":true'
        fill = Fill(number, moment * _MILLISECOND, price, size, "sell" if sold else "buy")
        return self._message("trade", data, due, self._trades, _TRADE, (fill,))

    def _levels(self, levels: Iterable[tuple[int, int]]) -> str:
        price, size = self._numbers.price, self._numbers.size
        return "[" + ",".join([f'["{price(ticks)}","{size(lots)}"]' for ticks, lots in levels]) + "]"

    def _message(  # noqa: PLR0913, PLR0917 - all of a message
        self, feed: str, data: str, due: int, topic: Topic, offered: Offered, fills: tuple[Fill, ...] = ()
    ) -> Message:
        text = f'{{"stream":"{self._stream}@{feed}","data":{{{data}}}}}'
        return Message(due, text.encode(), "", topic, offered, fills)
