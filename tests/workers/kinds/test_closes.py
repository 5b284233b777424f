import numpy as np
import pytest
import talib

from tests.workers.kinds.tapes import START, bar, random_closes
from workers.kinds.closes import Closes, density, ema, left_sum


def test_closes_keep_the_newest_bars_oldest_first() -> None:
    closes = Closes()
    for second, close in enumerate((5.0, 6.0, 7.0)):
        closes = closes.push(bar(second, close), 2)
    assert closes == Closes((START + 1_000_000, START + 2_000_000), (6.0, 7.0))


def test_density_is_the_share_of_seconds_that_have_a_bar() -> None:
    assert density(30, START, START + 60_000_000) == 0.5


def test_a_sum_is_added_from_the_left() -> None:
    values = (1e16, 1.0, -1e16, 1.0)
    assert left_sum(values) == ((1e16 + 1.0) + -1e16) + 1.0 == 1.0


def test_an_average_begins_with_the_mean_of_its_first_period() -> None:
    assert ema((1.0, 2.0, 6.0), 3) == 3.0
    assert ema((1.0, 2.0, 6.0, 7.0), 3) == 3.0 + 0.5 * (7.0 - 3.0)


@pytest.mark.parametrize("period", [12, 26])
def test_the_average_is_that_of_ta_lib(period: int) -> None:
    values = random_closes(period, 8 * period)
    expected = talib.EMA(np.array(values), timeperiod=period)[-1]
    assert ema(values, period) == pytest.approx(expected, rel=1e-12)
