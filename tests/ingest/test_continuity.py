"""The state machine of a connection, on scripts of what may befall a tape without holes."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.continuity import Continuity
from ingest.findings import Findings, merged
from ingest.numbering import RENUMBERED
from ingest.streams import CAME_LATE, CONTIGUOUS
from ingest.venues.venue import Decoded
from market.coverage import Coverage, Interval
from market.depths import Depth
from market.gaps import DEPTHS, TRADES, Cause, Finding, GapState
from market.quotes import Quote
from market.tapes import TapeEnd
from market.times import HOUR, SECOND
from market.trades import Side, Trade

MOMENT = 1_700_000_000 * SECOND
ONE, OTHER = 1, 2
STEP = SECOND // 10


class Books:
    """The tables as a writer's transactions leave them: what ``db.gaps.record`` does, in a few lines."""

    def __init__(self) -> None:
        self.gaps: list[Finding] = []
        self.proofs: dict[tuple[int, str, int], int] = {}

    def commit(self, findings: Findings) -> None:
        for proof in findings.proofs:
            key = (proof.instrument_id, proof.kind, proof.from_ts)
            self.proofs[key] = max(self.proofs.get(key, 0), proof.to_ts)
        for found in findings.gaps:
            at = [i for i, gap in enumerate(self.gaps) if gap.key == found.key and gap.state == GapState.OPEN]
            if found.state == GapState.UNRECOVERABLE or (found.state == GapState.OPEN and not at):
                self.gaps.append(found)
            elif at:
                self.gaps[at[0]] = msgspec.structs.replace(found, cause=self.gaps[at[0]].cause)

    def of(self, kind: str = TRADES, instrument_id: int = ONE) -> list[Finding]:
        return [gap for gap in self.gaps if (gap.kind, gap.instrument_id) == (kind, instrument_id)]

    def unclosed(self, kind: str = TRADES, instrument_id: int = ONE) -> list[Finding]:
        return [gap for gap in self.of(kind, instrument_id) if gap.state != GapState.CLOSED]

    def coverage(self, kind: str = TRADES, instrument_id: int = ONE) -> Coverage:
        proven = [
            Interval(begin, end)
            for (of, each, begin), end in self.proofs.items()
            if (of, each) == (instrument_id, kind)
        ]
        gaps = self.unclosed(kind, instrument_id)
        return Coverage(proven, [Interval(gap.from_ts, gap.to_ts) for gap in gaps])


class Feed:
    """A connection with two instruments; venue time is ours."""

    def __init__(self, *places: tuple[int, TapeEnd], contiguous: bool = True) -> None:
        self.continuity = Continuity(contiguous=contiguous)
        for instrument_id in (ONE, OTHER):
            self.continuity.join(instrument_id, dict(places).get(instrument_id, TapeEnd()))
        self.found: list[Findings] = []
        self.taken: set[int] = set()
        self.clock = 0

    def _now(self, ts: int) -> int:
        self.clock = max(self.clock, ts)
        return self.clock

    def take(self, decoded: Decoded) -> None:
        self.found.append(self.continuity.take(decoded))

    def trade(self, number: int, ts: int) -> None:
        self.taken.add(number)
        self.take(Decoded(trades=[Trade(ONE, ts, number, 1.0, 1.0, Side.BUY, self._now(ts))]))

    def quote(self, ts: int) -> None:
        self.take(Decoded(quotes=[Quote(OTHER, ts, 1, 1.0, 1.0, 1.0, 1.0, self._now(ts))]))

    def depth(self, ts: int) -> None:
        self.take(Decoded(depths=[Depth(ONE, ts, 1, (1.0,), (1.0,), (2.0,), (1.0,), self._now(ts))]))

    def pass_time(self, from_ts: int, to_ts: int) -> None:
        for ts in range(from_ts, to_ts, STEP):
            self.quote(ts)

    def open(self, ts: int) -> None:
        """Connect, and see enough of the venue's time to be sure of it."""
        self.continuity.answered([ONE, OTHER])
        self.pass_time(ts - 5 * STEP, ts + 1)

    def silent(self) -> list[int | None]:
        """Return after which trade of the first instrument its stream fell silent, if it did."""
        return [each.after_id for each in self.continuity.muted() if each.instrument_id == ONE]

    def books(self, cuts: Sequence[int] = ()) -> Books:
        """Commit what was found, cut into parts."""
        books, edges = Books(), [0, *sorted(cuts), len(self.found)]
        for begin, end in pairwise(edges):
            books.commit(merged(self.found[begin:end]))
        return books


