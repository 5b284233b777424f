"""What history and streams consist of. Times are aware, in UTC, to the microsecond.

Fields that a newer server adds are left out; ``texts`` of a history or a stream has them.
"""

from datetime import datetime

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One thing that is told."""


class Instrument(Row, frozen=True):
    """What is traded where; one contract is ``contract_size`` of ``size_unit``."""

    exchange: str
    symbol: str
    venue_symbol: str
    market: str
    base: str
    quote: str
    contract_size: float
    size_unit: str


class Trade(Row, frozen=True):
    """An executed trade; ``side`` is the taker's: buy, sell, or unknown."""

    exchange: str
    symbol: str
    ts: datetime
    trade_id: str
    price: float
    size: float
    side: str
    received_at: datetime


class Quote(Row, frozen=True):
    """The best bid and ask; a size is None where the venue tells none. Streams have no ``update_id``."""

    exchange: str
    symbol: str
    ts: datetime
    bid_price: float
    bid_size: float | None
    ask_price: float
    ask_size: float | None
    received_at: datetime
    update_id: str | None = None


class Depth(Row, frozen=True):
    """The top of an order book: price and size of each level, the best first."""

    exchange: str
    symbol: str
    ts: datetime
    update_id: str
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]
    received_at: datetime


class Bar(Row, frozen=True):
    """What was traded in [start, start + interval); not ``final``: it still runs."""

    exchange: str
    symbol: str
    interval: str
    start: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    buy_volume: float
    sell_volume: float
    trades: int
    final: bool
    coverage: float
    source: str


class Place(Row, frozen=True):
    """A tick: its time and its id."""

    ts: datetime
    id: str


class Signal(Row, frozen=True):
    """A condition of its kind became true (``up``, ``down``), or ``ended``."""

    exchange: str
    symbol: str
    id: str
    kind: str
    version: int
    ts: datetime
    direction: str
    strength: float
    confidence: float
    price: float
    evidence: dict[str, float]
    from_ts: datetime
    to_ts: datetime
    first: Place | None
    last: Place | None
    parameters: dict[str, float]
    parameters_version: int
    code_version: str
    warm: bool
    coverage: float
    received_at: datetime
    committed_at: datetime
    latency_ms: dict[str, float | None] | None


class Indicator(Row, frozen=True):
    """What a kind of signal measured last before ``ts``, the end of a minute."""

    exchange: str
    symbol: str
    kind: str
    version: int
    ts: datetime
    values: dict[str, float]
    confidence: float
    from_ts: datetime
    to_ts: datetime
    coverage: float


class Gap(Row, frozen=True):
    """An interval in which a feed was not proven up, and what became of it."""

    exchange: str
    symbol: str
    gap_id: int
    kind: str
    cause: str
    state: str
    from_ts: datetime
    to_ts: datetime
    after_id: str | None
    before_id: str | None
    opened_at: datetime
    closed_at: datetime | None
    detail: str


class Span(Row, frozen=True):
    """[from_ts, to_ts)."""

    from_ts: datetime
    to_ts: datetime


class Coverage(Row, frozen=True):
    """How much of [from_ts, to_ts) is proven to miss nothing, and where, up to ``listed_until``."""

    exchange: str
    symbol: str
    kind: str
    from_ts: datetime
    to_ts: datetime
    share: float
    proven: list[Span]
    unproven: list[Span]
    listed_until: datetime
