"""The newest trade, quote, and depth of a commit, as subscribers of ``latest`` families receive them."""

from collections.abc import Iterable, Mapping

import msgspec

from db.instruments import Listed
from market.batches import Listing, Span
from market.channels import Family
from market.depths import Depth
from market.instruments import Instrument
from market.publications import Latest
from market.quotes import Quote
from market.ticks import Kind
from market.times import to_iso
from market.trades import Side, Trade

_encode = msgspec.json.Encoder().encode

_FAMILIES = {Kind.TRADE: Family.TRADES, Kind.QUOTE: Family.QUOTES, Kind.DEPTH: Family.DEPTH}

_Tick = Trade | Quote | Depth


def latest_of(ticks: Iterable[_Tick], listing: Listing, places: Mapping[int, Listed]) -> list[Latest]:
    """Return the last stored tick of each kind and instrument, each standing for all of its span."""
    last = {
        (instrument_id, span.last): span
        for instrument_id, spans in listing.items()
        for span in spans
        if span.kind in _FAMILIES
    }
    found = {}
    for tick in ticks:
        key = (tick.instrument_id, tick.tape_key)
        if key in last:
            found[key] = _latest(tick, last[key], places[tick.instrument_id].instrument)
    return list(found.values())


def _latest(tick: _Tick, span: Span, instrument: Instrument) -> Latest:
    fields = _fields(tick)
    name = {"exchange": instrument.exchange, "symbol": instrument.symbol, "ts": to_iso(tick.ts)}
    data = _encode({**name, **fields, "received_at": to_iso(tick.received_at)}).decode()
    key = tick.tape_key
    return Latest(tick.instrument_id, _FAMILIES[Kind(key.kind)], key.ts, key.id, span.count, data)


def _fields(tick: _Tick) -> dict[str, object]:
    if isinstance(tick, Trade):
        return _trade_fields(tick)
    return _quote_fields(tick) if isinstance(tick, Quote) else _depth_fields(tick)


def _trade_fields(trade: Trade) -> dict[str, object]:
    """Return what only a trade has; its id is text, as JavaScript's numbers end at 53 bits."""
    side = Side(trade.side).name.lower()
    return {"trade_id": str(trade.trade_id), "price": trade.price, "size": trade.size, "side": side}


def _quote_fields(quote: Quote) -> dict[str, object]:
    """Return what only a quote has; a size that the venue does not tell is null."""
    return {
        "bid_price": quote.bid_price,
        "bid_size": quote.bid_size,
        "ask_price": quote.ask_price,
        "ask_size": quote.ask_size,
    }


def _depth_fields(depth: Depth) -> dict[str, object]:
    """Return what only a depth has: pairs of price and size, best first; its id is text as a trade's is."""
    return {
        "update_id": str(depth.update_id),
        "bids": list(zip(depth.bid_prices, depth.bid_sizes, strict=True)),
        "asks": list(zip(depth.ask_prices, depth.ask_sizes, strict=True)),
    }
