"""Feeds are shared evenly, whoever comes and goes, however late each looks."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from db.holdings import Holdings
from ingest.sharing import moves, shares

FEEDS = st.integers(1, 12)
SESSIONS = st.integers(1, 6)


def holdings(
    owners: dict[int, int], *, present: set[int], heirs: dict[int, int] | None = None,
    ready: dict[int, int] | None = None,
) -> Holdings:  # fmt: skip
    return Holdings(frozenset(present), owners, heirs or {}, ready or {})


def test_who_is_alone_takes_everything() -> None:
    assert (3, (1, 2, 3), (), ()) == moves([3, 1, 2], holdings({}, present={7}), 7)


def test_a_newcomer_inherits_half_and_its_elder_does_nothing_until_it_listens() -> None:
    one = {1: 7, 2: 7, 3: 7, 4: 7}
    assert (2, (), (4, 3), ()) == moves(one, holdings(one, present={7, 8}), 8)
    assert (0, (), (), ()) == moves(one, holdings(one, present={7, 8}, heirs={4: 8}), 7)
    ready = holdings(one, present={7, 8}, heirs={4: 8, 3: 8}, ready={4: 8})
    assert (0, (), (), (4,)) == moves(one, ready, 7)


def test_what_nobody_has_comes_before_what_others_have_too_many_of() -> None:
    owners = {1: 7, 2: 7, 3: 7}
    assert (2, (4,), (3,), ()) == moves([1, 2, 3, 4], holdings(owners, present={7, 8}), 8)


def test_a_dead_owners_feed_is_left_to_its_heir() -> None:
    found = moves([1, 2], holdings({2: 7}, present={7, 8}, heirs={1: 8}), 7)
    assert () == found.take


def test_all_of_who_leaves_is_surplus() -> None:
    owners = {1: 7, 2: 7}
    assert (2, (), (2, 1), ()) == moves([1, 2], holdings(owners, present={8}), 8)


def test_shares_differ_by_one_at_most_and_who_has_more_keeps_it() -> None:
    assert {1: 2, 2: 2, 3: 3} == shares(7, [1, 2, 3], {3: 4, 1: 1})
    assert {1: 0, 2: 1} == shares(1, [1, 2], {2: 1})


class Sharing(RuleBasedStateMachine):
    """Ingesters that look, think, and act at different times, on locks as PostgreSQL keeps them."""

    @initialize(feeds=st.sets(FEEDS))
    def begin(self, feeds: set[int]) -> None:
        self.wanted = feeds
        self.locks: dict[tuple[str, int], int] = {}
        self.present: set[int] = set()
        self.views: dict[int, tuple[set[int], Holdings]] = {}

    @rule(session=SESSIONS)
    def come(self, session: int) -> None:
        self.present.add(session)

    @precondition(lambda self: self.present)
    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.present)))
        self.present.discard(session)
        self.views.pop(session, None)
        self.locks = {key: holder for key, holder in self.locks.items() if holder != session}

    @rule(feed=FEEDS)
    def add_or_remove(self, feed: int) -> None:
        self.wanted ^= {feed}

    @precondition(lambda self: self.present)
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        session = data.draw(st.sampled_from(sorted(self.present)))
        self.views[session] = (set(self.wanted), self._seen())

    @precondition(lambda self: self.views)
    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        self._act(data.draw(st.sampled_from(sorted(self.views))))

    @invariant()
    def in_the_end_each_feed_has_one_owner_and_shares_are_even(self) -> None:
        if not self.present:
            return
        kept = dict(self.locks), dict(self.views)
        for _ in range(4 * len(self.present) + 4):
            for session in sorted(self.present):
                self.views[session] = (set(self.wanted), self._seen())
                self._act(session)
        settled = dict(self.locks)
        owners = {feed: holder for (lock, feed), holder in settled.items() if lock == "owner"}
        assert self.wanted == set(owners)
        assert len(owners) == len(settled)
        counts = Counter(owners.values())
        numbers = [counts[session] for session in self.present]
        assert max(numbers) - min(numbers) <= 1
        for session in self.present:
            assert ((), ()) == moves(self.wanted, self._seen(), session)[2:]
        self.locks, self.views = kept

    def _seen(self) -> Holdings:
        return holdings(
            {feed: holder for (lock, feed), holder in self.locks.items() if lock == "owner"},
            present=set(self.present),
            heirs={feed: holder for (lock, feed), holder in self.locks.items() if lock == "heir"},
            ready={feed: holder for (lock, feed), holder in self.locks.items() if lock == "ready"},
        )

    def _act(self, me: int) -> None:
        """Do what an ingester does with what it saw; its subscriptions are answered at once."""
        wanted, seen = self.views.pop(me)
        found = moves(wanted, seen, me)
        for (lock, feed), holder in list(self.locks.items()):
            if holder == me and (feed not in wanted or (lock == "owner" and feed in found.cede)):
                del self.locks[lock, feed]
        for feed in [feed for (lock, feed), holder in self.locks.items() if (lock, holder) == ("heir", me)]:
            self.locks["ready", feed] = me
            if self._try("owner", feed, me):
                del self.locks["heir", feed], self.locks["ready", feed]
        room = found.room
        for lock, feeds in (("owner", found.take), ("heir", found.inherit)):
            for feed in feeds:
                room -= room > 0 and self._try(lock, feed, me)

    def _try(self, lock: str, feed: int, me: int) -> bool:
        return self.locks.setdefault((lock, feed), me) == me


TestSharing: Any = pytest.mark.slow(Sharing.TestCase)
TestSharing.settings = settings(max_examples=60, stateful_step_count=25)
