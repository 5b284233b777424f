"""Parameters that somebody chose for a kind of signal on one instrument."""

import msgspec


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """All numbers of a kind on an instrument, in force from the event time ``from_ts`` on.

    At ``ts`` the newest version counts that begins at or before it; version 0 is the kind's own.
    ``parameters_id`` rises in the order of commits.
    """

    parameters_id: int
    instrument_id: int
    kind: str
    version: int
    from_ts: int
    numbers: dict[str, int | float]
    set_at: int
