"""Frames that carry data, as types: what /asyncapi.json says of them, and what tests hold them against.

The data itself is text that was encoded where it was decided (market/texts.py, ingest/latest.py).
"""

from typing import Any, Literal

import msgspec

Level = tuple[float, float]
"""A price and a size."""


class _Frame(msgspec.Struct, frozen=True, tag_field="op", kw_only=True):
    """``heard_at`` and ``sent_at``, when the server had it and sent it, come with ``?times=true``."""

    channel: str
    heard_at: str | msgspec.UnsetType = msgspec.UNSET
    sent_at: str | msgspec.UnsetType = msgspec.UNSET


class _Data(msgspec.Struct, frozen=True, kw_only=True):
    exchange: str
    symbol: str


class TickPlace(msgspec.Struct, frozen=True):
    """The event time of a tick and its id, which is text."""

    ts: str
    id: str


class SignalData(_Data, frozen=True, kw_only=True):
    """An edge of a condition, with what it was seen in."""

    id: str
    kind: str
    version: int
    ts: str
    direction: Literal["up", "down", "ended"]
    strength: float
    confidence: float
    price: float
    evidence: dict[str, float | None]
    from_ts: str
    to_ts: str
    first: TickPlace | None
    last: TickPlace | None
    parameters: dict[str, float]
    parameters_version: int
    code_version: str
    warm: bool
    coverage: float
    received_at: str
    committed_at: str
    latency_ms: dict[str, float | None] | None


class BarData(_Data, frozen=True, kw_only=True):
    """Open, high, low, close, and volumes of an interval."""

    interval: Literal["1s", "1m", "5m", "1h"]
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
    final: bool
    coverage: float
    source: str


class QuoteData(_Data, frozen=True, kw_only=True):
    """The best bid and ask; a size that the venue does not tell is null."""

    ts: str
    bid_price: float
    bid_size: float | None
    ask_price: float
    ask_size: float | None
    received_at: str


class TradeData(_Data, frozen=True, kw_only=True):
    """An executed trade; its id is text."""

    ts: str
    trade_id: str
    price: float
    size: float
    side: Literal["buy", "sell", "unknown"]
    received_at: str


class DepthData(_Data, frozen=True, kw_only=True):
    """The best levels of a valid book, best first."""

    ts: str
    update_id: str
    bids: list[Level]
    asks: list[Level]
    received_at: str


class GapData(_Data, frozen=True, kw_only=True):
    """An interval in which a feed was not proven up, as it stands now; ids of trades are text."""

    gap_id: int
    kind: Literal["trades", "depths"]
    cause: str
    state: Literal["open", "healing", "closed", "unrecoverable"]
    from_ts: str
    to_ts: str
    after_id: str | None
    before_id: str | None
    opened_at: str
    closed_at: str | None
    detail: str


class SignalFrame(_Frame, frozen=True, tag="signal", kw_only=True):
    """An entry of the log: a signal."""

    offset: int
    data: SignalData


class BarFrame(_Frame, frozen=True, tag="bar", kw_only=True):
    """A final bar, an entry of the log; or one that runs, with ``conflated`` in place of ``offset``."""

    offset: int | msgspec.UnsetType = msgspec.UNSET
    conflated: int | msgspec.UnsetType = msgspec.UNSET
    data: BarData


class CorrectionFrame(_Frame, frozen=True, tag="correction", kw_only=True):
    """An entry of the log that says what an earlier one should have said; null withdraws it."""

    offset: int
    revises: int
    data: dict[str, Any] | None


class QuoteFrame(_Frame, frozen=True, tag="quote", kw_only=True):
    """The newest quote, which stands for ``conflated`` of them."""

    conflated: int
    data: QuoteData


class TradeFrame(_Frame, frozen=True, tag="trade", kw_only=True):
    """The newest trade, which stands for ``conflated`` of them."""

    conflated: int
    data: TradeData


class DepthFrame(_Frame, frozen=True, tag="depth", kw_only=True):
    """The newest depth, which stands for ``conflated`` of them."""

    conflated: int
    data: DepthData


class GapFrame(_Frame, frozen=True, tag="gap", kw_only=True):
    """A gap as it is now."""

    conflated: int
    data: GapData


Published = SignalFrame | BarFrame | CorrectionFrame | QuoteFrame | TradeFrame | DepthFrame | GapFrame