class Event(NamedTuple):
    """What befalls a trade: how often it is told, how many trades later; whether the socket is cut then."""

    told: int
    later: int
    lost_after: bool
    replayed: int


events = st.lists(
    st.builds(
        Event,
        told=st.sampled_from([0, 1, 1, 1, 1, 2]),
        later=st.sampled_from([0, 0, 0, 0, 1, 3]),
        lost_after=st.sampled_from([False] * 5 + [True]),
        replayed=st.integers(0, 4),
    ),
    max_size=25,
)
steps = st.lists(st.sampled_from([0, 0, 1, STEP, 3 * STEP]), min_size=27, max_size=27)


def played(script: Iterable[Event], gaps: Sequence[int]) -> tuple[Feed, dict[int, int]]:
    """Play a tape without holes: trade 1 and the last are told; return the feed and the times of all."""
    feed, now = Feed(), MOMENT + SECOND
    feed.open(now)
    times: dict[int, int] = {}
    due: list[tuple[int, int]] = []
    every = [Event(1, 0, lost_after=False, replayed=0), *script, Event(1, 0, lost_after=False, replayed=0)]
    for number, event in enumerate(every, start=1):
        now += gaps[number - 1]
        times[number] = now
        due += [(number + event.later, number)] * event.told
        _tell(feed, due, times, number)
        feed.quote(now)
        if event.lost_after:
            feed.continuity.lost()
            feed.continuity.answered([ONE, OTHER])
            for old in range(max(1, number - event.replayed), number + 1 if event.replayed else 0):
                feed.trade(old, times[old])
    _tell(feed, due, times, len(every) + 9)
    feed.open(now + SECOND)
    feed.quote(now + 3 * SECOND)
    return feed, times


def _tell(feed: Feed, due: list[tuple[int, int]], times: dict[int, int], by: int) -> None:
    for each in [each for each in due if each[0] <= by]:
        due.remove(each)
        feed.trade(each[1], times[each[1]])


def holds(gap: Finding, number: int) -> bool:
    return (gap.after_id or 0) < number and (gap.before_id is None or number < gap.before_id)


@pytest.mark.slow
@settings(max_examples=400)
@given(events, steps)
def test_each_trade_is_taken_or_in_a_gap_that_is_open_and_never_proven(
    script: list[Event], gaps: list[int]
) -> None:
    feed, times = played(script, gaps)
    books = feed.books()
    covered = books.coverage()
    missing = [number for number in times if number not in feed.taken]
    assert [] == [number for number in missing if not any(holds(gap, number) for gap in books.unclosed())]
    assert [] == [number for number in missing if covered.share(times[number], times[number] + 1)]


@pytest.mark.slow
@settings(max_examples=200)
@given(events, steps)
def test_where_nothing_is_missing_no_gap_stays_open(script: list[Event], gaps: list[int]) -> None:
    feed, times = played([event._replace(told=max(1, event.told)) for event in script], gaps)
    books = feed.books()
    assert [] == books.unclosed()
    assert feed.taken == set(times)
    assert books.coverage().share(times[1], max(times.values()) + 1) == 1.0


@pytest.mark.slow
@settings(max_examples=200)
@given(events, steps, st.data())
def test_however_commits_cut_it_the_same_is_found(
    script: list[Event], gaps: list[int], data: st.DataObject
) -> None:
    feed, times = played(script, gaps)
    cuts = data.draw(st.lists(st.integers(0, len(feed.found)), max_size=6))
    whole, parts = feed.books(), feed.books(cuts)
    end = max(times.values()) + SECOND
    assert {gap.key for gap in whole.unclosed()} == {gap.key for gap in parts.unclosed()}
    assert whole.coverage().intervals(MOMENT, end) == parts.coverage().intervals(MOMENT, end)


def test_a_first_start_has_no_gap_and_is_proven_from_its_session_on() -> None:
    feed = Feed()
    feed.open(MOMENT)
    feed.trade(7, MOMENT + SECOND)
    feed.quote(MOMENT + 2 * SECOND)
    books = feed.books()
    assert [] == books.gaps
    assert [Interval(MOMENT - 2 * STEP, MOMENT + 2 * SECOND)] == books.coverage().intervals(0, 2 * MOMENT)


