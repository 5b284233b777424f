"""Recorded trades, decoded once, and laid end to end on the tapes of several instruments."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

from ingest.venues.binance import Binance
from market.instruments import Instrument, spot
from market.times import SECOND
from market.trades import Trade
from sim.generator import GeneratedTape, Plan
from sim.profiles import steady
from sim.recordings import Frame, read

INSTRUMENTS: tuple[Instrument, ...] = tuple(
    spot("binance", base, "USDT", f"{base}USDT")
    for base in ("SOL", "DOT", "BNB", "ETH", "XRP", "OP", "BTC", "APT")
)
"""Whose tapes the recording is laid on: one in each of the eight shards that are usual."""

_RECORDING = "hftbacktest/usdm_btcusdt_20240808.gz"
_SYMBOL = "BTCUSDT"
_MADE_UP_FROM = 1_723_161_255 * SECOND
_MADE_UP_SECONDS = 100.0
_MADE_UP_RATE = 200.0
_PAUSE = SECOND
"""Between the end of a recording and its repetition."""


class Recorded(NamedTuple):
    """Trades of one instrument in order, and where they are from."""

    trades: Sequence[Trade]
    source: str


def recording() -> Path:
    """Return the file of recorded frames, which may not exist."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    return Path(os.environ.get("HELIOGRAPH_RECORDINGS") or beside) / _RECORDING


def recorded() -> Recorded:
    """Decode the recording, or made-up frames where it is missing."""
    path = recording()
    if path.exists():
        trades = _decoded(record for record in read(path) if isinstance(record, Frame))
        return Recorded(trades, f"{len(trades):,} trades recorded in {path.name}")
    plan = Plan(symbols=["BTC/USDT"], phases=steady(_MADE_UP_RATE), seconds=_MADE_UP_SECONDS)
    made_up = GeneratedTape(plan, lambda: _MADE_UP_FROM)
    trades = _decoded(made_up.frames())
    return Recorded(trades, f"{len(trades):,} made-up trades (no {path.name})")


def laid(of: Recorded, instrument_ids: Sequence[int], ticks: int) -> list[Trade]:
    """Return ``ticks`` trades: each recorded one on every tape, again and again with later ids and times."""
    return list(islice(repeated(of.trades, instrument_ids), ticks))


def cut(items: Sequence[Trade], size: int) -> list[Sequence[Trade]]:
    """Return ``items`` in pieces of ``size``."""
    return [items[at : at + size] for at in range(0, len(items), size)]


def _decoded(frames: Iterable[Frame]) -> list[Trade]:
    decoder = Binance().decoder({_SYMBOL: 0})
    found = [
        trade
        for frame in frames
        if b"@trade" in frame.text
        for trade in decoder.decode(frame.text, frame.recorded_at).trades
    ]
    return sorted(found, key=lambda trade: trade.tape_key)


def repeated(trades: Sequence[Trade], instrument_ids: Sequence[int]) -> Iterator[Trade]:
    """Yield each trade on every tape, again and again with later ids and times, for ever."""
    duration = trades[-1].ts - trades[0].ts + _PAUSE
    ids = max(trade.trade_id for trade in trades) - min(trade.trade_id for trade in trades) + 1
    for lap in count():
        later, further = lap * duration, lap * ids
        for t in trades:
            for each in instrument_ids:
                place = each, t.ts + later, t.trade_id + further
                yield Trade(*place, t.price, t.size, t.side, t.received_at + later)
