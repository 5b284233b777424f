"""Tapes made from a seed: a wandering price, uneven trades, a book that leans."""

from collections.abc import Iterable
from itertools import pairwise
from random import Random

from market.bars import Bar
from market.depths import Depth
from market.quotes import Quote
from market.signals import Signal
from market.times import MINUTE, SECOND
from market.trades import Trade
from market.watermarks import Watermark
from workers.folding import Folder, Tick
from workers.kinds.fold import AnyFold

START = 1_723_161_240 * SECOND
"""2024-08-08 23:54:00 UTC: the start of a minute, six minutes before the end of an hour."""


def trade(ts: int, price: float = 100.0, size: float = 1.0, side: int = 1, trade_id: int = 0) -> Trade:
    return Trade(1, ts, trade_id, price, size, side, received(ts))


def quote(ts: int) -> Quote:
    return Quote(1, ts, 0, 99.5, 1.0, 100.5, 1.0, received(ts))


def depth(ts: int, bids: float = 1.0, asks: float = 1.0, update_id: int = 0) -> Depth:
    bid_prices, ask_prices = (99.0, 98.0, 97.0, 96.0, 95.0), (101.0, 102.0, 103.0, 104.0, 105.0)
    return Depth(1, ts, update_id, bid_prices, (bids,) * 5, ask_prices, (asks,) * 5, received(ts))


def watermark(ts: int) -> Watermark:
    return Watermark(1, ts, received(ts))


def received(ts: int) -> int:
    return ts + 7_000


def bar(second: int, close: float, buy: float = 0.0, sell: float = 0.0, unknown: float = 0.0) -> Bar:
    """Return a bar of one second, ``second`` seconds after START."""
    volume = buy + sell + unknown
    start = START + second * SECOND
    return Bar(SECOND, start, close, close, close, close, volume, volume * close, buy, sell, 1)


def random_closes(seed: int, count: int) -> list[float]:
    random = Random(seed)
    return [60_000.0 + random.gauss(0.0, 20.0) for _ in range(count)]


def random_tape(seed: int, seconds: int) -> list[Tick]:
    """Return a sorted tape with repeated times, seconds without trades, and now and then a long silence."""
    random = Random(seed)
    tape: list[Tick] = []
    ts, price, trend, lean = START, 100.0, 0.0, 1.0
    while ts < START + seconds * SECOND:
        ts += random.choice((0, 1_000, 100_000, 300_000, 700_000))
        ts += random.choice((MINUTE, 2 * MINUTE)) if random.random() < 0.001 else 0
        if random.random() < 0.03:
            trend, lean = random.uniform(-0.02, 0.02), random.choice((0.2, 1.0, 5.0))
        price += trend + random.gauss(0.0, 0.01)
        tape.append(_random_tick(random, ts, price, lean, len(tape)))
    return sorted(tape, key=lambda tick: tick.tape_key)


def _random_tick(random: Random, ts: int, price: float, lean: float, number: int) -> Tick:
    chance = random.random()
    if chance < 0.65:
        side = 1 if random.random() * (1.0 + lean) < lean else random.choice((-1, -1, -1, 0))
        return trade(ts, price, random.uniform(0.1, 3.0), side, number)
    if chance < 0.85:
        return depth(ts, lean * random.uniform(0.5, 2.0), random.uniform(0.5, 2.0), number)
    return quote(ts) if chance < 0.9 else watermark(ts)


def random_bars(seed: int, seconds: int) -> list[Bar]:
    """Return the closed bars of one second of a random tape."""
    folder = Folder(())
    folded = folder.fold(folder.start(), random_tape(seed, seconds))
    return [final.bar for final in folded.bars if final.bar.interval == SECOND]


def random_depths(seed: int, seconds: int) -> list[Depth]:
    """Return the depths of a random tape, each at an instant of its own."""
    depths = [tick for tick in random_tape(seed, seconds) if isinstance(tick, Depth)]
    return [earlier for earlier, later in pairwise(depths) if earlier.ts != later.ts]


def told_of(fold: AnyFold, items: Iterable[object]) -> list[Signal]:
    """Return the signals that a kind tells of ``items``, from its start."""
    state, signals = fold.start(), []
    for item in items:
        state, signal = fold.step(state, item)
        if signal:
            signals.append(signal)
    return signals