def test_an_id_that_was_skipped_is_a_gap_between_two_trades() -> None:
    feed = Feed()
    feed.open(MOMENT)
    feed.trade(7, MOMENT + 1)
    feed.trade(9, MOMENT + 5)
    [gap] = feed.books().of()
    assert (Cause.SEQUENCE, MOMENT + 1, MOMENT + 6, 7, 9) == (
        gap.cause,
        gap.from_ts,
        gap.to_ts,
        gap.after_id,
        gap.before_id,
    )
    shown = len(feed.found)
    feed.trade(8, MOMENT + 3)
    [gap] = feed.books([shown]).of()
    assert (GapState.CLOSED, CAME_LATE) == (gap.state, gap.detail)


@pytest.mark.parametrize("stale", [5, 7])
def test_old_trades_at_subscribe_are_no_gap_and_prove_nothing(stale: int) -> None:
    feed = Feed((ONE, TapeEnd(MOMENT, 7, MOMENT, MOMENT)))
    feed.continuity.answered([ONE, OTHER])
    feed.trade(stale, MOMENT - 3600 * SECOND)
    feed.open(MOMENT + 60 * SECOND)
    feed.quote(MOMENT + 62 * SECOND)
    books = feed.books()
    [gap] = books.unclosed()
    assert (Cause.DOWNTIME, 7, None) == (gap.cause, gap.after_id, gap.before_id)
    assert books.coverage().share(MOMENT - 3600 * SECOND, MOMENT + 59 * SECOND) == 0.0


def test_an_old_trade_at_the_very_first_start_proves_nothing() -> None:
    feed = Feed()
    feed.clock = MOMENT
    feed.continuity.answered([ONE, OTHER])
    for age in (3600, 300, 299, 2):
        feed.trade(10 * (10_000 - age), MOMENT - age * SECOND)
    feed.open(MOMENT)
    feed.quote(MOMENT + 2 * SECOND)
    assert feed.books().coverage().share(MOMENT - 3600 * SECOND, MOMENT - 2 * SECOND) == 0.0


def test_a_venue_that_repeats_its_past_has_a_gap_only_once_it_has_come_further() -> None:
    feed = Feed((ONE, TapeEnd(MOMENT + 10 * SECOND, 7)))
    feed.clock = MOMENT + HOUR
    feed.open(MOMENT)
    for number in range(1, 8):
        feed.trade(number, MOMENT + number * SECOND)
    assert [] == feed.books().of()
    feed.pass_time(MOMENT + 7 * SECOND, MOMENT + 12 * SECOND)
    assert [(7, None)] == [(gap.after_id, gap.before_id) for gap in feed.books().unclosed()]
    feed.trade(8, MOMENT + 12 * SECOND)
    assert [] == feed.books().unclosed()


def test_downtime_is_a_gap_until_a_trade_continues_the_last() -> None:
    feed = Feed((ONE, TapeEnd(MOMENT, 7, MOMENT, None)))
    feed.open(MOMENT + 60 * SECOND)
    [gap] = feed.books().of()
    assert (Cause.DOWNTIME, MOMENT, MOMENT + 60 * SECOND - 2 * STEP, 7, None) == (
        gap.cause,
        gap.from_ts,
        gap.to_ts,
        gap.after_id,
        gap.before_id,
    )
    shown = len(feed.found)
    feed.trade(8, MOMENT + 61 * SECOND)
    books = feed.books([shown])
    assert [(GapState.CLOSED, CONTIGUOUS)] == [(gap.state, gap.detail) for gap in books.of()]
    assert books.coverage().share(MOMENT, MOMENT + 61 * SECOND) == 1.0


def test_a_trade_that_does_not_continue_the_last_bounds_the_gap() -> None:
    feed = Feed((ONE, TapeEnd(MOMENT, 7, MOMENT, None)))
    feed.open(MOMENT + 60 * SECOND)
    feed.trade(20, MOMENT + 61 * SECOND)
    [gap] = feed.books().of()
    assert (GapState.OPEN, 20, MOMENT + 61 * SECOND + 1) == (gap.state, gap.before_id, gap.to_ts)


