"""What REST gives, as it is documented in /docs."""

from typing import Annotated, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from db.history.bars import SourcedBar
from db.history.indicators import StoredIndicator
from db.instruments import Listed
from db.signals import StoredSignal
from market import trades
from market.bars import NAMES
from market.texts import Name, signal_fields
from market.times import to_iso

Item = TypeVar("Item")

Coverage = Annotated[
    float,
    Field(ge=0, le=1, description="The share of the input that is proven to miss nothing, as known now."),
]


class Row(BaseModel):
    """One row of an answer."""

    model_config = ConfigDict(frozen=True)


class Page(Row, Generic[Item]):
    """A page; `next` continues it, and is null at the end of what there is now.

    `partial`: of the range of time that it answers, only the share `coverage` is proven to miss nothing.
    Both are null where nothing proves it, or of more instruments than are looked at together.
    """

    data: list[Item]
    next: str | None
    has_more: bool
    coverage: Coverage | None
    partial: bool | None


class Instrument(Row):
    """An instrument; one contract is `contract_size` of `size_unit`."""

    exchange: str
    symbol: str
    venue_symbol: str
    market: Literal["spot", "swap"]
    base: str
    quote: str
    contract_size: float
    size_unit: str

    @classmethod
    def of(cls, listed: Listed) -> "Instrument":
        """Return the row of a listed instrument."""
        ours = listed.instrument
        return cls(
            exchange=ours.exchange,
            symbol=ours.symbol,
            venue_symbol=ours.venue_symbol,
            market=ours.market.value,
            base=ours.base,
            quote=ours.quote,
            contract_size=ours.contract_size,
            size_unit=ours.size_unit,
        )


class Trade(Row):
    """An executed trade. `trade_id` is text, for it may exceed what a JavaScript number holds."""

    exchange: str
    symbol: str
    ts: str
    trade_id: str
    price: float
    size: float
    side: Literal["buy", "sell", "unknown"]
    received_at: str

    @classmethod
    def of(cls, listed: Listed, trade: trades.Trade) -> "Trade":
        """Return the row of a trade."""
        return cls(
            exchange=listed.instrument.exchange,
            symbol=listed.instrument.symbol,
            ts=to_iso(trade.ts),
            trade_id=str(trade.trade_id),
            price=trade.price,
            size=trade.size,
            side=SIDES[trade.side],
            received_at=to_iso(trade.received_at),
        )


SIDES: Final[dict[int, Literal["buy", "sell", "unknown"]]] = {1: "buy", -1: "sell", 0: "unknown"}


class Bar(Row):
    """A final bar of [start, start + interval)."""

    exchange: str
    symbol: str
    interval: str
    start: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    quote_volume: float
    buy_volume: float
    sell_volume: float
    trades: int
    final: Literal[True]
    coverage: Coverage
    source: str

    @classmethod
    def of(cls, listed: Listed, sourced: SourcedBar, coverage: float) -> "Bar":
        """Return the row of a bar, and how much of its interval is proven."""
        bar = sourced.bar
        return cls(
            exchange=listed.instrument.exchange,
            symbol=listed.instrument.symbol,
            interval=NAMES[bar.interval],
            start=to_iso(bar.start),
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            quote_volume=bar.quote_volume,
            buy_volume=bar.buy_volume,
            sell_volume=bar.sell_volume,
            trades=bar.trades,
            final=True,
            coverage=coverage,
            source=sourced.source,
        )


class Place(Row):
    """A tick: its time, and its id, which is text, for it may exceed what a JavaScript number holds."""

    ts: str
    id: str


class Latency(Row):
    """The milliseconds of each leg of the tick that decided a signal; null: not known any more."""

    venue_to_received: float
    received_to_committed: float | None
    committed_to_claimed: float | None
    claimed_to_computed: float


class Signal(Row):
    """An edge of a condition, with what it was seen in and how it came to be told. `id` names it for ever."""

    id: str
    exchange: str
    symbol: str
    kind: str
    version: int
    ts: str
    direction: Literal["up", "down", "ended"]
    strength: Annotated[float, Field(ge=-1, le=1, description="Positive upwards, negative downwards.")]
    confidence: Annotated[float, Field(ge=0, le=1)]
    price: float
    evidence: dict[str, float]
    from_ts: str
    to_ts: str
    first: Place | None
    last: Place | None
    parameters: dict[str, int | float]
    parameters_version: int
    code_version: str
    warm: bool
    coverage: Coverage
    received_at: str
    committed_at: str
    latency_ms: Latency | None

    @classmethod
    def of(cls, listed: Listed, stored: StoredSignal, coverage: float) -> "Signal":
        """Return the row of a signal, and how much of its input is proven."""
        ours = listed.instrument
        name = Name(ours.exchange, ours.symbol)
        return cls.model_validate(signal_fields(name, stored.signal, stored.delivery(coverage)))


class Indicator(Row):
    """What a kind measured last before `ts`, the end of a minute."""

    exchange: str
    symbol: str
    kind: str
    version: int
    ts: str
    values: dict[str, float]
    confidence: float
    from_ts: str
    to_ts: str
    coverage: Coverage

    @classmethod
    def of(cls, listed: Listed, stored: StoredIndicator, coverage: float) -> "Indicator":
        """Return the row of an indicator, and how much of its input is proven."""
        each = stored.indicator
        return cls(
            exchange=listed.instrument.exchange,
            symbol=listed.instrument.symbol,
            kind=each.kind,
            version=each.version,
            ts=to_iso(each.ts),
            values=each.values,
            confidence=each.confidence,
            from_ts=to_iso(each.from_ts),
            to_ts=to_iso(each.to_ts),
            coverage=coverage,
        )


class Fault(Row):
    """A parameter, or a field of the body, and what is wrong with it."""

    where: str
    what: str


class Problem(Row):
    """What was wrong (`title`, `detail`), where (`instance`, `errors`), and what to do (`action`).

    `code` is the number of what `type` names.
    """

    type: str
    code: int
    title: str
    status: int
    detail: str
    instance: str
    action: str
    errors: list[Fault] = []
