"""Generated days of closed minutes: a wandering price, busy and quiet hours, now and then an upset."""

from collections.abc import Collection
from math import exp, sin
from random import Random

from market.bars import Bar
from market.minutes import Minute
from market.times import MINUTE

START = 1_723_161_600_000_000
"""2024-08-09 00:00 UTC."""

_DAY = 1440


def generated(
    count: int, seed: int = 7, *, upset: Collection[int] = (), quoted: bool = True, start: int = START
) -> list[Minute]:
    """Return so many minutes; those numbered in ``upset`` are crashes in a storm of trades."""
    random = Random(seed)
    price, minutes = 60_000.0, []
    for number in range(count):
        wild = 25.0 if number in upset else 1.0
        minute = _minute(random, start + number * MINUTE, price, wild, quoted=quoted)
        minutes.append(minute)
        price = minute.bar.close
    return minutes


def _minute(random: Random, start: int, price: float, wild: float, *, quoted: bool) -> Minute:
    busy = 1.5 + sin(start / MINUTE / _DAY * 6.283)
    move = random.gauss(0.0, 0.0004 * busy) - 0.0004 * (wild - 1.0)
    close = round(price * (1.0 + move), 2)
    reach = abs(random.gauss(0.0, 0.0003 * busy))
    volume = 2.0 * busy * exp(random.gauss(0.0, 0.5)) * wild
    buy = volume * min(max(random.gauss(0.5, 0.12), 0.0), 1.0)
    bar = Bar(
        interval=MINUTE,
        start=start,
        open=price,
        high=round(max(price, close) * (1.0 + reach), 2),
        low=round(min(price, close) * (1.0 - reach), 2),
        close=close,
        volume=volume,
        quote_volume=volume * price,
        buy_volume=buy,
        sell_volume=volume - buy,
        trades=max(1, int(40 * busy * wild * exp(random.gauss(0.0, 0.3)))),
    )
    return Minute(bar, 0.2 * wild * exp(random.gauss(0.0, 0.3)) if quoted else None)
