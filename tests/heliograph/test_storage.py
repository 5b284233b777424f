"""``heliograph storage``: what everything takes, and for how many days there is room."""

from datetime import date

import pytest

from db.storage import Index, Relation, Storage
from heliograph.storage import Measured, fields, size
from market.times import DAY, HOUR, from_iso

NOON = from_iso("2026-11-21T12:00:00Z")


def of_day(day: int, rows: int, table: str = "trades") -> Relation:
    return Relation(
        table=table,
        name=f"{table}_202611{day}",
        day=date(2026, 11, day),
        rows=rows,
        heap_bytes=80 * rows,
        index_bytes=40 * rows,
        other_bytes=0,
    )


BARS = Relation(
    table="bars", name="bars", day=None, rows=10, heap_bytes=600, index_bytes=200, other_bytes=400
)
FOUND = Storage(
    database_bytes=10_000,
    relations=[BARS, of_day(20, 10), of_day(21, 20), of_day(22, 0)],
    indexes=[Index(table="trades", index="trades_pkey", bytes=1200)],
)


def test_a_day_more_takes_what_today_will_have_taken_with_what_is_computed_of_it() -> None:
    assert 2 * 20 * 120 * (1200 + 3600) / 3600 == Measured(FOUND, NOON, None).bytes_a_day


def test_after_midnight_yesterday_is_asked() -> None:
    early = Measured(FOUND, NOON - DAY // 2 + HOUR // 2, None)
    assert early.bytes_a_day >= 20 * 120 * 48


@pytest.mark.parametrize(("room", "days"), [(None, None), (64_000, 10.0)])
def test_there_is_room_for_some_days(room: int | None, days: float | None) -> None:
    assert days == Measured(FOUND, NOON, room).days_left


def test_what_a_row_takes_is_told_of_each_table_and_day() -> None:
    told = fields(Measured(FOUND, NOON, 64_000))
    assert [("bars", 120.0), ("trades", 120.0)] == [
        (each["table"], each["bytes_a_row"]) for each in told["tables"]
    ]
    assert [("2026-11-20", 120.0), ("2026-11-21", 120.0), ("2026-11-22", None)] == [
        (each["day"], each["bytes_a_row"]) for each in told["days"]
    ]
    assert (10.0, 6400) == (told["days_left"], told["bytes_a_day"])


def test_an_empty_database_is_told_too() -> None:
    empty = Measured(Storage(database_bytes=0, relations=[], indexes=[]), NOON, 10)
    assert (0.0, None) == (empty.bytes_a_day, empty.days_left)


@pytest.mark.parametrize(("taken", "text"), [(12, "12 B"), (2048, "2.0 KiB"), (3 * 2**40, "3.0 TiB")])
def test_bytes_are_written_as_people_read_them(taken: int, text: str) -> None:
    assert text == size(taken)
