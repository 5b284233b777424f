"""Signals, bars, and gaps as the JSON text that subscribers receive: encoded once, where they are decided."""

from typing import Any

import msgspec

from market.bars import NAMES, Bar
from market.channels import Family
from market.gaps import Gap
from market.publications import Latest
from market.signal_ids import SignalId
from market.signals import Delivery, Signal
from market.ticks import Place
from market.times import to_iso

_encode = msgspec.json.Encoder().encode


class Name(msgspec.Struct, frozen=True):
    """An instrument as the outside calls it."""

    exchange: str
    symbol: str


def signal_text(name: Name, signal: Signal, delivery: Delivery) -> str:
    """Return a signal's JSON, and how it came to be told; times are ISO 8601 with six digits."""
    return _encode(signal_fields(name, signal, delivery)).decode()


def signal_fields(name: Name, signal: Signal, delivery: Delivery) -> dict[str, Any]:
    """Return a signal as JSON has it."""
    signal_id = SignalId(name.exchange, name.symbol, signal.kind, signal.version, signal.ts)
    return {
        "exchange": name.exchange,
        "symbol": name.symbol,
        "id": str(signal_id),
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
        "first": place_fields(signal.first),
        "last": place_fields(signal.last),
        "parameters": signal.parameters,
        "parameters_version": signal.parameters_version,
        "code_version": delivery.code_version,
        "warm": signal.warm,
        "coverage": delivery.coverage,
        "received_at": to_iso(delivery.received_at),
        "committed_at": to_iso(delivery.committed_at),
        "latency_ms": delivery.latency_ms,
    }


def place_fields(place: Place | None) -> dict[str, str] | None:
    """Return when a tick was and its id, which is text, as JavaScript's numbers end at 53 bits."""
    return None if place is None else {"ts": to_iso(place.ts), "id": str(place.id)}


def bar_text(name: Name, bar: Bar, coverage: float, source: str, *, final: bool = True) -> str:
    """Return a bar's JSON with the coverage of its interval; times are ISO 8601 with six digits."""
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
            "final": final,
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
