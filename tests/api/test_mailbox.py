"""What a connection has to send next, by a clock that the test sets."""

from math import inf

from api.formats import Frame
from api.mailbox import Due, Mailbox
from db.publications import Stream
from market.channels import Family
from market.publications import Latest

ONE = Stream(1, Family.QUOTES)
OTHER = Stream(2, Family.QUOTES)
LOGGED = Stream(1, Family.SIGNALS)


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def value(stream: Stream, ts: int, count: int = 1) -> Latest:
    return Latest(stream.instrument_id, stream.family, ts, 0, count, str(ts))


def test_a_newer_value_takes_the_place_of_an_unsent_one() -> None:
    mailbox = Mailbox(Clock())
    mailbox.open_slot(ONE, 0)
    mailbox.offer(ONE, value(ONE, 1, count=3))
    mailbox.offer(ONE, value(ONE, 2, count=4))
    assert [Due(value(ONE, 2, count=4), conflated=7)] == mailbox.take_due()
    assert [] == mailbox.take_due()


def test_a_slot_rests_for_as_long_as_was_asked() -> None:
    clock = Clock()
    mailbox = Mailbox(clock)
    mailbox.open_slot(ONE, 0.25)
    mailbox.offer(ONE, value(ONE, 1))
    first = mailbox.take_due()
    mailbox.offer(ONE, value(ONE, 2))
    mailbox.offer(ONE, value(ONE, 3))
    resting = (mailbox.take_due(), mailbox.rests_until())
    clock.seconds += 0.25
    assert ([Due(value(ONE, 1), 1)], ([], 100.25)) == (first, resting)
    assert ([Due(value(ONE, 3), 2)], inf) == (mailbox.take_due(), mailbox.rests_until())


def test_one_slow_slot_does_not_hold_back_another() -> None:
    mailbox = Mailbox(Clock())
    mailbox.open_slot(ONE, 10)
    mailbox.open_slot(OTHER, 0)
    for ts in (1, 2):
        mailbox.offer(ONE, value(ONE, ts))
        mailbox.offer(OTHER, value(OTHER, ts))
        due = mailbox.take_due()
    assert [Due(value(OTHER, 2), 1)] == due


def test_a_closed_slot_is_empty_and_what_rested_in_it_is_gone() -> None:
    clock = Clock()
    mailbox = Mailbox(clock)
    mailbox.open_slot(ONE, 1)
    mailbox.offer(ONE, value(ONE, 1))
    mailbox.take_due()
    mailbox.offer(ONE, value(ONE, 2))
    mailbox.close_slot(ONE)
    clock.seconds += 1
    assert [] == mailbox.take_due()


def test_nothing_grows_with_the_number_of_values() -> None:
    mailbox = Mailbox(Clock())
    mailbox.open_slot(ONE, 1)
    for ts in range(1000):
        mailbox.offer(ONE, value(ONE, ts))
        mailbox.moved(LOGGED)
    assert 2 == len(mailbox)


def test_each_gap_has_a_slot_of_its_own() -> None:
    stream = Stream(1, Family.COVERAGE)
    mailbox = Mailbox(Clock())
    mailbox.open_slot(stream, 0)
    changes = [Latest(1, Family.COVERAGE, ts, gap, 1, str(ts)) for ts, gap in ((1, 7), (2, 8), (3, 7))]
    for change in changes:
        mailbox.offer(stream, change)
    assert [Due(changes[2], 2), Due(changes[1], 1)] == mailbox.take_due()


class Open:
    """A shortcut that is open or not."""

    def __init__(self) -> None:
        self.open = True
        self.taken: list[object] = []

    def publish(self, stream: Stream, offset: int, frame: Frame) -> bool:
        return self._take((stream, offset, frame))

    def show(self, latest: Latest) -> bool:
        return self._take(latest)

    def _take(self, what: object) -> bool:
        if self.open:
            self.taken.append(what)
        return self.open


def test_what_takes_the_shortcut_does_not_wait_in_the_mailbox() -> None:
    mailbox, frame = Mailbox(Clock()), Frame(b"{}")
    mailbox.shortcut = shortcut = Open()
    mailbox.open_slot(ONE, 0)
    mailbox.offer(ONE, value(ONE, 1))
    assert mailbox.publish(LOGGED, 5, frame)
    assert ([value(ONE, 1), (LOGGED, 5, frame)], 0) == (shortcut.taken, len(mailbox))
    shortcut.open = False
    mailbox.offer(ONE, value(ONE, 2))
    assert not mailbox.publish(LOGGED, 6, frame)
    assert ([LOGGED], [Due(value(ONE, 2), 1)]) == (mailbox.take_moved(), mailbox.take_due())


def test_the_shortcut_keeps_the_rate_that_was_asked_for() -> None:
    clock = Clock()
    mailbox = Mailbox(clock)
    mailbox.shortcut = shortcut = Open()
    mailbox.open_slot(ONE, 1)
    for ts in (1, 2, 3):
        mailbox.offer(ONE, value(ONE, ts))
    clock.seconds += 1
    assert ([value(ONE, 1)], [Due(value(ONE, 3), 2)]) == (shortcut.taken, mailbox.take_due())


def test_streams_are_taken_in_the_order_in_which_they_moved() -> None:
    mailbox = Mailbox(Clock())
    for stream in (OTHER, ONE, OTHER):
        mailbox.moved(stream)
    assert ([OTHER, ONE], []) == (mailbox.take_moved(), mailbox.take_moved())
