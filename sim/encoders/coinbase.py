"""Coinbase Exchange: microseconds, a frame a match, the maker's side; books begin on the socket.

https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
"""

from collections.abc import Iterable, Sequence

from sim.encoders.encoder import Encoder, IsoTimes, Numbers
from sim.ledger import MICROSECOND, Fill
from sim.markets import SIZE_DECIMALS, Best, BookUpdate, Execution, MadeUpMarket
from sim.messages import Message
from sim.offered import Offered
from sim.protocols.protocol import Topic

_TRADE, _QUOTE, _DEPTH = Offered(trades=1), Offered(quotes=1), Offered(depths=1)
_ORDER = "00000000-0000-4000-8000-{:012x}"
_ID_MASK = 2**48 - 1


class CoinbaseEncoder(Encoder):
    """One product."""

    feeds = ("matches", "ticker", "level2")
    levels = 15
    book_seconds = 0.05
    gathers_seconds = 0.0

    def __init__(self, market: MadeUpMarket) -> None:
        """Take the market that is told of."""
        decimals = market.listing.price_decimals
        self._market = market
        self._numbers = Numbers(decimals, decimals, SIZE_DECIMALS)
        self._times = IsoTimes()
        self._best: Best | None = None
        self.venue_symbol = market.listing.symbol.replace("/", "-")
        self._trades, self._quotes, self._depths = (Topic(feed, self.venue_symbol) for feed in self.feeds)

    def trades(self, executions: Sequence[Execution], due: int) -> list[Message]:
        """Tell each in a frame of its own."""
        return [self._match("match", execution, due) for execution in executions]

    def quote(self, best: Best, due: int) -> Message:
        """Tell the best bid and ask, beside the last trade."""
        self._best = best
        price, size = self._numbers.price, self._numbers.size
        bid = f'"best_bid":"{price(best.bid)}","best_bid_size":"{size(best.bid_lots)}"'
        ask = f'"best_ask":"{price(best.ask)}","best_ask_size":"{size(best.ask_lots)}"'
        event = f'"type":"ticker","sequence":{best.update_id},"product_id":"{self.venue_symbol}"'
        text = f'{{{event},{self._last_trade()}{bid},{ask},"time":"{self._times.of(best.ns)}"}}'
        return Message(due, text.encode(), "", self._quotes, _QUOTE)

    def update(self, update: BookUpdate, due: int) -> Message:
        """Tell what changed."""
        changes = [*self._changes("buy", update.changes.bids), *self._changes("sell", update.changes.asks)]
        event = f'"type":"l2update","product_id":"{self.venue_symbol}","changes":[{",".join(changes)}]'
        text = f'{{{event},"time":"{self._times.of(update.ns)}"}}'
        return Message(due, text.encode(), "", self._depths, _DEPTH)

    def snapshot(self) -> None:
        """Return nothing: books are told on the socket."""
        return

    def opening(self, topic: Topic) -> list[Message]:
        """Tell the last match again, the last ticker, or the whole book."""
        if topic == self._trades:
            last = list(self._market.recent)[-1:]
            return [self._match("last_match", execution, 0) for execution in last]
        if topic == self._quotes:
            return [self.quote(self._best, 0)] if self._best else []
        return [self._whole_book()] if topic == self._depths else []

    def _match(self, kind: str, execution: Execution, due: int) -> Message:
        number, ns, ticks, lots, sold = execution
        price, size = self._numbers.price(ticks), self._numbers.size(lots)
        maker, taker = ("buy", "sell") if sold else ("sell", "buy")
        orders = f'"maker_order_id":"{_order(2 * number)}","taker_order_id":"{_order(2 * number + 1)}"'
        event = f'"type":"{kind}","trade_id":{number},{orders},"side":"{maker}"'
        numbers = f'"size":"{size}","price":"{price}","product_id":"{self.venue_symbol}"'
        text = f'{{{event},{numbers},"sequence":{number},"time":"{self._times.of(ns)}"}}'
        fill = Fill(number, ns // MICROSECOND * MICROSECOND, price, size, taker)
        return Message(due, text.encode(), "", self._trades, _TRADE, (fill,))

    def _last_trade(self) -> str:
        if not self._market.recent:
            return ""
        number, _, ticks, lots, sold = self._market.recent[-1]
        price, size = self._numbers.price(ticks), self._numbers.size(lots)
        side = "sell" if sold else "buy"
        return f'"price":"{price}","last_size":"{size}","trade_id":{number},"side":"{side}",'

    def _whole_book(self) -> Message:
        ladder = self._market.ladder
        sides = f'"bids":{self._levels(ladder.bids.items())},"asks":{self._levels(ladder.asks.items())}'
        event = f'"type":"snapshot","product_id":"{self.venue_symbol}"'
        text = f'{{{event},{sides},"time":"{self._times.of(self._market.ns)}"}}'
        return Message(0, text.encode(), "", self._depths, _DEPTH)

    def _changes(self, side: str, levels: Iterable[tuple[int, int]]) -> list[str]:
        price, size = self._numbers.price, self._numbers.size
        return [f'["{side}","{price(ticks)}","{size(lots)}"]' for ticks, lots in levels]

    def _levels(self, levels: Iterable[tuple[int, int]]) -> str:
        price, size = self._numbers.price, self._numbers.size
        return "[" + ",".join([f'["{price(ticks)}","{size(lots)}"]' for ticks, lots in levels]) + "]"


def _order(number: int) -> str:
    return _ORDER.format(number & _ID_MASK)
