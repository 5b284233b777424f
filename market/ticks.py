"""The order of the tape: kinds of entry and the key that sorts them."""

from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """What stands on a tape; at one instant depth comes before quote before trade before watermark."""

    DEPTH = 0
    QUOTE = 1
    TRADE = 2
    WATERMARK = 3


class TapeKey(NamedTuple):
    """The place of a tick on its instrument's tape; tuples compare as the tape is ordered."""

    ts: int
    kind: int
    id: int


class Place(NamedTuple):
    """What names a tick among those of its kind on its instrument's tape."""

    ts: int
    id: int


BEFORE_ALL = TapeKey(0, -1, -(2**63))
"""The place before the first tick of any tape."""
