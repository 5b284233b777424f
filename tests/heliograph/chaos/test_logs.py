"""What the log told, read from its beginning."""

import pytest

from db.audits import Entry
from heliograph.chaos.logs import Heard, heard

STORED = {("signals", "rsi", 10), ("signals", "rsi", 20), ("bars", "1s", 10)}


def told(offset: int, ts: int = 10, *, revises: int | None = None, withdrawn: bool = False) -> Entry:
    return Entry("signals", offset, revises, "rsi", ts, withdrawn)


BAR = Entry("bars", 1, None, "1s", 10, withdrawn=False)


@pytest.mark.parametrize(
    "log",
    [
        [],
        [BAR, told(1), told(2, 20)],
        [told(1), told(2, revises=1), told(3, revises=2)],
        [told(1, 30), told(2, 30, revises=1, withdrawn=True)],
        [told(1), told(2, revises=1, withdrawn=True), told(3)],
    ],
    ids=["nothing", "news", "corrected twice", "withdrawn", "told again after it was withdrawn"],
)
def test_what_is_told_once_and_corrected_where_it_was_told_is_right(log: list[Entry]) -> None:
    assert Heard(twice=0, wrong=0) == heard(log, STORED)


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ([told(1), told(2)], Heard(twice=1, wrong=0)),
        ([told(1), told(3, 20)], Heard(twice=0, wrong=1)),
        ([told(2)], Heard(twice=0, wrong=1)),
        ([told(1, 30)], Heard(twice=0, wrong=1)),
        ([told(1), told(2, 20, revises=1)], Heard(twice=0, wrong=1)),
        ([told(1), told(2, revises=1, withdrawn=True), told(3, revises=2)], Heard(twice=0, wrong=1)),
    ],
    ids=["twice", "a hole", "no beginning", "not stored", "of something else", "of what is withdrawn"],
)
def test_what_is_not_is_counted(log: list[Entry], expected: Heard) -> None:
    assert expected == heard(log, STORED)
