import time

from runtime.clock import now


def test_the_clock_counts_microseconds() -> None:
    before = time.time_ns() // 1000
    assert before <= now() <= time.time_ns() // 1000
