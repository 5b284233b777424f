"""The newest quote and trade of a commit, as subscribers of ``latest`` families receive them."""

from collections.abc import Iterable, Mapping

import msgspec

from db.instruments import Listed
from market.batches import Listing, Span
from market.channels import Family
from market.instruments import Instrument
from market.publications import Latest
from market.quotes import Quote
from market.ticks import Kind
from market.times import to_iso
from market.trades import Side, Trade

_encode = msgspec.json.Encoder().encode

_FAMILIES = {Kind.TRADE: Family.TRADES, Kind.QUOTE: Family.QUOTES}


def latest_of(ticks: Iterable[Trade | Quote], listing: Listing, places: Mapping[int, Listed]) -> list[Latest]:
    """Return the last stored trade and quote of each instrument, each standing for all of its span."""
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


def _latest(tick: Trade | Quote, span: Span, instrument: Instrument) -> Latest:
    fields = _trade_fields(tick) if isinstance(tick, Trade) else _quote_fields(tick)
    name = {"exchange": instrument.exchange, "symbol": instrument.symbol, "ts": to_iso(tick.ts)}
    data = _encode({**name, **fields, "received_at": to_iso(tick.received_at)}).decode()
    key = tick.tape_key
    return Latest(tick.instrument_id, _FAMILIES[Kind(key.kind)], key.ts, key.id, span.count, data)


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
