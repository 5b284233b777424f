"""What is told of the buffer and of memory."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.pressure import Alarm, Gauge, Memory
from ingest.rooms import Room
from runtime.memory import limit_bytes, resident_bytes

MEGABYTE = 2**20


def sounded(shares: list[float]) -> list[tuple[str, float]]:
    alarm = Alarm("buffer", 0.7)
    with capture_logs() as logs:
        for share in shares:
            alarm.look(share)
    return [(log["event"], log["share"]) for log in logs]


def test_an_alarm_sounds_once_an_episode() -> None:
    assert [("pressure.high", 0.7)] == sounded([0.1, 0.69, 0.7, 0.9, 0.6, 0.8, 1.0])
    episodes = [("pressure.high", 0.7), ("pressure.relieved", 0.4), ("pressure.high", 0.75)]
    assert episodes == sounded([0.7, 0.6, 0.4, 0.3, 0.75])


def test_memory_is_told_against_its_limit_with_an_alarm() -> None:
    held = iter([70 * MEGABYTE, 85 * MEGABYTE, 90 * MEGABYTE])
    memory = Memory(lambda: next(held), 100 * MEGABYTE)
    with capture_logs() as logs:
        told = [memory.measure(Gauge(lambda: 0.0), Room()).resident_bytes for _ in range(3)]
    assert [70 * MEGABYTE, 85 * MEGABYTE, 90 * MEGABYTE] == told
    assert [("pressure.high", 0.85)] == [(log["event"], log["share"]) for log in logs]


def test_without_a_limit_there_is_no_alarm() -> None:
    with capture_logs() as logs:
        assert Memory(lambda: 2**40, None).measure(Gauge(lambda: 0.0), Room()).memory_limit_bytes is None
    assert logs == []


@pytest.mark.parametrize(
    ("text", "limit"), [("536870912\n", 512 * MEGABYTE), ("max\n", None), ("9223372036854771712\n", None)]
)
def test_the_limit_is_that_of_the_control_group(tmp_path: Path, text: str, limit: int | None) -> None:
    file = tmp_path / "memory.max"
    file.write_text(text)
    assert limit == limit_bytes([tmp_path / "missing", file])


def test_this_process_holds_some_memory() -> None:
    assert MEGABYTE < (resident_bytes() or 2 * MEGABYTE)
