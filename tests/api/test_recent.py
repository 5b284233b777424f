"""The newest publications in memory, and a subscriber that reads them or the log."""

from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.formats import Format, Frame
from api.recent import Recent
from api.subscriptions import Position
from db.publications import Stream
from market.channels import Family

ONE = Stream(1, Family.SIGNALS)
OTHER = Stream(2, Family.SIGNALS)
PAGE = 3


@cache
def frame(offset: int) -> Frame:
    return Frame(f"{offset}".encode())


def number(of: Frame) -> int:
    return int(of.wire(Format.JSON)[2:])


def test_the_oldest_of_all_streams_goes_first() -> None:
    recent = Recent(3)
    for stream, offset in ((ONE, 1), (OTHER, 1), (ONE, 2), (ONE, 3)):
        recent.add(stream, offset, frame(offset))
    assert (None, [frame(2), frame(3)], [frame(1)]) == (
        recent.after(ONE, 0, 9),
        recent.after(ONE, 1, 9),
        recent.after(OTHER, 0, 9),
    )


def test_who_has_everything_is_given_nothing_and_need_not_read() -> None:
    recent = Recent(3)
    recent.add(ONE, 7, frame(7))
    assert ([], None) == (recent.after(ONE, 7, 9), recent.after(OTHER, 7, 9))


def test_a_forgotten_stream_begins_anew() -> None:
    recent = Recent(3)
    recent.add(ONE, 1, frame(1))
    recent.forget(ONE)
    recent.add(ONE, 9, frame(9))
    assert (None, [frame(9)]) == (recent.after(ONE, 1, 9), recent.after(ONE, 8, 9))


@given(
    limit=st.integers(1, 8),
    after=st.integers(0, 5),
    steps=st.lists(st.tuples(st.sampled_from(["commit", "hear", "read"]), st.integers(1, 9)), max_size=60),
)
def test_memory_and_log_together_skip_and_repeat_nothing(
    limit: int, after: int, steps: list[tuple[str, Any]]
) -> None:
    recent = Recent(limit)
    log = list(range(1, 6))
    head = len(log)
    position = Position("signals:kraken:SOL/USD", after, resuming=True)
    sent: list[int] = []
    for step, count in [*steps, ("hear", 999), *([("read", 1)] * 999)]:
        if step == "commit":
            log += range(len(log) + 1, len(log) + 1 + count)
        elif step == "hear":
            for offset in log[head : head + count]:
                recent.add(ONE, offset, frame(offset))
                head = offset
        elif position.offset < head:
            frames = recent.after(ONE, position.offset, PAGE)
            page = log[position.offset :][:PAGE] if frames is None else [number(each) for each in frames]
            sent += page
            position.offset = page[-1]
        assert len(recent) <= limit
    assert list(range(after + 1, len(log) + 1)) == sent
    assert (True, False) == (position.caught_up(head), position.caught_up(head))