def test_a_gap_does_not_shrink_with_a_session_that_tells_no_time() -> None:
    feed = Feed((ONE, TapeEnd(MOMENT, 7, MOMENT, None)))
    feed.open(MOMENT + 60 * SECOND)
    feed.continuity.lost()
    feed.continuity.lost()
    feed.take(Decoded())
    [gap] = feed.books().of()
    assert (MOMENT, MOMENT + 60 * SECOND - 2 * STEP) == (gap.from_ts, gap.to_ts)


def test_several_sessions_without_a_trade_are_one_gap() -> None:
    feed = Feed((ONE, TapeEnd(MOMENT, 7, MOMENT, None)))
    for minute in (1, 2, 3):
        feed.open(MOMENT + minute * 60 * SECOND)
        feed.continuity.lost()
    [gap] = feed.books().of()
    assert (Cause.DOWNTIME, MOMENT, MOMENT + 180 * SECOND - 2 * STEP) == (gap.cause, gap.from_ts, gap.to_ts)


def test_a_pair_that_never_traded_has_a_gap_from_the_last_second_before_the_cut() -> None:
    """Its first trade may have been on its way then: trades come later than what moves a venue's time."""
    feed = Feed()
    feed.open(MOMENT)
    feed.quote(MOMENT + 2 * SECOND)
    feed.continuity.lost()
    feed.open(MOMENT + 60 * SECOND)
    feed.trade(1, MOMENT + 61 * SECOND)
    gaps = feed.books().unclosed()
    assert [(MOMENT + SECOND, MOMENT + 61 * SECOND + 1, None, 1)] == [
        (gap.from_ts, gap.to_ts, gap.after_id, gap.before_id) for gap in gaps
    ]


def test_a_pair_that_never_traded_has_the_same_gap_after_downtime() -> None:
    feed = Feed((ONE, TapeEnd(trades_until=MOMENT)))
    feed.open(MOMENT + 60 * SECOND)
    assert [(Cause.DOWNTIME, MOMENT - SECOND)] == [
        (gap.cause, gap.from_ts) for gap in feed.books().unclosed()
    ]


def test_where_ids_say_nothing_only_time_makes_gaps_and_they_stay() -> None:
    feed = Feed(contiguous=False)
    feed.open(MOMENT)
    feed.trade(5, MOMENT + 1)
    feed.trade(-9, MOMENT + 2)
    feed.quote(MOMENT + 10 * SECOND)
    feed.continuity.lost()
    feed.open(MOMENT + 60 * SECOND)
    feed.trade(6, MOMENT + 61 * SECOND)
    gaps = feed.books().of()
    assert [(GapState.UNRECOVERABLE, Cause.RECONNECT, MOMENT + 9 * SECOND, None)] == [
        (gap.state, gap.cause, gap.from_ts, gap.after_id) for gap in gaps
    ]


def test_a_number_may_be_a_time_in_microseconds() -> None:
    feed = Feed((ONE, TapeEnd(MOMENT, MOMENT + 7, MOMENT + SECOND, None)))
    feed.open(MOMENT + 60 * SECOND)
    assert [(GapState.OPEN, MOMENT + 7)] == [(gap.state, gap.after_id) for gap in feed.books().unclosed()]


@pytest.mark.parametrize("number", [8_000_000_000_000_000_000, -8_000_000_000_000_000_000])
@pytest.mark.parametrize("early", [[99], []])
def test_numbers_do_not_go_on_from_the_hashes_of_a_protocol_without_ids(
    number: int, early: list[int]
) -> None:
    feed = Feed((ONE, TapeEnd(MOMENT, number, MOMENT + SECOND, None)))
    now = MOMENT + 60 * SECOND
    feed.clock = now
    for each in early:
        feed.trade(each, now - 5 * STEP)
    feed.open(now)
    feed.trade(100, now + SECOND)
    feed.trade(102, now + 2 * SECOND)
    gaps = feed.books().unclosed()
    assert [
        (GapState.UNRECOVERABLE, MOMENT, None, None),
        (GapState.OPEN, now + SECOND, 100, 102),
    ] == [(gap.state, gap.from_ts, gap.after_id, gap.before_id) for gap in gaps]
    assert feed.books().coverage().share(MOMENT, now - 2 * STEP) == 0.0
    assert feed.books().coverage().share(now, now + SECOND) == 1.0


