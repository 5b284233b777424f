"""What a kind of signal is computed from, by TA-Lib over a whole series; runs in TA-Lib's environment."""

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import talib

_ROUNDS = 100


def _work(plan: Mapping[str, Any]) -> Callable[[], object]:
    series = {name: np.array(plan[name]) for name in ("closes", "buys", "sells", "volumes")}
    closes = series["closes"]
    kinds: Mapping[str, Callable[[], object]] = {
        "momentum": lambda: (
            talib.EMA(closes, timeperiod=int(plan["fast"])),
            talib.EMA(closes, timeperiod=int(plan["slow"])),
        ),
        "rsi": lambda: talib.RSI(closes, timeperiod=int(plan["period"])),
        "reversion": lambda: (
            talib.SMA(closes, timeperiod=int(plan["bars"])),
            talib.STDDEV(closes, timeperiod=int(plan["bars"])),
        ),
        "flow": lambda: [
            talib.SUM(series[name], timeperiod=int(plan["bars"])) for name in ("buys", "sells", "volumes")
        ],
    }
    return kinds[plan["kind"]]


def main(plan: Mapping[str, Any]) -> dict[str, float]:
    """Compute the whole series many times."""
    work = _work(plan)
    work()
    began = time.perf_counter()
    for _ in range(_ROUNDS):
        work()
    bars, seconds = len(plan["closes"]) * _ROUNDS, time.perf_counter() - began
    return {"bars/s": bars / seconds, "us a bar": seconds / bars * 1e6}


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))
