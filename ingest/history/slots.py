"""Which hands are free for what: no venue, and no backfill, has all of them. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from db.chunks import BACKFILL, HEALING, Hands

_SPARE_OF_A_VENUE: Final = 1
_SPARE_OF_BACKFILL: Final = 2
"""Hands that a venue leaves to others, and those that its backfill does; one of all at least."""


class Held(NamedTuple):
    """What a hand is at."""

    exchange: str
    kind: str


def free(slots: int, held: Iterable[Held]) -> Hands:
    """Return what another hand may take while others hold these, of so many hands in all."""
    at = list(held)
    of_venue = Counter(each.exchange for each in at)
    backfilled = Counter(each.exchange for each in at if each.kind == BACKFILL)
    all_kinds = backfilled.total() < max(slots - _SPARE_OF_A_VENUE, 1)
    return Hands(
        kinds=(*HEALING, BACKFILL) if all_kinds else HEALING,
        busy=_of(of_venue, max(slots - _SPARE_OF_A_VENUE, 1)),
        crowded=_of(backfilled, max(slots - _SPARE_OF_BACKFILL, 1)),
    )


def _of(counted: Counter[str], at_most: int) -> tuple[str, ...]:
    return tuple(sorted(exchange for exchange, number in counted.items() if number >= at_most))