def test_a_refused_subscription_is_not_proven() -> None:
    feed = Feed()
    feed.continuity.answered([OTHER])
    feed.pass_time(MOMENT, MOMENT + 3 * SECOND)
    books = feed.books()
    assert books.coverage().share(MOMENT, MOMENT + 3 * SECOND) == 0.0
    assert books.coverage(instrument_id=OTHER).share(MOMENT + SECOND, MOMENT + 2 * SECOND) == 1.0


def test_an_instrument_that_joins_is_proven_from_its_answer_on_and_one_that_left_is_not() -> None:
    feed = Feed()
    feed.continuity.answered([OTHER])
    feed.pass_time(MOMENT, MOMENT + 3 * SECOND)
    feed.continuity.answered([ONE])
    feed.trade(5, MOMENT - 60 * SECOND)
    feed.pass_time(MOMENT + 3 * SECOND, MOMENT + 5 * SECOND)
    feed.continuity.leave(ONE)
    feed.trade(9, MOMENT + 5 * SECOND)
    feed.pass_time(MOMENT + 5 * SECOND, MOMENT + 9 * SECOND)
    feed.continuity.join(ONE, TapeEnd())
    feed.continuity.join(ONE, TapeEnd(MOMENT, 1))
    books = feed.books()
    assert [] == books.of()
    assert [Interval(MOMENT + 3 * SECOND, MOMENT + 4 * SECOND)] == books.coverage().intervals(0, 2 * MOMENT)
    assert books.coverage(instrument_id=OTHER).share(MOMENT + SECOND, MOMENT + 8 * SECOND) == 1.0


class Talker(Feed):
    """A feed whose first instrument has traded each second for a minute."""

    def __init__(self) -> None:
        super().__init__()
        self.open(MOMENT)
        for number in range(60):
            self.trade(number, MOMENT + number * SECOND)
        self.last = MOMENT + 59 * SECOND


def test_a_stream_that_falls_silent_against_its_habit_is_not_proven_until_it_is_known_why() -> None:
    feed = Talker()
    feed.pass_time(feed.last, feed.last + 30 * SECOND)
    books = feed.books()
    [gap] = books.unclosed()
    assert (Cause.MUTE, feed.last, 59, None) == (gap.cause, gap.from_ts, gap.after_id, gap.before_id)
    assert books.coverage().share(feed.last, feed.last + 30 * SECOND) == 0.0
    assert [59] == feed.silent()
    feed.continuity.was_quiet(ONE, 59)
    assert [] == feed.silent()
    feed.pass_time(feed.last + 30 * SECOND, feed.last + 50 * SECOND)
    books = feed.books()
    assert len(books.of()) == 1
    assert books.coverage().share(feed.last + 30 * SECOND, feed.last + 49 * SECOND) == 1.0


def test_a_silent_stream_is_to_bring_what_its_own_session_has_seen() -> None:
    feed = Talker()
    feed.continuity.lost()
    again = feed.last + 5 * SECOND
    feed.open(again)
    feed.pass_time(again, again + 30 * SECOND)
    [silent] = feed.continuity.muted()
    assert (59, again) == (silent.after_id, silent.since + 2 * STEP)


