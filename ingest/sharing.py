"""How ingesters share the feeds: what one of them is to do next, from what all of them have. No I/O.

Each decides for itself from what it saw a moment ago; locks settle who of two comes first. Feeds that
nobody has are taken at once. Whoever has more than its share keeps it until somebody with less listens
too: its heir.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from db.holdings import Holdings


class Moves(NamedTuple):
    """What to try in this order: ``take`` until ``room`` feeds are had, then ``inherit`` for the rest."""

    room: int
    take: tuple[int, ...]
    inherit: tuple[int, ...]
    cede: tuple[int, ...]
    """Feeds of ours that their heirs listen to by now."""


def moves(wanted: Collection[int], holdings: Holdings, me: int) -> Moves:
    """Return the next moves of the ingester whose session is ``me``."""
    going_to = {feed: holdings.heirs.get(feed, holdings.owners.get(feed)) for feed in wanted}
    counts = Counter(session for session in going_to.values() if session is not None)
    targets = shares(len(wanted), holdings.present | {me}, counts)
    free = tuple(sorted(feed for feed, session in going_to.items() if session is None))
    room = max(0, targets[me] - counts[me])
    surplus = {session: count - targets.get(session, 0) for session, count in counts.items()}
    return Moves(
        room=room,
        take=free if room else (),
        inherit=tuple(_surplus(wanted, holdings, surplus)) if room > len(free) else (),
        cede=tuple(sorted(_ceded(wanted, holdings, me))),
    )


def shares(feeds: int, present: Collection[int], counts: Mapping[int, int]) -> dict[int, int]:
    """Return how many feeds each is to have: as many as the others, one more for those that have most."""
    least, more = divmod(feeds, len(present))
    ranked = sorted(present, key=lambda session: (-counts.get(session, 0), session))
    return {session: least + (rank < more) for rank, session in enumerate(ranked)}


def _surplus(wanted: Collection[int], holdings: Holdings, surplus: Mapping[int, int]) -> Iterator[int]:
    """Yield the newest feeds of those that have too many, no more of each than it has too many."""
    for session in sorted(surplus, key=lambda each: (-surplus[each], each)):
        owned = (feed for feed in wanted if holdings.owners.get(feed) == session)
        without_heir = sorted((feed for feed in owned if feed not in holdings.heirs), reverse=True)
        yield from without_heir[: max(0, surplus[session])]


def _ceded(wanted: Collection[int], holdings: Holdings, me: int) -> Iterator[int]:
    for feed in wanted:
        heir = holdings.heirs.get(feed)
        if holdings.owners.get(feed) == me and heir not in {None, me} and holdings.ready.get(feed) == heir:
            yield feed
