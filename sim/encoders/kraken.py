"""Kraken spot, version 2: numbers without quotes, all trades of a moment in a frame, books under a checksum.

https://docs.kraken.com/api/docs/websocket-v2/book
https://docs.kraken.com/api/docs/guides/spot-ws-book-v2
"""

from collections.abc import Iterable, Sequence
from zlib import crc32

from sim.encoders.encoder import Encoder, IsoTimes, Numbers
from sim.ladders import Side
from sim.ledger import Fill
from sim.markets import SIZE_DECIMALS, Best, BookUpdate, Execution, MadeUpMarket
from sim.messages import Message
from sim.offered import Offered
from sim.protocols.protocol import Topic

_SIZE_PLACES = 8
_SIZE_ZEROS = "0" * (_SIZE_PLACES - SIZE_DECIMALS)
_QUOTE, _DEPTH = Offered(quotes=1), Offered(depths=1)


class KrakenEncoder(Encoder):
    """One pair; its book is that of a subscription to 10 levels."""

    feeds = ("trade/v2", "ticker/v2", "book/v2")
    levels = 10
    book_seconds = 0.05
    gathers_seconds = 0.002

    def __init__(self, market: MadeUpMarket) -> None:
        """Take the market that is told of."""
        decimals = market.listing.price_decimals
        self._market = market
        self._numbers = Numbers(decimals, decimals, _SIZE_PLACES)
        self._times = IsoTimes()
        self._best: Best | None = None
        self.venue_symbol = market.listing.symbol
        self._trades, self._quotes, self._depths = (Topic(feed, self.venue_symbol) for feed in self.feeds)

    def trades(self, executions: Sequence[Execution], due: int) -> list[Message]:
        """Tell all in one frame."""
        return [self._told("update", executions, due)] if executions else []

    def quote(self, best: Best, due: int) -> Message:
        """Tell the best bid and ask."""
        self._best = best
        return self._ticker("update", best, due)

    def update(self, update: BookUpdate, due: int) -> Message:
        """Tell what changed; levels that fall out at the far end are not told."""
        ladder, changes = self._market.ladder, update.changes
        bids = [level for level in changes.bids if level[1] or level[0] > min(ladder.bids)]
        asks = [level for level in changes.asks if level[1] or level[0] < max(ladder.asks)]
        return self._book("update", bids, asks, due)

    def snapshot(self) -> None:
        """Return nothing: books are told on the socket."""
        return

    def opening(self, topic: Topic) -> list[Message]:
        """Tell the last trades, the last ticker, or the whole book."""
        ladder = self._market.ladder
        if topic == self._trades:
            recent = list(self._market.recent)
            return [self._told("snapshot", recent, 0)] if recent else []
        if topic == self._quotes:
            return [self._ticker("snapshot", self._best, 0)] if self._best else []
        return [self._book("snapshot", ladder.bids.items(), ladder.asks.items(), 0)]

    def _told(self, kind: str, executions: Sequence[Execution], due: int) -> Message:
        rows, fills = zip(*map(self._row, executions), strict=True)
        text = f'{{"channel":"trade","type":"{kind}","data":[{",".join(rows)}]}}'
        return Message(due, text.encode(), "", self._trades, Offered(trades=len(fills)), fills)

    def _row(self, execution: Execution) -> tuple[str, Fill]:
        number, ns, ticks, lots, sold = execution
        price, size, side = self._numbers.price(ticks), self._numbers.size(lots), "sell" if sold else "buy"
        numbers = f'"price":{price},"qty":{size},"ord_type":"market","trade_id":{number}'
        row = (
            f'{{"symbol":"{self.venue_symbol}","side":"{side}",{numbers},"timestamp":"{self._times.of(ns)}"}}'
        )
        return row, Fill(number, ns, price, size, side)

    def _ticker(self, kind: str, best: Best, due: int) -> Message:
        price, size = self._numbers.price, self._numbers.size
        bid = f'"bid":{price(best.bid)},"bid_qty":{size(best.bid_lots)}'
        ask = f'"ask":{price(best.ask)},"ask_qty":{size(best.ask_lots)}'
        data = f'"symbol":"{self.venue_symbol}",{bid},{ask},"timestamp":"{self._times.of(best.ns)}"'
        text = f'{{"channel":"ticker","type":"{kind}","data":[{{{data}}}]}}'
        return Message(due, text.encode(), "", self._quotes, _QUOTE)

    def _book(
        self, kind: str, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]], due: int
    ) -> Message:
        sides = f'"symbol":"{self.venue_symbol}","bids":{self._levels(bids)},"asks":{self._levels(asks)}'
        data = f'{sides},"checksum":{self._checksum()},"timestamp":"{self._times.of(self._market.ns)}"'
        text = f'{{"channel":"book","type":"{kind}","data":[{{{data}}}]}}'
        return Message(due, text.encode(), "", self._depths, _DEPTH)

    def _levels(self, levels: Iterable[tuple[int, int]]) -> str:
        price, size = self._numbers.price, self._numbers.size
        return "[" + ",".join([f'{{"price":{price(t)},"qty":{size(lots)}}}' for t, lots in levels]) + "]"

    def _checksum(self) -> int:
        """Return the CRC32 of the digits of all levels, asks first, each without its leading zeros."""
        ladder = self._market.ladder
        return crc32((_digits(ladder.asks) + _digits(ladder.bids)).encode())


def _digits(side: Side) -> str:
    return "".join([f"{ticks}{lots}{_SIZE_ZEROS}" for ticks, lots in side.items()])
