"""What the stream carries: entries of the log, and the latest value of what is not logged."""

import msgspec

from market.channels import Family


class Publication(msgspec.Struct, frozen=True, array_like=True):
    """One entry of the append-only log: a signal, a final bar, or the correction of an earlier entry.

    ``offset`` is dense per (instrument_id, family), in commit order, from 1. ``data`` is the
    JSON text that subscribers receive, encoded once where the publication was made; ``null`` in a
    correction withdraws what stands at the offset that it ``revises``.
    """

    instrument_id: int
    family: Family
    offset: int
    op: str
    data: str
    committed_at: int
    revises: int | None = None


_NAMED_BY_ID = (Family.COVERAGE, Family.RUNNING)


class Latest(msgspec.Struct, frozen=True, array_like=True):
    """The newest value of an instrument's quotes, trades, running bars, or of a gap; stands for ``count``.

    (``ts``, ``id``) is its place on the tape: who has a later one drops this one. Of a gap, ``ts`` is
    when it changed, and ``id`` names it; of a bar, ``id`` is its interval.
    """

    instrument_id: int
    family: Family
    ts: int
    id: int
    count: int
    data: str

    @property
    def slot(self) -> tuple[int, Family, int]:
        """Return what a newer value must share to replace this one: the same gap, a bar of the interval."""
        return self.instrument_id, self.family, self.id if self.family in _NAMED_BY_ID else 0

    def outdates(self, other: "Latest") -> bool:
        """Tell whether this is newer than another of its slot; of bars at one place, the one told later."""
        if self.family is Family.RUNNING:
            return self.ts >= other.ts
        return (self.ts, self.id) > (other.ts, other.id)
