"""What goes wrong, and when: the same for the same seed."""

from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple

from sim.faults import KINDS
from sim.faults.histories import ShortHistory
from sim.faults.streams import Drop

CALM_BEFORE_SECONDS = 10.0
"""So that every feed is up before the first strike."""

CALM_AFTER_SECONDS = 45.0
"""So that a feed that hangs is noticed, and the next trade of each stream shows that one is missing."""

EVERY_SECONDS = 4.0
_CALM_SHARE = 0.4
_LONGEST_SECONDS = 8.0


class House(StrEnum):
    """What can happen to our own processes, and to the connections of those who subscribe."""

    KILL_INGEST = "kill-ingest"
    KILL_WORKER = "kill-worker"
    KILL_API = "kill-api"
    CUT_SUBSCRIBERS = "cut-subscribers"
    RESTART_POSTGRES = "restart-postgres"
    CRASH_POSTGRES = "crash-postgres"
    CRASH_VALKEY = "crash-valkey"


EVERY_KIND: Final = (*KINDS, *House)
"""Of strikes: at venues, and in the house."""


class Strike(NamedTuple):
    """One thing that goes wrong: at a venue when ``venue`` is named, else in the house."""

    at_seconds: float
    what: str
    venue: str = ""
    seconds: float | None = None


def plan(
    seed: int,
    seconds: float,
    venues: Sequence[str],
    every_seconds: float = EVERY_SECONDS,
    kinds: Sequence[str] = EVERY_KIND,
) -> list[Strike]:
    """Return the strikes of a run of so many seconds, in order; each kind comes before any comes twice."""
    random = Random(seed)  # noqa: S311 - chance is seeded, and no secret
    last = seconds - min(CALM_AFTER_SECONDS, seconds * _CALM_SHARE)
    at = min(CALM_BEFORE_SECONDS, seconds * _CALM_SHARE)
    strikes: list[Strike] = []
    deck: list[str] = []
    while at < last:
        deck = deck or random.sample(kinds, len(kinds))
        strikes += _strike(random, at, deck.pop(), venues, last)
        at += random.uniform(0.5, 1.5) * every_seconds
    return strikes


def _strike(random: Random, at: float, what: str, venues: Sequence[str], last: float) -> list[Strike]:
    """Return one strike; what history forgets is dropped from the socket too, else it would not be missed."""
    if what not in KINDS:
        return [Strike(at, what)]
    seconds = min(random.uniform(0.5, _LONGEST_SECONDS), last - at)
    strike = Strike(at, what, random.choice(venues), seconds)
    return [strike, strike._replace(what=Drop.kind)] if what == ShortHistory.kind else [strike]
