"""What a kind of signal is computed from, by talipp, bar by bar; runs in talipp's environment."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from talipp.indicators import EMA, RSI, SMA, StdDev


def _indicators(plan: Mapping[str, Any]) -> Sequence[tuple[Any, Sequence[float]]]:
    closes = plan["closes"]
    if plan["kind"] == "momentum":
        return [(EMA(int(plan["fast"])), closes), (EMA(int(plan["slow"])), closes)]
    if plan["kind"] == "rsi":
        return [(RSI(int(plan["period"])), closes)]
    bars = int(plan["bars"])
    if plan["kind"] == "reversion":
        return [(SMA(bars), closes), (StdDev(bars), closes)]
    return [(SMA(bars), plan[name]) for name in ("buys", "sells", "volumes")]


def main(plan: Mapping[str, Any]) -> dict[str, float]:
    """Add every bar to every indicator."""
    indicators = _indicators(plan)
    bars = len(plan["closes"])
    began = time.perf_counter()
    for at in range(bars):
        for indicator, values in indicators:
            indicator.add(values[at])
    seconds = time.perf_counter() - began
    return {"bars/s": bars / seconds, "us a bar": seconds / bars * 1e6}


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))
