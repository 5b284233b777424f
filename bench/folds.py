"""Each kind of signal over the same bars: beside TA-Lib, which takes all at once, and talipp, bar by bar."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from bench import tapes
from bench.effort import Effort
from bench.peers import environments
from bench.reports import Report, report
from bench.rounds import Contestant, Figures, alternate
from market.bars import Bar
from market.depths import Depth
from market.times import SECOND
from workers.folding import Folder
from workers.kinds.catalogue import BUILT_IN
from workers.kinds.fold import AnyFold, Input

_LONGER = 4
_LEVELS = 10


async def measure(url: str, effort: Effort) -> Report:  # noqa: ARG001 - nothing is stored
    """Measure every built-in kind on the bars of ``effort.ticks`` trades, or on as many depths."""
    recorded = tapes.recorded()
    bars = _bars(tapes.laid(recorded, [1], effort.ticks * _LONGER))
    items: Mapping[Input, Sequence[Any]] = {Input.BARS: bars, Input.DEPTH: _depths(bars)}
    contestants: dict[str, Contestant] = {}
    limits: dict[str, str] = {}
    peers: dict[str, str] = {}
    for fold in BUILT_IN:
        contestants[fold.kind] = partial(_step, fold, items[fold.input])
        if not effort.peers or fold.input is not Input.BARS:
            continue
        batch, incremental = f"{fold.kind}, TA-Lib", f"{fold.kind}, talipp"
        plan = {"kind": fold.kind, **_columns(bars), **fold.parameters}
        contestants[batch] = partial(environments.told, "talib", "talib_folds.py", plan)
        contestants[incremental] = partial(environments.told, "talipp", "talipp_folds.py", plan)
        limits[fold.kind], peers[incremental] = batch, fold.kind
    told = f"{len(bars):,} one-second bars of {recorded.source}; depths of {_LEVELS} levels for pressure"
    return report("folds", told, await alternate(contestants, effort), limits, peers)


async def _step(fold: AnyFold, items: Sequence[Any]) -> Figures:
    state, signals = fold.start(), 0
    began = time.perf_counter()
    for item in items:
        state, signal = fold.step(state, item)
        signals += signal is not None
    seconds = time.perf_counter() - began
    return {"bars/s": len(items) / seconds, "us a bar": seconds / len(items) * 1e6}


def _bars(trades: Sequence[Any]) -> list[Bar]:
    folder = Folder(())
    folded = folder.fold(folder.start(), trades)
    return [each.bar for each in folded.bars if each.bar.end - each.bar.start == SECOND]


def _columns(bars: Sequence[Bar]) -> dict[str, list[float]]:
    return {
        "closes": [bar.close for bar in bars],
        "buys": [bar.buy_volume for bar in bars],
        "sells": [bar.sell_volume for bar in bars],
        "volumes": [bar.volume for bar in bars],
    }


def _depths(bars: Sequence[Bar]) -> list[Depth]:
    """Return a made-up book at each close, as one-sided as the bar's takers."""
    levels = range(1, _LEVELS + 1)
    return [
        Depth(
            1,
            bar.end,
            number,
            bid_prices=tuple(bar.close - level for level in levels),
            bid_sizes=tuple(bar.buy_volume + level for level in levels),
            ask_prices=tuple(bar.close + level for level in levels),
            ask_sizes=tuple(bar.sell_volume + level for level in levels),
            received_at=bar.end,
        )
        for number, bar in enumerate(bars)
    ]
