"""A gap: an interval in which a feed was not proven up."""

from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from market.times import HOUR

TRADES: Final = "trades"
DEPTHS: Final = "depths"
"""The kinds of tick that are proven: quotes stand and fall with the connection that brings trades."""

HEALED_BY_ITSELF: Final = 24 * HOUR
"""The longest gap, in microseconds, that is healed without being asked for."""

TOO_LONG: Final = "longer than 24 h: not healed by itself; heliograph backfill fetches it"


class Cause(StrEnum):
    """Why a feed was not proven up."""

    SEQUENCE = "sequence"
    RECONNECT = "reconnect"
    DOWNTIME = "downtime"
    MUTE = "mute"
    BOOK = "book"


class GapState(StrEnum):
    """What became of a gap; only a closed one is proven."""

    OPEN = "open"
    HEALING = "healing"
    CLOSED = "closed"
    UNRECOVERABLE = "unrecoverable"


class Silent(NamedTuple):
    """A stream that is silent against its habit, at venue time ``at``, since its trade ``after_id``.

    Of the trades that its venue has by now, those from ``since`` on were this session's to bring.
    """

    instrument_id: int
    after_id: int | None
    since: int
    at: int


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ``gaps``: [from_ts, to_ts) of one kind of an instrument's ticks, in microseconds.

    ``after_id`` and ``before_id`` are the trades on its edges, which are stored. No ``before_id``: no
    trade has come yet since. ``job_id`` is the job that heals it.
    """

    gap_id: int
    instrument_id: int
    kind: str
    cause: Cause
    state: GapState
    from_ts: int
    to_ts: int
    after_id: int | None
    before_id: int | None
    job_id: int | None
    opened_at: int
    closed_at: int | None
    detail: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a gap before it is a row, or of one that is: the newest finding of a key holds.

    Instrument, kind, ``from_ts``, and ``after_id`` are the key.
    """

    instrument_id: int
    kind: str
    cause: Cause
    state: GapState
    from_ts: int
    to_ts: int
    after_id: int | None = None
    before_id: int | None = None
    detail: str = ""

    @property
    def key(self) -> tuple[int, str, int, int | None]:
        """Return what tells this gap from others."""
        return self.instrument_id, self.kind, self.from_ts, self.after_id