def test_a_stream_that_a_new_connection_does_not_help_is_waited_for_longer_and_longer() -> None:
    feed, now = Talker(), MOMENT + 60 * SECOND
    waited = []
    for _ in range(3):
        began = now
        while not feed.silent():
            now += SECOND
            feed.quote(now)
        waited.append((now - began) // SECOND)
        feed.continuity.lost()
        feed.open(now + SECOND)
        now += SECOND
    assert waited == sorted(waited)
    assert waited[-1] > 10 * waited[0]


def test_a_stream_that_was_only_quiet_is_waited_for_longer() -> None:
    feed = Talker()
    feed.pass_time(feed.last, feed.last + 30 * SECOND)
    feed.trade(60, feed.last + 30 * SECOND)
    feed.pass_time(feed.last + 30 * SECOND, feed.last + 70 * SECOND)
    books = feed.books()
    assert [] == books.unclosed()
    assert books.coverage().share(MOMENT, feed.last + 69 * SECOND) == 1.0


def test_a_stream_that_falls_silent_before_its_habit_is_known_is_not_proven_for_ever() -> None:
    feed = Feed()
    feed.open(MOMENT)
    for number in range(19):
        feed.trade(number, MOMENT + number * SECOND)
    last = MOMENT + 18 * SECOND
    feed.pass_time(last, last + 300 * SECOND)
    books = feed.books()
    [gap] = books.unclosed()
    assert (Cause.MUTE, last, 18, None) == (gap.cause, gap.from_ts, gap.after_id, gap.before_id)
    assert books.coverage().share(last, last + 300 * SECOND) == 0.0
    assert [18] == feed.silent()


def test_the_gap_of_a_silent_stream_does_not_reach_back_to_an_old_trade_told_at_subscribe() -> None:
    feed = Feed()
    feed.clock = MOMENT
    feed.trade(18, MOMENT - 48 * HOUR)
    feed.open(MOMENT)
    feed.pass_time(MOMENT, MOMENT + 90 * SECOND)
    [gap] = feed.books().unclosed()
    assert (MOMENT - 2 * STEP, 18) == (gap.from_ts, gap.after_id)


def test_venue_time_that_jumps_is_no_streams_silence() -> None:
    feed = Feed()
    feed.open(MOMENT)
    feed.trade(18, MOMENT + SECOND)
    feed.clock = MOMENT + 48 * HOUR
    feed.pass_time(MOMENT + 47 * HOUR, MOMENT + 47 * HOUR + 30 * SECOND)
    assert ([], []) == (feed.books().unclosed(), feed.silent())


def test_a_stream_that_never_spoke_is_asked_about_and_proven_again_when_there_was_nothing() -> None:
    feed = Feed()
    feed.open(MOMENT)
    feed.pass_time(MOMENT, MOMENT + 70 * SECOND)
    books = feed.books()
    [gap] = books.unclosed()
    assert (Cause.MUTE, MOMENT - 2 * STEP, None, None) == (
        gap.cause,
        gap.from_ts,
        gap.after_id,
        gap.before_id,
    )
    feed.continuity.was_quiet(ONE, None)
    feed.pass_time(MOMENT + 70 * SECOND, MOMENT + 200 * SECOND)
    books = feed.books()
    assert len(books.of()) == 1
    assert books.coverage().share(MOMENT + 70 * SECOND, MOMENT + 199 * SECOND) == 1.0


def test_the_first_trade_of_a_stream_that_was_silent_too_long_bounds_its_gap() -> None:
    feed = Feed()
    feed.open(MOMENT)
    feed.pass_time(MOMENT, MOMENT + 90 * SECOND)
    feed.trade(9, MOMENT + 90 * SECOND)
    [gap] = feed.books().unclosed()
    assert (MOMENT - 2 * STEP, MOMENT + 90 * SECOND + 1, None, 9) == (
        gap.from_ts,
        gap.to_ts,
        gap.after_id,
        gap.before_id,
    )


def test_a_mute_stream_that_missed_trades_has_a_gap_up_to_the_next() -> None:
    feed = Talker()
    feed.pass_time(feed.last, feed.last + 30 * SECOND)
    feed.trade(70, feed.last + 31 * SECOND)
    [gap] = feed.books().unclosed()
    assert (Cause.MUTE, 59, 70) == (gap.cause, gap.after_id, gap.before_id)


def test_one_time_far_ahead_of_our_clock_proves_nothing_and_blinds_nobody() -> None:
    feed = Talker()
    wrong = feed.last + 20 * HOUR
    feed.take(Decoded(quotes=[Quote(OTHER, wrong, 1, 1.0, 1.0, 1.0, 1.0, feed.clock)]))
    feed.pass_time(feed.last, feed.last + 30 * SECOND)
    books = feed.books()
    [gap] = books.unclosed()
    assert (Cause.MUTE, 59) == (gap.cause, gap.after_id)
    assert [59] == feed.silent()
    assert max(books.proofs.values()) < feed.last + 31 * SECOND > gap.to_ts


@pytest.mark.parametrize("number", [60, 62])
def test_one_trade_of_a_time_long_ago_makes_no_gap_of_years(number: int) -> None:
    feed = Talker()
    feed.trade(number, feed.last - 1000 * 24 * HOUR)
    feed.continuity.lost()
    feed.open(feed.last + 60 * SECOND)
    feed.trade(number + 9, feed.last + 61 * SECOND)
    assert all(gap.from_ts >= feed.last - 10 * SECOND for gap in feed.books().of())
    assert {(number, number + 9)} <= {(gap.after_id, gap.before_id) for gap in feed.books().unclosed()}


def test_one_trade_of_a_time_far_ahead_of_our_clock_blinds_nobody_either() -> None:
    feed = Talker()
    wrong = feed.last + 20 * HOUR
    feed.take(Decoded(trades=[Trade(ONE, wrong, 60, 1.0, 1.0, Side.BUY, feed.clock)]))
    feed.take(Decoded(depths=[Depth(ONE, wrong, 1, (1.0,), (1.0,), (2.0,), (1.0,), feed.clock)]))
    feed.pass_time(feed.last, feed.last + 30 * SECOND)
    feed.continuity.lost()
    feed.open(feed.last + 40 * SECOND)
    books = feed.books()
    assert [feed.last] == [gap.from_ts for gap in books.unclosed()]
    assert max(books.proofs.values()) < feed.last + 41 * SECOND


def test_a_tape_that_ends_far_ahead_of_our_clock_is_gone_on_with_from_where_it_was_proven() -> None:
    feed = Feed((ONE, TapeEnd(MOMENT + 20 * HOUR, 60, MOMENT, None)))
    feed.open(MOMENT + 60 * SECOND)
    assert [(MOMENT, 60)] == [(gap.from_ts, gap.after_id) for gap in feed.books().unclosed()]


def test_where_our_clock_is_behind_times_are_believed_once_they_have_agreed_for_a_while() -> None:
    feed = Feed()
    feed.continuity.answered([ONE, OTHER])
    for ts in range(MOMENT, MOMENT + 20 * SECOND, STEP):
        feed.take(Decoded(quotes=[Quote(OTHER, ts, 1, 1.0, 1.0, 1.0, 1.0, ts - HOUR)]))
    covered = feed.books().coverage()
    assert (0.0, 1.0) == (
        covered.share(MOMENT, MOMENT + 9 * SECOND),
        covered.share(MOMENT + 12 * SECOND, MOMENT + 19 * SECOND),
    )


def test_a_book_is_proven_from_a_depth_until_it_breaks() -> None:
    feed = Feed()
    feed.depth(MOMENT)
    feed.open(MOMENT + SECOND)
    feed.depth(MOMENT + 2 * SECOND)
    feed.quote(MOMENT + 3 * SECOND)
    feed.take(Decoded(broken=[ONE]))
    feed.pass_time(MOMENT + 3 * SECOND, MOMENT + 5 * SECOND)
    feed.depth(MOMENT + 5 * SECOND)
    feed.pass_time(MOMENT + 5 * SECOND, MOMENT + 7 * SECOND)
    books = feed.books()
    [gap] = books.unclosed(DEPTHS)
    assert (Cause.BOOK, GapState.UNRECOVERABLE, MOMENT + 2 * SECOND, MOMENT + 5 * SECOND) == (
        gap.cause,
        gap.state,
        gap.from_ts,
        gap.to_ts,
    )
    assert [
        Interval(MOMENT, MOMENT + 2 * SECOND),
        Interval(MOMENT + 5 * SECOND, MOMENT + 6 * SECOND),
    ] == books.coverage(DEPTHS).intervals(MOMENT, MOMENT + 6 * SECOND)


def test_a_book_after_a_reconnect_and_after_downtime_says_so() -> None:
    feed = Feed((ONE, TapeEnd(depths_until=MOMENT)))
    feed.depth(MOMENT + SECOND)
    feed.depth(MOMENT + 2 * SECOND)
    feed.continuity.lost()
    feed.depth(MOMENT + 3 * SECOND)
    assert [(Cause.DOWNTIME, MOMENT + SECOND), (Cause.RECONNECT, MOMENT + 3 * SECOND)] == [
        (gap.cause, gap.to_ts) for gap in feed.books().unclosed(DEPTHS)
    ]


def test_a_venue_that_numbers_its_trades_anew_is_followed_in_its_new_numbers() -> None:
    feed = Feed()
    feed.open(MOMENT)
    for second, number in enumerate([1000, 1001, 1002, 1, 2, 3, 5]):
        feed.trade(number, MOMENT + second * SECOND)
    seam, skipped = feed.books().unclosed()
    assert (GapState.UNRECOVERABLE, RENUMBERED) == (seam.state, seam.detail)
    assert (MOMENT + 2 * SECOND, MOMENT + 3 * SECOND) == (seam.from_ts, seam.to_ts)
    assert (Cause.SEQUENCE, 3, 5) == (skipped.cause, skipped.after_id, skipped.before_id)
    assert feed.books().coverage().share(MOMENT + 3 * SECOND, MOMENT + 5 * SECOND) == 1.0


def test_a_venue_that_numbered_anew_while_we_were_away_has_a_gap_of_the_downtime() -> None:
    feed = Feed((ONE, TapeEnd(MOMENT, 1000, MOMENT, None)))
    feed.open(MOMENT + 60 * SECOND)
    for number in (7, 8, 9):
        feed.trade(number, MOMENT + (60 + number) * SECOND)
    assert (MOMENT, MOMENT + 67 * SECOND) in [
        (gap.from_ts, gap.to_ts) for gap in feed.books().unclosed() if gap.detail == RENUMBERED
    ]


@pytest.mark.parametrize("late", [(11, 12, 13), (8, 9, 10), (13, 13, 13)])
def test_trades_that_come_late_or_twice_are_no_new_numbers(late: tuple[int, ...]) -> None:
    feed = Feed()
    feed.open(MOMENT)
    for number in (8, 9, 10, 14):
        feed.trade(number, MOMENT + number)
    shown = len(feed.found)
    for number in late:
        feed.trade(number, MOMENT + number)
    feed.trade(15, MOMENT + 15)
    assert [(10, 14)] == [(gap.after_id, gap.before_id) for gap in feed.books([shown]).of()]


class Bookkeeper(Feed):
    """A feed whose first instrument has traded, and its book changed, each second for a minute."""

    def __init__(self) -> None:
        super().__init__()
        self.open(MOMENT)
        for number in range(60):
            self.trade(number, MOMENT + number * SECOND)
            self.depth(MOMENT + number * SECOND)
        self.last = MOMENT + 59 * SECOND


def test_a_book_that_is_silent_while_its_instrument_trades_is_mute_and_not_proven() -> None:
    feed = Bookkeeper()
    for second in range(1, 30):
        feed.trade(59 + second, feed.last + second * SECOND)
    assert [ONE] == feed.continuity.mute_books()
    assert feed.books().coverage(DEPTHS).share(feed.last + SECOND, feed.last + 29 * SECOND) < 1.0
    feed.continuity.lost()
    assert [] == feed.continuity.mute_books()
    feed.open(feed.last + 31 * SECOND)
    feed.depth(feed.last + 31 * SECOND)
    [gap] = feed.books().unclosed(DEPTHS)
    assert (Cause.MUTE, feed.last, feed.last + 31 * SECOND) == (gap.cause, gap.from_ts, gap.to_ts)
    assert feed.books().coverage(DEPTHS).share(feed.last, feed.last + 31 * SECOND) == 0.0


def test_a_book_that_speaks_again_was_mute_until_then() -> None:
    feed = Bookkeeper()
    for second in range(1, 30):
        feed.trade(59 + second, feed.last + second * SECOND)
    feed.depth(feed.last + 30 * SECOND)
    [gap] = feed.books().unclosed(DEPTHS)
    assert (Cause.MUTE, feed.last, feed.last + 30 * SECOND) == (gap.cause, gap.from_ts, gap.to_ts)
    assert [] == feed.continuity.mute_books()


def test_a_quiet_book_is_not_mute_and_proven_by_the_depth_that_continues_it() -> None:
    feed = Bookkeeper()
    feed.pass_time(feed.last, feed.last + 60 * SECOND)
    assert [] == feed.continuity.mute_books()
    assert feed.books().coverage(DEPTHS).share(feed.last + 25 * SECOND, feed.last + 59 * SECOND) == 0.0
    feed.depth(feed.last + 60 * SECOND)
    feed.pass_time(feed.last + 60 * SECOND, feed.last + 62 * SECOND)
    assert [] == feed.books().unclosed(DEPTHS)
    assert feed.books().coverage(DEPTHS).share(MOMENT, feed.last + 60 * SECOND) == 1.0


def test_a_mute_book_that_a_new_connection_does_not_help_is_waited_for_longer() -> None:
    feed, waited = Bookkeeper(), []
    now = feed.last
    for _ in range(3):
        began = now
        while not feed.continuity.mute_books():
            now += SECOND
            feed.trade(now // SECOND, now)
        waited.append(now - began)
        feed.continuity.lost()
        feed.open(now + SECOND)
        now += SECOND
        feed.depth(now)
    assert waited == sorted(waited)
    assert waited[-1] > 3 * waited[0]
