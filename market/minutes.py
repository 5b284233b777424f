"""What a model looks at: closed bars of one minute, each with the spread that it closed with."""

import msgspec

from market.bars import Bar


class Minute(msgspec.Struct, frozen=True):
    """A final bar of one minute, and the last spread that was quoted in it.

    ``spread_bps`` is (ask - bid) / middle * 10,000; None when nothing was quoted in that minute.
    """

    bar: Bar
    spread_bps: float | None = None
