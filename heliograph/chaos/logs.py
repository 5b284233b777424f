"""What the log told, read as a subscriber reads it from its beginning: decisions without any I/O."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from db.audits import Entry

Thing = tuple[str, str, int]
"""What a publication is about: its family, the kind or the interval, and the event time."""


class Heard(NamedTuple):
    """Counts of what a log told ``twice``, and of what it told and is not so."""

    twice: int
    wrong: int


def heard(log: Iterable[Entry], stored: AbstractSet[Thing]) -> Heard:
    """Read a log, the entries of each family in order; what stands at its end must be ``stored``."""
    standing: dict[Thing, int] = {}
    newest: dict[str, int] = {}
    twice = wrong = 0
    for entry in log:
        thing = entry.family, entry.about, entry.ts
        wrong += entry.offset != newest.get(entry.family, 0) + 1
        newest[entry.family] = entry.offset
        if entry.revises is not None:
            wrong += standing.pop(thing, None) != entry.revises
        twice += thing in standing
        if not entry.withdrawn:
            standing[thing] = entry.offset
    return Heard(twice, wrong + len(standing.keys() - stored))
