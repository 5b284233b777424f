"""Signals, bars, and gaps as the JSON text that subscribers receive: encoded once, where they are decided."""

from typing import Any

import msgspec

from market.bars import NAMES, Bar
from market.channels import Family
from market.gaps import Gap
from market.publications import Latest
from market.signals import Signal
from market.times import to_iso

_encode = msgspec.json.Encoder().encode


class Name(msgspec.Struct, frozen=True):
    """An instrument as the outside calls it."""

    exchange: str
    symbol: str


def signal_text(name: Name, signal: Signal, coverage: float, received_at: int, committed_at: int) -> str:
    """Return a signal's JSON with the coverage of its input; times are ISO 8601 with six digits."""
    return _text(
        name,
        {
            "kind": signal.kind,
            "version": signal.version,
            "ts": to_iso(signal.ts),
            "direction": signal.direction,
            "strength": signal.strength,
            "confidence": signal.confidence,
            "price": signal.price,
            "evidence": signal.evidence,
            "from_ts": to_iso(signal.from_ts),
            "to_ts": to_iso(signal.to_ts),
            "coverage": coverage,
            "received_at": to_iso(received_at),
            "committed_at": to_iso(committed_at),
        },
    )


def bar_text(name: Name, bar: Bar, coverage: float, source: str) -> str:
    """Return a final bar's JSON with the coverage of its interval; times are ISO 8601 with six digits."""
    return _text(
        name,
        {
            "interval": NAMES[bar.interval],
            "start": to_iso(bar.start),
            "open": bar.open,
            "high": bar.high,
            "low": bar.low,
            "close": bar.close,
            "volume": bar.volume,
            "quote_volume": bar.quote_volume,
            "buy_volume": bar.buy_volume,
            "sell_volume": bar.sell_volume,
            "trades": bar.trades,
            "final": True,
            "coverage": coverage,
            "source": source,
        },
    )


def gap_text(name: Name, gap: Gap) -> str:
    """Return a gap's JSON; the ids of trades are text, as JavaScript's numbers end at 53 bits."""
    return _text(
        name,
        {
            "gap_id": gap.gap_id,
            "kind": gap.kind,
            "cause": gap.cause,
            "state": gap.state,
            "from_ts": to_iso(gap.from_ts),
            "to_ts": to_iso(gap.to_ts),
            "after_id": None if gap.after_id is None else str(gap.after_id),
            "before_id": None if gap.before_id is None else str(gap.before_id),
            "opened_at": to_iso(gap.opened_at),
            "closed_at": None if gap.closed_at is None else to_iso(gap.closed_at),
            "detail": gap.detail,
        },
    )


def gap_change(name: Name, gap: Gap, changed_at: int) -> Latest:
    """Return what the bus is told of a gap that was opened or changed, after the commit of it."""
    return Latest(gap.instrument_id, Family.COVERAGE, changed_at, gap.gap_id, 1, gap_text(name, gap))


def _text(name: Name, fields: dict[str, Any]) -> str:
    return _encode({"exchange": name.exchange, "symbol": name.symbol, **fields}).decode()
